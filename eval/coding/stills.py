"""Lossless bytes of single frames: PNG at full effort, and WebP where it can."""

from __future__ import annotations

import cv2
import numpy as np

from pixelpush.errors import InputError


def encode_png_small(frame: np.ndarray) -> bytes:
    """PNG of uint8 (C, H, W), C 1 or 3, deflated as well as it goes.

    >>> encode_png_small(np.zeros((3, 8, 8), np.uint8))[1:4]
    b'PNG'
    """
    return _encode(frame, ".png", [cv2.IMWRITE_PNG_COMPRESSION, 9])


def encode_webp(frame: np.ndarray) -> bytes:
    """Lossless WebP of uint8 (3, H, W).

    >>> encode_webp(np.zeros((3, 8, 8), np.uint8))[8:12]
    b'WEBP'
    """
    # Above 100 means lossless.
    return _encode(frame, ".webp", [cv2.IMWRITE_WEBP_QUALITY, 101])


def encode_still(frame: np.ndarray) -> bytes:
    """The smaller of the two; ``datasets.images.decode_image`` reads both.

    >>> frame = np.zeros((3, 8, 8), np.uint8)
    >>> len(encode_still(frame)) <= len(encode_png_small(frame))
    True
    """
    png = encode_png_small(frame)
    if len(frame) != 3:
        return png
    return min(encode_webp(frame), png, key=len)


def _encode(frame: np.ndarray, suffix: str, options: list[int]) -> bytes:
    if frame.ndim != 3 or frame.shape[0] not in (1, 3):
        raise InputError(f"a frame of shape {frame.shape} cannot be kept as {suffix[1:]}.")
    image = frame.transpose(1, 2, 0)
    bgr = image[..., ::-1] if image.shape[-1] == 3 else image
    done, encoded = cv2.imencode(suffix, np.ascontiguousarray(bgr), options)
    if not done:
        raise InputError(f"a frame of shape {frame.shape} cannot be kept as {suffix[1:]}.")
    return encoded.tobytes()
