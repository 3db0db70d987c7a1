"""Frames of a video file, through the ffmpeg program that imageio-ffmpeg brings."""

from __future__ import annotations

import functools
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import imageio_ffmpeg
import numpy as np

from pixelpush.datasets.images import MAX_PIXELS
from pixelpush.datasets.sniff import foreign
from pixelpush.errors import InputError

# The demuxer is fixed by the ending, so that no other kind of file (a playlist that names further
# files, say) is opened under a video's name.
DEMUXERS = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "matroska",
    ".avi": "avi",
}

_PPM_HEADER = re.compile(rb"P6\n(\d{1,6}) (\d{1,6})\n255\n")
_SHOWN = re.compile(r"\bn: *(\d+) .*?\bpts_time:(-?[\d.]+)")


@dataclass(frozen=True)
class Span:
    """The part of a video that holds one episode.

    start: in seconds; frames: how many; fps: frames a second.

    >>> Span(start=1.0, frames=20, fps=10.0).frames
    20
    """

    start: float
    frames: int
    fps: float


def ffmpeg_program() -> str:
    """The ffmpeg to run; one that is not there is an InputError that says how to get it.

    >>> "ffmpeg" in ffmpeg_program()
    True
    """
    try:
        return _checked(imageio_ffmpeg.get_ffmpeg_exe())
    except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
        reason = (str(error).splitlines() or ["it does not run"])[0]
        raise InputError(
            f"no ffmpeg to read and write videos with ({reason}); correct or unset "
            "IMAGEIO_FFMPEG_EXE, or install imageio-ffmpeg anew."
        ) from None


@functools.cache
def _checked(program: str) -> str:
    subprocess.run([program, "-version"], capture_output=True, check=True)
    return program


def read_video(data: bytes, what: str) -> Iterator[np.ndarray]:
    """Frames uint8 (H, W, 3) of a video's bytes, each stored frame once.

    ``what`` ends like the file and names it in errors. Raises InputError as ``read_video_file``
    does.

    >>> list(read_video(b"no video", "a.mp4"))  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    pixelpush.errors.InputError: a.mp4
    """
    with tempfile.TemporaryDirectory() as folder:  # ffmpeg seeks, so it needs a file
        path = Path(folder) / f"video{Path(what).suffix.lower()}"
        path.write_bytes(data)
        yield from read_video_file(path, what)


def read_video_file(path: Path, what: str, span: Span | None = None) -> Iterator[np.ndarray]:
    """Frames uint8 (H, W, 3) of a video file, or those of ``span`` alone.

    A video of 10 or 12 bits is brought to 8. Raises InputError where it does not decode, is not
    there, or ends before its span does.

    >>> list(read_video_file(Path("no.mp4"), "no.mp4"))  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere.mp4
    """
    try:
        with path.open("rb") as file:
            known = foreign(file.read(512))
    except OSError as error:
        raise InputError(f"{what}: cannot be read ({error.strerror or error}).") from None
    if known:
        raise InputError(f"{what}: {known}.")
    # ffmpeg's quick conversion to RGB is up to two levels too dark.
    pictures = ["-sws_flags", "bicubic+accurate_rnd+full_chroma_int", "-pix_fmt", "rgb24"]
    pictures += ["-c:v", "ppm", "-f", "image2pipe", "pipe:1"]
    count = 0
    with tempfile.TemporaryFile("w+b") as messages:
        process = subprocess.Popen(
            [*_input(path, span), *pictures], stdout=subprocess.PIPE, stderr=messages
        )
        with process:
            assert process.stdout is not None
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
        reason = re.sub(r"\[[^]]* @ 0x[0-9a-f]+\] *", "", said[0]) if said else "no frames"
        reason = reason.replace(str(path), "it")
        raise InputError(
            f"{what}, frame {count}: the video does not decode ({reason[:200]}); copy or record "
            "it again."
        )
    if span is not None and count != span.frames:
        raise InputError(
            f"{what}: {count} frames from {span.start:.3f} s on, {span.frames} are needed; the "
            "video is too short for its episode."
        )


def frame_times(path: Path, what: str) -> np.ndarray:
    """float64 (T,): when each frame of a video is shown, in seconds from its first one.

    Raises InputError where the video does not decode, or its ending is not a video's.

    >>> frame_times(Path("nowhere.mp4"), "nowhere.mp4")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere.mp4
    """
    command = _input(path, None)
    command[command.index("error")] = "info"
    command += ["-vf", "showinfo", "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True)
    times = [float(match[2]) for match in _SHOWN.finditer(done.stderr.decode(errors="replace"))]
    if done.returncode != 0 or not times:
        raise InputError(
            f"{what}: the video does not decode, so its frames have no times; copy or record it "
            "again."
        )
    return np.array(times) - times[0]


def _input(path: Path, span: Span | None) -> list[str]:
    """The command up to what is to be done with the frames."""
    demuxer = DEMUXERS.get(path.suffix.lower())
    if demuxer is None:
        raise InputError(f"{path}: videos end in {', '.join(DEMUXERS)}.")
    # explode: damage is an error, not a guess.
    command = [ffmpeg_program(), "-nostdin", "-v", "error", "-xerror", "-err_detect", "explode"]
    command += ["-max_pixels", str(MAX_PIXELS), "-protocol_whitelist", "file"]
    limit = []
    if span is not None:
        # Half a frame early, so that rounding of times neither loses nor doubles the first one.
        start = max(0.0, span.start - 0.5 / span.fps)
        command += ["-ss", f"{start:.6f}"]
        limit = ["-frames:v", str(span.frames)]
    command += ["-f", demuxer, "-i", str(path)]
    # passthrough: no frame is dropped or doubled to even out the rate.
    return [*command, "-map", "0:v:0", "-fps_mode", "passthrough", *limit]


def _ppm_frames(stream: IO[bytes]) -> Iterator[np.ndarray]:
    """The whole pictures of a stream of binary PPM images; a last one cut short is left to the exit
    code."""
    while magic := stream.readline():
        match = _PPM_HEADER.fullmatch(magic + stream.readline() + stream.readline())
        if match is None:
            return
        width = int(match[1])
        height = int(match[2])
        pixels = stream.read(width * height * 3)
        if len(pixels) < width * height * 3:
            return
        yield np.frombuffer(pixels, dtype=np.uint8).reshape(height, width, 3)
