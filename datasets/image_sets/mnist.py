"""MNIST, binarised.

Expected: the publisher's four idx files (gzipped or not) in one folder:
``train-images-idx3-ubyte[.gz]``, ``train-labels-idx1-ubyte[.gz]``, ``t10k-images-idx3-ubyte[.gz]``,
``t10k-labels-idx1-ubyte[.gz]``, from https://yann.lecun.com/exdb/mnist/ or one of its mirrors.
Splits: train (the first 50,000), val (the last 10,000 of the publisher's training set), test.

Binarised deterministically: a pixel is white (255) with probability grey / 255, drawn once and for
ever from a hash of (image, pixel). The published figures are on one such draw too (Larochelle &
Murray 2011), but not this one."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np

from pixelpush.datasets.hashing import hash64, mixed
from pixelpush.datasets.image_sets.base import ImageArrays, choose_split, need
from pixelpush.errors import InputError

WHERE = (
    "Get the four idx files of MNIST from https://yann.lecun.com/exdb/mnist/ or a mirror and "
    "name their folder."
)
# Images of the test split are numbered after the training ones in the hash.
_TEST_START = 60_000


def open_mnist(root: Path, split: str, binarise: bool = True) -> ImageArrays:
    """MNIST as (N, 1, 28, 28) images of 0 and 255 with ten classes.

    root: the folder that the module describes. split: train, val or test. binarise=False: images of
    256 greys. Raises InputError for missing and damaged files.

    >>> import tempfile
    >>> images = bytes([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28]) + bytes([255] * 784)
    >>> labels = bytes([0, 0, 8, 1, 0, 0, 0, 1, 7])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     size = (Path(folder) / "t10k-images-idx3-ubyte").write_bytes(images)
    ...     size = (Path(folder) / "t10k-labels-idx1-ubyte").write_bytes(labels)
    ...     test = open_mnist(Path(folder), "test")
    >>> len(test), test[0].label, int(test[0].image.min())
    (1, 7, 255)
    """
    choose_split(split, ("train", "val", "test"), "mnist")
    part = "t10k" if split == "test" else "train"
    images = read_idx(_file(root, f"{part}-images-idx3-ubyte"), 3)
    labels = read_idx(_file(root, f"{part}-labels-idx1-ubyte"), 1)
    window = {"train": slice(0, 50_000), "val": slice(50_000, 60_000), "test": slice(0, None)}[
        split
    ]
    first = _TEST_START if split == "test" else window.start
    images = images[window]
    labels = labels[window]
    if binarise:
        images = binarised(images, first)
    return ImageArrays(f"mnist-{split}", images[:, None], labels.astype(np.int64), 10)


def binarised(images: np.ndarray, first: int) -> np.ndarray:
    """uint8 images (N, H, W) drawn to 0 and 255; image n is number ``first`` + n of the hash.

    >>> grey = np.full((1, 20, 20), 51, np.uint8)  # white with probability 0.2
    >>> drawn = binarised(grey, first=0)
    >>> sorted(set(drawn.ravel().tolist())), round(float(drawn.mean() / 255), 1)
    ([0, 255], 0.2)
    """
    pixels = (
        np.arange(1, images[0].size + 1, dtype=np.uint64) if len(images) else np.zeros(0, np.uint64)
    )
    result = np.empty_like(images)
    for number, image in enumerate(images):
        values = np.uint64(hash64(28, first + number)) + np.uint64(0x9E3779B97F4A7C15) * pixels
        uniform = (mixed(values) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        result[number] = np.where(uniform.reshape(image.shape) * 255 < image, 255, 0)
    return result


# Three times the 70,000 images of MNIST.
_LARGEST = 3 * 70_000 * 28 * 28


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """The uint8 array of an idx file, gzipped where the name ends in .gz.

    dimensions: how many the array has. Raises InputError for damage and for another kind of file.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "labels"
    ...     size = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]))
    ...     read_idx(path, 1).tolist()
    [7, 2, 1]
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: damaged ({error}); download it again.") from None
    header = 4 + 4 * dimensions
    if len(data) > _LARGEST:
        raise InputError(
            f"{path}: unfolds to more than {_LARGEST} bytes; no set of MNIST does; download it "
            "again."
        )
    if len(data) < header or data[:4] != bytes([0, 0, 8, dimensions]):
        raise InputError(
            f"{path}: not an idx file of unsigned bytes with {dimensions} dimensions; download it "
            "again."
        )
    shape = tuple(np.frombuffer(data[4:header], ">u4").tolist())
    if len(data) - header != int(np.prod(shape)):
        raise InputError(f"{path}: {len(data) - header} bytes for {shape}; download it again.")
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape)


def _file(root: Path, name: str) -> Path:
    plain = root / name
    packed = root / f"{name}.gz"
    return plain if plain.is_file() else need(packed, "a file of MNIST", WHERE)
