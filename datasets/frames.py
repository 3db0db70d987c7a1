"""From a camera's picture to a square frame: crop, then resize."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from pixelpush.datasets.episodes import Metadata
from pixelpush.datasets.resampling import centre_square, public_resize
from pixelpush.errors import InputError

Crop = Literal["centre", "none"]
Resize = Literal["auto", "area", "bicubic"]


@dataclass(frozen=True)
class FrameOptions:
    """How pictures become frames; every reader of free-size pictures has these options.

    >>> FrameOptions(size=8).fit(np.zeros((10, 20, 3), np.uint8)).shape
    (8, 8, 3)
    """

    size: int = 64
    """Height and width of the frames, in pixels."""
    crop: Crop = "centre"
    """centre takes the largest centred square; none squashes the whole picture."""
    resize: Resize = "auto"
    """area averages (for shrinking), bicubic interpolates (for enlarging), auto takes the one that
    suits."""

    def __post_init__(self):
        check_size(self.size)

    def fit(self, image: np.ndarray) -> np.ndarray:
        """uint8 (size, size, 3) from uint8 (H, W, 3).

        >>> FrameOptions(size=8, crop="none").fit(np.zeros((8, 16, 3), np.uint8)).shape
        (8, 8, 3)
        """
        return fit(image, self.size, self.crop, self.resize)

    def described(self) -> dict[str, int | str]:
        """For a store's metadata; ``rollout --folder`` treats its pictures alike.

        >>> FrameOptions().described()
        {'size': 64, 'crop': 'centre', 'resize': 'auto'}
        """
        return {"size": self.size, "crop": self.crop, "resize": self.resize}


def fit(image: np.ndarray, size: int, crop: Crop = "centre", resize: Resize = "auto") -> np.ndarray:
    """uint8 (size, size, 3) from uint8 (H, W, 3).

    ``crop``: the largest centred square, or none (the picture is squashed). ``resize``: ``area``
    averages the pixels that fall into each new one (for shrinking); ``bicubic`` interpolates,
    rounded and clipped to 0..255 (for enlarging: it would alias when shrinking); ``auto`` takes the
    one that suits.

    >>> fit(np.full((20, 10, 3), 7, np.uint8), 5).ravel()[:2].tolist()
    [7, 7]
    """
    if crop == "centre":
        image = centre_square(image)
    if image.shape[:2] == (size, size):
        return np.ascontiguousarray(image)
    if resize == "auto":
        resize = "area" if min(image.shape[:2]) > size else "bicubic"
    method = cv2.INTER_AREA if resize == "area" else cv2.INTER_CUBIC
    return cv2.resize(np.ascontiguousarray(image), (size, size), interpolation=method)


Fit = Callable[[np.ndarray, int], np.ndarray]


def fit_as(metadata: Metadata) -> Fit:
    """How a store's pictures became frames, by its metadata: (picture, size) -> frame.

    Stores that do not say took the largest centred square. Unknown settings are an InputError.

    >>> fit_as({"frames": {"crop": "none"}})(np.zeros((10, 20, 3), np.uint8), 8).shape
    (8, 8, 3)
    """
    found = metadata.get("frames") or metadata.get("options") or {}
    if not isinstance(found, Mapping):
        found = {}
    squashed = str(metadata.get("preprocess", "")).startswith("squash")
    crop = found.get("crop", "none" if squashed else "centre")
    resize = found.get("resize", "auto")
    if resize in ("finn", "tensor2tensor"):
        return functools.partial(public_resize, reader=resize)
    known = {"crop": crop, "resize": resize}
    if crop not in ("centre", "none") or resize not in ("auto", "area", "bicubic"):
        raise InputError(
            f"the store's frames were fitted by {known}, which this version does not know; "
            "prepare the data again."
        )
    return functools.partial(fit, crop=crop, resize=resize)


def check_size(size: int) -> None:
    """Refuse with an InputError a frame size that no model here takes.

    >>> check_size(64)
    """
    if not 8 <= size <= 1024:
        raise InputError(f"--size {size}: frames of 8 to 1024 pixels are made.")


class SameSize:
    """Refuses a picture of another size than those before it, naming both; one per episode.

    >>> same = SameSize()
    >>> same.check(np.zeros((8, 8, 3)), "frame 0")
    >>> same.check(np.zeros((8, 9, 3)), "frame 1")
    Traceback (most recent call last):
    pixelpush.errors.InputError: frame 1: 9x8 pixels, but frame 0 has 8x8; ...
    """

    def __init__(self):
        self._first: tuple[tuple[int, ...], str] | None = None

    def check(self, image: np.ndarray, what: str) -> None:
        """Take note of the picture that ``what`` names, or refuse it with an InputError.

        >>> SameSize().check(np.zeros((48, 64, 3)), "a.png")
        """
        shape = image.shape[:2]
        if self._first is None:
            self._first = (shape, what)
        elif shape != self._first[0]:
            (height, width), name = self._first
            raise InputError(
                f"{what}: {shape[1]}x{shape[0]} pixels, but {name} has {width}x{height}; an "
                "episode's frames must be of one size; bring it to that size, or leave it out."
            )
