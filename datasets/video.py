"""Frames of an MP4, through the ffmpeg program that imageio-ffmpeg brings."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from pixelpush.datasets.images import MAX_PIXELS
from pixelpush.errors import InputError

_PPM_HEADER = re.compile(rb"P6\n(\d{1,6}) (\d{1,6})\n255\n")


def read_video(data: bytes, what: str) -> Iterator[np.ndarray]:
    """Frames uint8 (H, W, 3) of an MP4's bytes, each stored frame once; ``what`` names the file in
    errors."""
    import imageio_ffmpeg

    with tempfile.TemporaryDirectory() as folder:  # ffmpeg seeks, so it needs a file
        path = Path(folder) / "video.mp4"
        path.write_bytes(data)
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error"]
        # explode: damage is an error, not a guess. The demuxer is fixed, so that no other kind of
        # file (a playlist that names further files, say) is opened under a video's name.
        command += ["-xerror", "-err_detect", "explode", "-max_pixels", str(MAX_PIXELS)]
        command += ["-protocol_whitelist", "file", "-f", "mp4", "-i", str(path)]
        # passthrough: no frame is dropped or doubled to even out the rate.
        command += [
            "-map",
            "0:v:0",
            "-fps_mode",
            "passthrough",
            "-c:v",
            "ppm",
            "-f",
            "image2pipe",
            "pipe:1",
        ]
        with (Path(folder) / "messages").open("w+b") as messages:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=messages)
            with process:
                assert process.stdout is not None
                count = 0
                try:
                    for frame in _ppm_frames(process.stdout):
                        yield frame
                        count += 1
                    process.stdout.close()
                    process.wait()
                finally:
                    # Where the caller wants no more frames; does nothing to one that has ended.
                    process.kill()
            messages.seek(0)
            said = messages.read(4096).decode(errors="replace").strip().splitlines()
        if process.returncode != 0 or count == 0:
            reason = said[0].replace(str(path), "it") if said else "no frames"
            raise InputError(f"{what}, frame {count}: the video does not decode ({reason[:200]}).")


def _ppm_frames(stream: IO[bytes]) -> Iterator[np.ndarray]:
    """The whole pictures of a stream of binary PPM images; a last one cut short is left to the exit
    code."""
    while magic := stream.readline():
        match = _PPM_HEADER.fullmatch(magic + stream.readline() + stream.readline())
        if match is None:
            return
        width, height = int(match[1]), int(match[2])
        pixels = stream.read(width * height * 3)
        if len(pixels) < width * height * 3:
            return
        yield np.frombuffer(pixels, dtype=np.uint8).reshape(height, width, 3)
