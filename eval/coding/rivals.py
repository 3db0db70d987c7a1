"""The codecs that people use, lossless: still-image ones frame by frame, video ones on whole
sequences. Each turns uint8 (T, C, H, W) into bytes and back; every figure is of verified bytes."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from pixelpush.datasets.images import decode_image
from pixelpush.datasets.video import ffmpeg_program
from pixelpush.errors import InputError
from pixelpush.eval.coding.container import pack, unpack
from pixelpush.eval.coding.stills import encode_png_small


@dataclass(frozen=True)
class Rival:
    """encode: (frames uint8 (T, 3, H, W), frames per episode) -> bytes. decode: (bytes, shape of
    the frames) -> frames. ready: raises InputError where this machine cannot run it.

    >>> frames = np.zeros((2, 3, 8, 8), np.uint8)
    >>> png = RIVALS[0]
    >>> np.array_equal(png.decode(png.encode(frames, 2), frames.shape), frames)
    True
    """

    name: str
    encode: Callable[[np.ndarray, int], bytes]
    decode: Callable[[bytes, tuple[int, ...]], np.ndarray]
    ready: Callable[[], None] = lambda: None


def _stills(
    name: str,
    encode: Callable[[np.ndarray], bytes],
    decode: Callable[[bytes], np.ndarray],
    ready: Callable[[], None] = lambda: None,
) -> Rival:
    """A still codec, one file per frame; decode gives (H, W, 3)."""

    def encode_all(frames: np.ndarray, episode: int) -> bytes:
        return pack([encode(frame) for frame in frames])

    def decode_all(data: bytes, shape: tuple[int, ...]) -> np.ndarray:
        return np.stack([decode(still).transpose(2, 0, 1) for still in unpack(data)])

    return Rival(name, encode_all, decode_all, ready)


def _jxl_ready() -> None:
    try:
        import pillow_jxl  # type: ignore[import-not-found]  # registers itself with Pillow
    except ImportError:
        raise InputError(
            "JPEG XL needs the package 'pillow-jxl-plugin'; install it with pip install "
            "'pixelpush[coding]'."
        ) from None
    assert pillow_jxl


def _encode_jxl(frame: np.ndarray) -> bytes:
    _jxl_ready()
    buffer = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(frame.transpose(1, 2, 0)))
    image.save(buffer, "JXL", lossless=True, effort=9)
    return buffer.getvalue()


def _decode_jxl(data: bytes) -> np.ndarray:
    _jxl_ready()
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def _encode_webp_hardest(frame: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(frame.transpose(1, 2, 0)))
    image.save(buffer, "WEBP", lossless=True, quality=100, method=6)
    return buffer.getvalue()


def _video(name: str, options: Callable[[int], list[str]], pixels: str) -> Rival:
    """A codec of ffmpeg's on all episodes in one stream, every episode decodable by itself. NUT is
    the leanest container that ffmpeg writes through a pipe."""

    def encode(frames: np.ndarray, episode: int) -> bytes:
        height, width = frames.shape[2:]
        raw = np.ascontiguousarray(frames.transpose(0, 2, 3, 1)).tobytes()
        source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-i", "pipe:0"]
        return _ffmpeg([*source, "-pix_fmt", pixels, *options(episode), "-f", "nut", "pipe:1"], raw)

    def decode(data: bytes, shape: tuple[int, ...]) -> np.ndarray:
        target = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-fps_mode", "passthrough", "pipe:1"]
        raw = _ffmpeg(["-f", "nut", "-i", "pipe:0", *target], data)
        count, channels, height, width = shape
        return (
            np.frombuffer(raw, np.uint8)
            .reshape(count, height, width, channels)
            .transpose(0, 3, 1, 2)
        )

    return Rival(name, encode, decode)


def _ffmpeg(arguments: list[str], data: bytes) -> bytes:
    program = ffmpeg_program()
    command = [program, "-nostdin", "-v", "error", "-threads", "1", *arguments]
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise InputError(f"ffmpeg: {said[-1] if said else 'failed'}.")
    return done.stdout


def _ffv1(episode: int) -> list[str]:
    return ["-c:v", "ffv1", "-level", "3", "-coder", "1", "-context", "1", "-g", str(episode)]


def _x265(episode: int) -> list[str]:
    keys = f"keyint={episode}:min-keyint={episode}:scenecut=0:open-gop=0"
    quiet = "log-level=none:pools=1:frame-threads=1"
    # Slower presets change some sub-pixels of RGB (1 in 2,000 at veryslow, x265 of ffmpeg 9.0):
    # what they give is not a lossless code.
    return ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", f"lossless=1:{keys}:{quiet}"]


def _x264(episode: int) -> list[str]:
    return ["-c:v", "libx264rgb", "-preset", "veryslow", "-qp", "0", "-g", str(episode)]


RIVALS = (
    _stills("PNG", encode_png_small, lambda data: decode_image(data, "PNG")),
    _stills("WebP lossless", _encode_webp_hardest, lambda data: decode_image(data, "WebP")),
    _stills("JPEG XL lossless", _encode_jxl, _decode_jxl, _jxl_ready),
    _video("FFV1", _ffv1, "bgr0"),
    _video("x264 lossless", _x264, "rgb24"),
    _video("x265 lossless", _x265, "gbrp"),
)
"""In the order of the tables."""
