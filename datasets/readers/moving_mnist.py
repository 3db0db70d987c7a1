"""Moving MNIST (Srivastava, Mansimov and Salakhutdinov 2015): two digits bounce over 64x64, 20
frames.

Every sequence is a pure function of (seed, split, index) and the publisher's idx files. A digit
moves 0.1 of its free way a frame in a random direction and is reflected at the walls; overlapping
digits take the larger value. There is no robot: states and actions have no columns."""

from __future__ import annotations

import functools
import gzip
import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixelpush.datasets.damage import DamageLog
from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.hashing import randint, uniform
from pixelpush.datasets.recording import Entry, Recording
from pixelpush.errors import InputError
from pixelpush.settings import check_seed

FRAMES = 20
SIDE = 64
DIGIT = 28
STEP = 0.1  # of the way from wall to wall, in each frame
# Digits of the three splits never mix: the last 5,000 training images are validation's.
VALIDATION_DIGITS = 5000
_MAX_IMAGES = 1 << 20
# What a draw is for. It is part of the hashed key, so that no two draws share a number.
_IMAGE, _X, _Y, _ANGLE = range(32, 36)


def read_idx_images(folder: Path, stem: str) -> np.ndarray:
    """uint8 (N, 28, 28) from ``stem`` or ``stem``.gz, the publisher's idx3 format.

    Raises InputError for a missing, damaged or other file.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     data = struct.pack(">IIII", 2051, 1, DIGIT, DIGIT) + bytes(DIGIT * DIGIT)
    ...     size = (Path(folder) / "t10k-images-idx3-ubyte").write_bytes(data)
    ...     read_idx_images(Path(folder), "t10k-images-idx3-ubyte").shape
    (1, 28, 28)
    """
    path = next((folder / name for name in (stem, f"{stem}.gz") if (folder / name).is_file()), None)
    if path is None:
        raise InputError(
            f"{folder}: no {stem} or {stem}.gz; --raw is the folder with MNIST's idx files."
        )
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            header = file.read(16)
            if len(header) < 16:
                raise InputError(f"{path}: truncated: {len(header)} bytes; fetch it again.")
            magic, count, height, width = struct.unpack(">IIII", header)
            # 2051, 0x00000803, is idx's mark of unsigned bytes in three axes.
            if magic != 2051 or (height, width) != (DIGIT, DIGIT) or not 0 < count <= _MAX_IMAGES:
                raise InputError(
                    f"{path}: not an idx file of 28x28 images (header {magic}, {count}, "
                    f"{height}x{width}); fetch it again."
                )
            expected = count * DIGIT * DIGIT
            # One byte more than there should be, so that a longer file is noticed.
            data = file.read(expected + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read ({error}); fetch it again.") from None
    if len(data) != expected:
        raise InputError(
            f"{path}: {count} images need {expected} bytes, found {len(data)}; truncated or "
            "damaged: fetch it again."
        )
    return np.frombuffer(data, dtype=np.uint8).reshape(count, DIGIT, DIGIT)


def sequence(
    digits: np.ndarray, index: int, seed: int, split: str, digits_per_sequence: int = 2
) -> Episode:
    """Sequence ``index``: frames uint8 (20, 1, 64, 64), a pure function of the arguments.

    digits: uint8 (N, 28, 28), those that are drawn from.

    >>> episode = sequence(np.full((3, 28, 28), 255, np.uint8), 7, seed=0, split="train")
    >>> episode.id, episode.frames.shape, episode.states.shape
    ('train-000007', (20, 1, 64, 64), (20, 0))
    """
    frames = np.zeros((FRAMES, 1, SIDE, SIDE), dtype=np.uint8)
    key = (seed, zlib.crc32(split.encode()), index)
    for which in range(digits_per_sequence):
        image = digits[randint(len(digits), *key, _IMAGE, which)]
        rows, columns = _trajectory((*key, which))
        for frame, row, column in zip(frames[:, 0], rows, columns, strict=True):
            window = frame[row : row + DIGIT, column : column + DIGIT]
            # Where digits overlap the brighter level stays, as in the original generator.
            np.maximum(window, image, out=window)
    none = np.zeros((FRAMES, 0), dtype=np.float32)
    return Episode(frames, none, none, f"{split}-{index:06d}")


def _trajectory(key: tuple[int, ...]) -> tuple[list[int], list[int]]:
    """Top-left corners (rows, columns) of a digit over the frames, in pixels."""
    angle = 2.0 * math.pi * uniform(*key, _ANGLE)
    y = uniform(*key, _Y)
    x = uniform(*key, _X)
    dy = math.sin(angle)
    dx = math.cos(angle)
    rows = []
    columns = []
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


@dataclass(frozen=True)
class Options:
    """Options of ``pixelpush prepare moving-mnist``; --raw is the folder with MNIST's idx files.

    Example:
        >>> Options(test=100).train
        10000
    """

    train: int = 10_000
    """Training sequences, from the first 55,000 training digits."""
    val: int = 1_000
    """Validation sequences, from the last 5,000 training digits."""
    test: int = 10_000
    """Test sequences, from the test digits; 10,000 is the standard protocol."""
    seed: int = 0
    """The sequences are a pure function of it."""

    def __post_init__(self):
        check_seed(self.seed)


def recognise(raw: Path) -> str | None:
    """What lies in ``raw``, where it is MNIST's idx files; else None.

    >>> recognise(Path("nowhere")) is None
    True
    """
    stem = raw / "train-images-idx3-ubyte"
    found = stem.is_file() or stem.with_name(f"{stem.name}.gz").is_file()
    return "MNIST's idx files, from which Moving MNIST is drawn" if found else None


def read(raw: Path, options: Options, log: DamageLog) -> Recording:
    """The sequences of train, val and test (those with a positive count).

    >>> read(Path("nowhere"), Options(train=0, val=0, test=0), DamageLog(0))
    Traceback (most recent call last):
    pixelpush.errors.InputError: numbers of sequences must be 0 or more, and not all 0; got ...
    """
    counts = {"train": options.train, "val": options.val, "test": options.test}
    if min(counts.values()) < 0 or sum(counts.values()) == 0:
        raise InputError(f"numbers of sequences must be 0 or more, and not all 0; got {counts}.")
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

    def entries(split: str, count: int) -> Iterator[Entry]:
        for index in range(count):
            draw = functools.partial(sequence, digits[split], index, options.seed, split)
            yield Entry(f"{split}-{index:06d}", draw)

    splits = {split: entries(split, count) for split, count in counts.items() if count}
    metadata = {"source": "moving-mnist", "digits": 2, "seed": options.seed}
    return Recording(splits, metadata, total=sum(counts.values()))
