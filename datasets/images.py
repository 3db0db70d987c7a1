"""Encoded still images: exact PNG for the store; PNG, JPEG and WebP in. RGB throughout, uint8 (H,
W, C)."""

from __future__ import annotations

import re
import struct
import zlib

import cv2
import numpy as np

from pixelpush.datasets.sniff import foreign
from pixelpush.errors import InputError

# A frame that unfolds to more pixels than this is refused before memory is taken for it.
MAX_PIXELS = 1 << 26

_PNG = b"\x89PNG\r\n\x1a\n"
# The next marker in a JPEG's coded data: stuffed zeros and restart markers belong to the data.
_MARKER = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])", re.DOTALL)
_END = 0xD9
# SOF0..SOF15 but DHT (C4), JPG (C8) and DAC (CC) carry the frame's size.
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def encode_png(frame: np.ndarray, compression: int = 0) -> bytes:
    """PNG bytes of uint8 (H, W, C), C 1 or 3; decoding them gives the same bytes back.

    compression: zlib's level, 0 to 9. Raises InputError for a frame that is no picture.

    >>> frame = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    >>> (decode_image(encode_png(frame), "a frame") == frame).all()
    np.True_
    """
    bgr = frame[..., ::-1] if frame.shape[-1] == 3 else frame
    # By default filtered but not deflated: the store compresses whole records with zstd, which
    # packs as well as deflate does and unpacks several times faster.
    options = [cv2.IMWRITE_PNG_COMPRESSION, compression]
    options += [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_SUB]
    done, encoded = cv2.imencode(".png", np.ascontiguousarray(bgr), options)
    if not done:
        raise InputError(f"a frame of shape {frame.shape} cannot be encoded as PNG.")
    return encoded.tobytes()


def decode_image(
    data: bytes, what: str, channels: int = 3, levels: tuple[float, float] | None = None
) -> np.ndarray:
    """uint8 (H, W, channels) of PNG, JPEG or WebP bytes; ``what`` names the frame in errors.

    An image of 16 bits is refused unless ``levels`` says which two values become 0 and 255: cut to
    8 bits, a depth picture of 660 to 1420 would keep four levels.

    >>> decode_image(b"text", "frame 3")
    Traceback (most recent call last):
    pixelpush.errors.InputError: frame 3: not a PNG, JPEG or WebP image; convert it, or leave ...
    """
    height, width = image_size(data, what)
    if not 0 < height * width <= MAX_PIXELS:
        raise InputError(
            f"{what}: the image claims {width}x{height} pixels, which is refused; make it "
            "smaller, or leave it out."
        )
    # Orientation tags are ignored: a camera's frames must not turn from one to the next.
    flags = (
        cv2.IMREAD_GRAYSCALE if channels == 1 else cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    )
    if _depth(data) == 16:
        flags |= cv2.IMREAD_ANYDEPTH
    try:
        image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flags)
    except cv2.error:
        image = None
    if image is not None and image.dtype == np.uint16:
        image = _scaled(image, what, levels)
    if image is None or image.shape[:2] != (height, width) or image.dtype != np.uint8:
        raise InputError(
            f"{what}: the image does not decode; it is damaged: copy or record it again."
        )
    return image[..., None] if channels == 1 else image[..., ::-1]


def _depth(data: bytes) -> int:
    """Bits per channel: 16 for a PNG that says so."""
    return 16 if data.startswith(_PNG) and data[24:25] == b"\x10" else 8


def _scaled(image: np.ndarray, what: str, levels: tuple[float, float] | None) -> np.ndarray:
    if levels is None:
        raise InputError(
            f"{what}: an image of 16 bits, with values from {image.min()} to {image.max()}; say "
            "which values become black and white by --levels LOW,HIGH."
        )
    low, high = levels
    scaled = np.empty(image.shape, np.uint8)
    for number, row in enumerate(image):  # row by row: in float64 a large image takes gigabytes
        scaled[number] = np.rint(np.clip((row.astype(np.float64) - low) / (high - low), 0, 1) * 255)
    return scaled


def image_size(data: bytes, what: str) -> tuple[int, int]:
    """(height, width) from the header of PNG, JPEG or WebP bytes that are whole.

    Decoders fill the rest of a truncated JPEG with grey and ignore a wrong checksum in a PNG; here
    both are an InputError.

    >>> image_size(encode_png(np.zeros((4, 6, 3), np.uint8)), "a frame")
    (4, 6)
    """
    if data.startswith(_PNG):
        return _png_size(data, what)
    if data.startswith(b"\xff\xd8"):
        return _jpeg_size(data, what)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp_size(data, what)
    known = foreign(data)
    if known:
        raise InputError(f"{what}: {known}.")
    raise InputError(f"{what}: not a PNG, JPEG or WebP image; convert it, or leave it out.")


def _png_size(data: bytes, what: str) -> tuple[int, int]:
    position = len(_PNG)
    size = None
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            break
        (crc,) = struct.unpack_from(">I", data, end - 4)
        if zlib.crc32(data[position + 4 : end - 4]) != crc:
            raise InputError(
                f"{what}: the PNG's checksum of {kind!r} is wrong; it is damaged: copy or record "
                "it again."
            )
        if kind == b"IHDR" and size is not None:  # decoders take the second, whatever its size
            raise InputError(
                f"{what}: the PNG has two headers; it is damaged: copy or record it again."
            )
        if kind == b"IHDR" and length == 13:
            width, height = struct.unpack_from(">II", data, position + 8)
            size = (height, width)
        if kind == b"IEND" and size is not None:
            return size
        position = end
    raise InputError(f"{what}: the PNG is truncated; copy or record it again.")


def _scan_end(data: bytes, position: int, what: str) -> int:
    """Where a scan's coded data end, at the next marker."""
    found = _MARKER.search(data, position)
    if found is None:
        raise InputError(f"{what}: the JPEG is truncated; copy or record it again.")
    return found.start(1) - 1


def _jpeg_size(data: bytes, what: str) -> tuple[int, int]:
    """From the frame header. The picture must have its end marker; what some cameras write behind
    it is ignored."""
    position = 2
    size = None
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:  # fill byte
            position += 1
            continue
        if marker == _END:
            break
        (length,) = struct.unpack_from(">H", data, position + 2)
        if marker in _FRAME_HEADERS and position + 9 <= len(data):
            if size is not None:
                raise InputError(
                    f"{what}: the JPEG has two frame headers; it is damaged: copy or record it "
                    "again."
                )
            height, width = struct.unpack_from(">HH", data, position + 5)
            size = (height, width)
        if length < 2:
            break
        position += 2 + length
        if marker == 0xDA:  # a scan: its coded data go on to the next marker
            position = _scan_end(data, position, what)
    if size is None:
        raise InputError(
            f"{what}: the JPEG has no frame header; it is damaged or truncated: copy or record it "
            "again."
        )
    if data[position : position + 2] != b"\xff\xd9":
        raise InputError(f"{what}: the JPEG is truncated; copy or record it again.")
    return size


def _webp_size(data: bytes, what: str) -> tuple[int, int]:
    (riff,) = struct.unpack_from("<I", data, 4)
    if len(data) < 30 or riff + 8 > len(data):
        raise InputError(f"{what}: the WebP is truncated; copy or record it again.")
    kind = data[12:16]
    if kind == b"VP8X":
        width = 1 + int.from_bytes(data[24:27], "little")
        return 1 + int.from_bytes(data[27:30], "little"), width
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits >> 14 & 0x3FFF), 1 + (bits & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return height & 0x3FFF, width & 0x3FFF
    raise InputError(
        f"{what}: the WebP has no frame header; it is damaged: copy or record it again."
    )
