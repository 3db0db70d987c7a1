"""Digits that are drawn here, so that pictures and tests of the MNIST models need nobody's data.

No model was trained on them. They are numpy's work alone, the same with every version of OpenCV."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

SIZE = 28
_THICKNESS = 1.3  # pixels from the middle of a stroke to its edge
_CORNER = 4  # strokes are in pixels of the middle 20 x 20, as MNIST's digits are; y goes down


def _arc(x: float, y: float, across: float, along: float, start: int, end: int) -> list:
    """Points of an ellipse around (x, y), from an angle to another; degrees, clockwise from 3."""
    angles = np.radians(np.linspace(start, end, 13))
    return [(x + across * np.cos(angle), y + along * np.sin(angle)) for angle in angles]


_STROKES: tuple[list[list[tuple[float, float]]], ...] = (
    [_arc(10, 10, 6, 9, 0, 360)],
    [[(12, 1), (8, 19)]],
    [[*_arc(10, 6, 5.5, 5, -170, 40), (4, 18.5), (17, 18)]],
    [[*_arc(9, 5.5, 5, 4.5, -150, 90), *_arc(9, 14.5, 6, 4.7, -90, 150)]],
    [[(6, 2), (4, 11), (16, 11)], [(14, 4), (12, 19)]],
    [[(15, 1.5), (7, 1.5), (6, 9), *_arc(9, 13.5, 5.5, 5, -100, 150)]],
    [[(13, 1), (7, 8), *_arc(10, 14, 5, 4.7, 180, 540)]],
    [[(4, 3), (16, 3), (9, 19)]],
    [_arc(10, 5.5, 4, 4.3, 0, 360), _arc(10, 14.3, 4.8, 4.5, 0, 360)],
    [[*_arc(9.5, 6, 4.8, 4.8, 0, 360), (13, 19)]],
)


def drawn_digits() -> np.ndarray:
    """The digits 0 to 9, uint8 (10, 28, 28), black (0) and white (255).

    >>> digits = drawn_digits()
    >>> digits.shape, sorted(set(digits.ravel().tolist()))
    ((10, 28, 28), [0, 255])
    """
    return np.stack([_drawn(strokes) for strokes in _STROKES])


def _drawn(strokes: list[list[tuple[float, float]]]) -> np.ndarray:
    """White where a pixel's centre is near a stroke."""
    y, x = np.mgrid[:SIZE, :SIZE] - float(_CORNER)
    centres = np.stack([x, y], axis=-1)
    distance = np.full((SIZE, SIZE), np.inf)
    for points in strokes:
        for start, end in pairwise(points):
            distance = np.minimum(distance, _from_segment(centres, np.array(start), np.array(end)))
    return np.where(distance < _THICKNESS, 255, 0).astype(np.uint8)


def _from_segment(centres: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Distance of every centre (..., 2) from a segment."""
    along = end - start
    share = ((centres - start) @ along / (along @ along)).clip(0, 1)
    return np.linalg.norm(centres - start - share[..., None] * along, axis=-1)


def write_digits(folder: Path) -> str:
    """Write them as MNIST's test split; returns the name under which an image set opens.

    Binarising leaves black and white as they are.

    >>> import tempfile
    >>> from pixelpush.datasets.image_sets import open_images
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     digits = open_images(write_digits(Path(folder)), "test")
    >>> len(digits), digits[7].label
    (10, 7)
    """
    digits = drawn_digits()
    head = bytes([0, 0, 8, 3, 0, 0, 0, len(digits), 0, 0, 0, SIZE, 0, 0, 0, SIZE])
    (folder / "t10k-images-idx3-ubyte").write_bytes(head + digits.tobytes())
    labels = bytes([0, 0, 8, 1, 0, 0, 0, len(digits), *range(len(digits))])
    (folder / "t10k-labels-idx1-ubyte").write_bytes(labels)
    return f"mnist:{folder}"
