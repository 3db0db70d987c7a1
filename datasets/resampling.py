"""How the public readers of the Google set shrink pictures, to one level; and the centre square."""

from __future__ import annotations

from typing import Literal

import numpy as np
from PIL import Image

PublicResize = Literal["finn", "tensor2tensor"]


def centre_square(image: np.ndarray) -> np.ndarray:
    """The largest centred square of a picture (H, W, 3).

    >>> centre_square(np.zeros((6, 10, 3))).shape
    (6, 6, 3)
    """
    height, width = image.shape[:2]
    side = min(height, width)
    top = (height - side) // 2
    left = (width - side) // 2
    return image[top : top + side, left : left + side]


def public_resize(image: np.ndarray, size: int, reader: PublicResize) -> np.ndarray:
    """uint8 (size, size, 3) from a picture uint8 (H, W, 3), as a public reader makes it.

    finn: tensorflow/models, video_prediction/prediction_input.py, the centre square by
    ``resize_bicubic`` of TensorFlow 1. tensor2tensor: data_generators/google_robot_pushing.py, the
    whole picture by ``Image.resize(BILINEAR)``.

    >>> public_resize(np.full((6, 10, 3), 7, np.uint8), 4, "finn").shape
    (4, 4, 3)
    """
    if reader == "finn":
        return _legacy_bicubic(centre_square(image), size)
    picture = Image.fromarray(np.ascontiguousarray(image))
    return np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR))


def _legacy_bicubic(image: np.ndarray, size: int) -> np.ndarray:
    """TensorFlow 1's resize_bicubic without half-pixel centres: Keys' kernel with -0.75, sampled
    at i * (old / new), never averaged. From 512 to 64 it takes every eighth pixel."""
    for axis in (0, 1):
        old = image.shape[axis]
        place = np.arange(size) * (old / size)
        base = np.floor(place).astype(int)
        weights = _keys_weights(place - base)
        taps = np.clip(base[:, None] + np.arange(-1, 3), 0, old - 1)
        picked = np.take(image, taps, axis=axis).astype(np.float64)
        shape = (size, 4, 1, 1) if axis == 0 else (1, size, 4, 1)
        image = (picked * weights.reshape(shape)).sum(axis=axis + 1)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def _keys_weights(fraction: np.ndarray, a: float = -0.75) -> np.ndarray:
    """(N, 4): weights of the pixels at -1, 0, 1, 2 (Keys 1981, equation 4)."""
    distance = np.abs(fraction[:, None] - np.arange(-1, 3))
    near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
    far = a * (((distance - 5) * distance + 8) * distance - 4)
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))
