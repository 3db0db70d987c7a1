"""Moving MNIST (Srivastava, Mansimov and Salakhutdinov 2015): two digits bounce over 64x64, 20
frames.

Every sequence is a pure function of (seed, split, index) and the publisher's idx files. A digit
moves 0.1 of its free way a frame in a random direction and is reflected at the walls; overlapping
digits take the larger value. There is no robot: states and actions have no columns."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.hashing import randint, uniform
from pixelpush.errors import InputError

FRAMES, SIDE, DIGIT, STEP = 20, 64, 28, 0.1
# Digits of the three splits never mix: the last 5,000 training images are validation's.
VALIDATION_DIGITS = 5000
_MAX_IMAGES = 1 << 20
_IMAGE, _X, _Y, _ANGLE = range(32, 36)


def read_idx_images(folder: Path, stem: str) -> np.ndarray:
    """uint8 (N, 28, 28) from ``stem`` or ``stem``.gz, the publisher's idx3 format."""
    path = next((folder / name for name in (stem, f"{stem}.gz") if (folder / name).is_file()), None)
    if path is None:
        raise InputError(
            f"{folder}: no {stem} or {stem}.gz; --raw is the folder with MNIST's idx files."
        )
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            header = file.read(16)
            if len(header) < 16:
                raise InputError(f"{path}: truncated: {len(header)} bytes.")
            magic, count, height, width = struct.unpack(">IIII", header)
            if magic != 2051 or (height, width) != (DIGIT, DIGIT) or not 0 < count <= _MAX_IMAGES:
                raise InputError(
                    f"{path}: not an idx file of 28x28 images (header {magic}, {count}, "
                    f"{height}x{width})."
                )
            expected = count * DIGIT * DIGIT
            data = file.read(expected + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read ({error}).") from None
    if len(data) != expected:
        raise InputError(
            f"{path}: {count} images need {expected} bytes, found {len(data)}; truncated or "
            "damaged."
        )
    return np.frombuffer(data, dtype=np.uint8).reshape(count, DIGIT, DIGIT)


def sequence(
    digits: np.ndarray, index: int, seed: int, split: str, digits_per_sequence: int = 2
) -> Episode:
    """Sequence ``index``: frames uint8 (20, 1, 64, 64)."""
    frames = np.zeros((FRAMES, 1, SIDE, SIDE), dtype=np.uint8)
    key = (seed, zlib.crc32(split.encode()), index)
    for which in range(digits_per_sequence):
        image = digits[randint(len(digits), *key, _IMAGE, which)]
        rows, columns = _trajectory((*key, which))
        for frame, row, column in zip(frames[:, 0], rows, columns, strict=True):
            window = frame[row : row + DIGIT, column : column + DIGIT]
            np.maximum(window, image, out=window)
    none = np.zeros((FRAMES, 0), dtype=np.float32)
    return Episode(frames, none, none, f"{split}-{index:06d}")


def _trajectory(key: tuple[int, ...]) -> tuple[list[int], list[int]]:
    """Top-left corners (rows, columns) of a digit over the frames, in pixels."""
    angle = 2.0 * math.pi * uniform(*key, _ANGLE)
    y, x = uniform(*key, _Y), uniform(*key, _X)
    dy, dx = math.sin(angle), math.cos(angle)
    rows, columns = [], []
    for _ in range(FRAMES):
        y, dy = _bounce(y + dy * STEP, dy)
        x, dx = _bounce(x + dx * STEP, dx)
        rows.append(int((SIDE - DIGIT) * y))
        columns.append(int((SIDE - DIGIT) * x))
    return rows, columns


def _bounce(position: float, velocity: float) -> tuple[float, float]:
    """Stop at the wall and turn round, as the original generator does."""
    if position <= 0.0:
        return 0.0, -velocity
    if position >= 1.0:
        return 1.0, -velocity
    return position, velocity


def split_sequences(raw: Path, counts: dict[str, int], seed: int) -> dict[str, Iterator[Episode]]:
    """Lazy sequences of ``train``, ``val`` and ``test`` (those with a positive count)."""
    train = read_idx_images(raw, "train-images-idx3-ubyte")
    if len(train) <= VALIDATION_DIGITS:
        raise InputError(
            f"{raw}: {len(train)} training digits; more than {VALIDATION_DIGITS} are needed."
        )
    digits = {
        "train": train[:-VALIDATION_DIGITS],
        "val": train[-VALIDATION_DIGITS:],
        "test": read_idx_images(raw, "t10k-images-idx3-ubyte"),
    }

    def generate(split: str, count: int) -> Iterator[Episode]:
        return (sequence(digits[split], index, seed, split) for index in range(count))

    return {split: generate(split, count) for split, count in counts.items() if count > 0}
