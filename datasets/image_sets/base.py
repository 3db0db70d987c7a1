"""What an image set is, and helpers that its readers share."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

import cv2
import numpy as np

from pixelpush.datasets.arrays import read_bytes
from pixelpush.datasets.images import decode_image
from pixelpush.errors import InputError

STRUCTURE_SIZE = 32


@dataclass(frozen=True)
class ImageExample:
    """One image with what is known about it.

    image: uint8 (C, H, W). label: class number or -1. structure: uint8 (P, 32, 32), P may be 0.
    noise_floor: entropy of the image's sensor noise in nats per sub-pixel, where it is known.

    >>> ImageExample("a/0", np.zeros((3, 32, 32), np.uint8), label=4).label
    4
    """

    id: str
    image: np.ndarray
    label: int = -1
    captions: tuple[str, ...] = ()
    structure: np.ndarray = field(
        default_factory=lambda: np.zeros((0, STRUCTURE_SIZE, STRUCTURE_SIZE), np.uint8)
    )
    noise_floor: float | None = None


@runtime_checkable
class ImageSet(Protocol):
    """A split of an image set. Reading example i is a pure function of i.

    classes: number of classes, 0 without labels; structure: number of 32x32 maps; has_captions:
    whether every example has at least one; content_sha256: what identifies the split's content.

    >>> isinstance(ImageArrays("a", np.zeros((2, 3, 8, 8), np.uint8)), ImageSet)
    True
    """

    name: str
    classes: int
    structure: int
    has_captions: bool
    content_sha256: str

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> ImageExample: ...


class ImageArrays:
    """An image set in memory. images: uint8 (N, C, H, W); labels: int (N,) or None.

    >>> len(ImageArrays("a", np.zeros((2, 3, 8, 8), np.uint8)))
    2
    """

    structure = 0
    has_captions = False

    def __init__(
        self, name: str, images: np.ndarray, labels: np.ndarray | None = None, classes: int = 0
    ):
        if images.ndim != 4 or images.dtype != np.uint8:
            raise InputError(
                f"{name}: images must be uint8 (N, C, H, W), got {images.dtype} {images.shape}."
            )
        if labels is not None and len(labels) != len(images):
            raise InputError(f"{name}: {len(images)} images but {len(labels)} labels.")
        if labels is not None and len(labels) and not 0 <= labels.min() <= labels.max() < classes:
            raise InputError(
                f"{name}: labels go from {labels.min()} to {labels.max()}; there are {classes} "
                "classes."
            )
        self.name = name
        self.images = images
        self.labels = labels
        self.classes = classes if labels is not None else 0
        digest = hashlib.sha256(str(images.shape).encode())
        digest.update(np.ascontiguousarray(images).data)
        digest.update(b"" if labels is None else np.ascontiguousarray(labels, dtype=np.int64).data)
        self.content_sha256 = digest.hexdigest()

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> ImageExample:
        label = -1 if self.labels is None else int(self.labels[index])
        return ImageExample(f"{self.name}/{index}", self.images[index], label)


@dataclass(frozen=True)
class Window:
    """A square of an image, in its pixels; parts outside the image are black.

    >>> Window.centre(20, 30)
    Window(left=5, top=0, side=20)
    """

    left: float
    top: float
    side: float

    @classmethod
    def centre(cls, height: int, width: int) -> Window:
        """The largest centred square of an image of ``height`` and ``width`` pixels.

        >>> Window.centre(48, 64)
        Window(left=8, top=0, side=48)
        """
        side = min(height, width)
        return cls((width - side) // 2, (height - side) // 2, side)

    def points(self, points: np.ndarray) -> np.ndarray:
        """(P, 2) x, y of the image as shares of the window, 0 to 1 inside.

        >>> Window(0, 0, 64).points(np.array([[64.0, 16.0]])).tolist()
        [[1.0, 0.25]]
        """
        return (points - np.array([self.left, self.top])) / self.side


def read_square(path: Path, window: Window | None, size: int) -> tuple[np.ndarray, Window]:
    """(uint8 (3, size, size), the window): the window of an image file, resized.

    window: by default the centred square. The filter is area where it shrinks, bilinear where it
    grows. A missing or damaged file is an InputError.

    >>> read_square(Path("nowhere.png"), None, 32)
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere.png: no such image, but the annotations name it; fetch it.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such image, but the annotations name it; fetch it.")
    image = decode_image(read_bytes(path), str(path))
    height, width = image.shape[:2]
    window = window or Window.centre(height, width)
    left = round(window.left)
    top = round(window.top)
    side = max(round(window.side), 1)
    before = (max(-top, 0), max(-left, 0))
    after = (max(top + side - height, 0), max(left + side - width, 0))
    padded = np.pad(image, ((before[0], after[0]), (before[1], after[1]), (0, 0)))
    # Rows and columns of the padded picture begin before[0] and before[1] earlier.
    square = padded[
        top + before[0] : top + before[0] + side, left + before[1] : left + before[1] + side
    ]
    method = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    resized = cv2.resize(np.ascontiguousarray(square), (size, size), interpolation=method)
    return np.ascontiguousarray(resized.transpose(2, 0, 1)), Window(left, top, side)


def keypoint_map(shares: np.ndarray, visible: Sequence[bool]) -> np.ndarray:
    """uint8 (P, 32, 32) with a 1 in the cell of each visible part.

    shares: (P, 2) x, y as shares of the image. visible: of each part.

    >>> keypoint_map(np.array([[0.5, 0.25]]), [True])[0, 8, 16]
    np.uint8(1)
    """
    result = np.zeros((len(shares), STRUCTURE_SIZE, STRUCTURE_SIZE), np.uint8)
    cells = np.floor(np.asarray(shares, dtype=np.float64) * STRUCTURE_SIZE)
    for part, (x, y) in enumerate(cells):
        if visible[part] and 0 <= x < STRUCTURE_SIZE and 0 <= y < STRUCTURE_SIZE:
            result[part, int(y), int(x)] = 1
    return result


def need(path: Path, what: str, where: str) -> Path:
    """The path if it exists; else an InputError that says what it is and where to get it.

    >>> need(Path("nowhere"), "a list", "Get it from its authors.")
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere: a list is missing. Get it from its authors.
    """
    if not path.exists():
        raise InputError(f"{path}: {what} is missing. {where}")
    return path


def digest_of(*parts: object) -> str:
    """SHA-256 of the parts' text: identifies a split by its list of files and annotations.

    >>> digest_of(1, "a") == digest_of(1, "a")
    True
    """
    digest = hashlib.sha256()
    for part in parts:
        digest.update(repr(part).encode())
    return digest.hexdigest()


def choose_split(split: str, known: Sequence[str], name: str) -> str:
    """``split`` if the set has it; InputError otherwise.

    >>> choose_split("val", ("train", "val"), "coco")
    'val'
    """
    if split not in known:
        raise InputError(f"{name} has no split {split!r}; it has {', '.join(known)}.")
    return split
