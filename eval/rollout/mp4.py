"""Pictures and movies as files that appear only when whole."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
from pathlib import Path

import numpy as np
from PIL import Image

from pixelpush.datasets.video import ffmpeg_program
from pixelpush.errors import InputError
from pixelpush.files import atomic_file


def write_png(path: Path, pixels: np.ndarray) -> None:
    """uint8 (H, W, C), C 1 or 3, to a PNG, which appears only when whole.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_png(Path(folder) / "a.png", np.zeros((2, 3, 1), np.uint8))
    ...     with Image.open(Path(folder) / "a.png") as picture:
    ...         picture.size
    (3, 2)
    """
    with atomic_file(path) as partial:
        Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(partial)


def write_gif(path: Path, pixels: np.ndarray, frames_per_second: int) -> None:
    """uint8 (T, H, W, 3) to a GIF that repeats for ever; appears only when whole. Its 256 colours
    are chosen for each frame.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     frames = np.arange(96, dtype=np.uint8).reshape(2, 4, 4, 3)
    ...     write_gif(Path(folder) / "a.gif", frames, frames_per_second=5)
    ...     with Image.open(Path(folder) / "a.gif") as picture:
    ...         picture.n_frames
    2
    """
    pictures = [Image.fromarray(frame).quantize(256, dither=Image.Dither.NONE) for frame in pixels]
    with atomic_file(path) as partial:
        pictures[0].save(
            partial,
            save_all=True,
            append_images=pictures[1:],
            duration=round(1000 / frames_per_second),
            loop=0,
        )


def write_mp4(path: Path, pixels: np.ndarray, frames_per_second: int) -> None:
    """uint8 (T, H, W, 3), H and W even, to H.264 in yuv420p, which every player shows; appears only
    when whole.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_mp4(Path(folder) / "a.mp4", np.zeros((2, 16, 16, 3), np.uint8), 5)
    ...     (Path(folder) / "a.mp4").read_bytes()[4:8]
    b'ftyp'
    """
    size = f"{pixels.shape[2]}x{pixels.shape[1]}"
    source = f"-f rawvideo -pix_fmt rgb24 -s {size} -r {frames_per_second} -i -".split()
    coding = ["-c:v", "libx264", "-crf", "15", "-pix_fmt", "yuv420p", "-movflags", "+faststart"]
    # One thread and no time stamps: the same frames give the same file.
    repeatable = [
        "-threads",
        "1",
        "-fflags",
        "+bitexact",
        "-flags:v",
        "+bitexact",
        "-map_metadata",
        "-1",
    ]
    program = [ffmpeg_program(), "-y", "-loglevel", "error"]
    with atomic_file(path) as partial:
        command = [*program, *source, *coding, *repeatable, str(partial)]
        done = subprocess.run(command, input=pixels.tobytes(), capture_output=True)
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip()
            if os.strerror(errno.ENOSPC) in said:
                raise OSError(errno.ENOSPC, said)  # becomes the clear line about a full disk
            if done.returncode == -signal.SIGXFSZ:
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
            raise InputError(
                f"{path}: ffmpeg could not write the movie "
                f"({said.splitlines()[-1] if said else 'no reason'}); 'pixelpush doctor' says "
                "which ffmpeg is used."
            )
