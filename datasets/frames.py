"""From a camera's picture to a square frame: crop, then resize."""

from __future__ import annotations

from typing import Literal

import numpy as np

from pixelpush.errors import InputError

Crop = Literal["centre", "none"]
Resize = Literal["auto", "area", "bicubic"]


def fit(image: np.ndarray, size: int, crop: Crop = "centre", resize: Resize = "auto") -> np.ndarray:
    """uint8 (size, size, 3) from uint8 (H, W, 3).

    ``crop``: the largest centred square, or none (the picture is squashed). ``resize``: ``area``
    averages the pixels that fall into each new one (for shrinking); ``bicubic`` interpolates,
    rounded and clipped to 0..255 (for enlarging: it would alias when shrinking); ``auto`` takes the
    one that suits."""
    import cv2

    if crop == "centre":
        height, width = image.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        image = image[top : top + side, left : left + side]
    if image.shape[:2] == (size, size):
        return np.ascontiguousarray(image)
    if resize == "auto":
        resize = "area" if min(image.shape[:2]) > size else "bicubic"
    method = cv2.INTER_AREA if resize == "area" else cv2.INTER_CUBIC
    return cv2.resize(np.ascontiguousarray(image), (size, size), interpolation=method)


def check_size(size: int) -> None:
    """Refuse frame sizes that no model here takes."""
    if not 8 <= size <= 1024:
        raise InputError(f"--size {size}: frames of 8 to 1024 pixels are made.")
