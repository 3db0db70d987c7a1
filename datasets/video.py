"""Frames of an MP4, through the ffmpeg that imageio-ffmpeg brings."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pixelpush.datasets.images import MAX_PIXELS
from pixelpush.errors import InputError


def read_video(data: bytes, what: str) -> Iterator[np.ndarray]:
    """Frames uint8 (H, W, 3) of an MP4's bytes, each stored frame once; ``what`` names the file in errors."""
    import imageio_ffmpeg

    with tempfile.TemporaryDirectory() as folder:  # ffmpeg seeks, so it needs a file
        path = Path(folder) / "video.mp4"
        path.write_bytes(data)
        # passthrough: no frame is dropped or doubled to even out the rate. explode: damage is an error, not a guess.
        # The demuxer is fixed: no other kind of file (a playlist that names further files, say) is opened as a video.
        reader = imageio_ffmpeg.read_frames(
            path,
            input_params=["-err_detect", "explode", "-xerror", "-f", "mp4", "-protocol_whitelist", "file"],
            output_params=["-fps_mode", "passthrough"],
        )
        count = 0
        try:
            width, height = next(reader)["size"]  # type: ignore[index]
            if not 0 < width * height <= MAX_PIXELS:
                raise InputError(f"{what}: the video claims {width}x{height} pixels, which is refused.")
            for frame in reader:
                yield np.frombuffer(frame, dtype=np.uint8).reshape(height, width, 3)  # type: ignore[arg-type]
                count += 1
        except (OSError, RuntimeError, IndexError, KeyError, StopIteration) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
            raise InputError(f"{what}, frame {count}: the video does not decode ({reason[:200]}).") from None
        finally:
            reader.close()
    if count == 0:
        raise InputError(f"{what}: the video has no frames.")
