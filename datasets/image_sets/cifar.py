"""CIFAR-10.

Expected, either: the publisher's *binary* version (https://www.cs.toronto.edu/~kriz/cifar.html,
``cifar-10-binary.tar.gz``), a folder with ``data_batch_1.bin`` .. ``data_batch_5.bin`` and
``test_batch.bin``; the Python version is a pickle, which can run code, and is not read. Or PNG
sheets, ``cifar10_batch_<n>.png`` with one image per row of 1024 pixels, numbered from 0 (50 and up:
test), and ``cifar10_labels.js``, the labels of all.

Splits: train, val (the publisher's last training batch, or the last tenth of the training sheets),
test."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from pixelpush.datasets.image_sets.base import ImageArrays, choose_split, need
from pixelpush.datasets.images import decode_image
from pixelpush.errors import InputError

WHERE = (
    "Get the binary version of CIFAR-10 from https://www.cs.toronto.edu/~kriz/cifar.html and "
    "name its folder."
)
_RECORD = 1 + 3 * 32 * 32
_TEST_SHEET = 50  # sheets of 1,000 images: 0 to 49 are training


def open_cifar10(root: Path, split: str) -> ImageArrays:
    """CIFAR-10 as (N, 3, 32, 32) images with ten classes.

    root: the folder that the module describes. split: train, val or test. Raises InputError for
    missing and damaged files.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     size = (Path(folder) / "test_batch.bin").write_bytes(bytes([7]) + bytes(3072))
    ...     images = open_cifar10(Path(folder), "test")
    >>> images.images.shape, images[0].label
    ((1, 3, 32, 32), 7)
    """
    choose_split(split, ("train", "val", "test"), "cifar10")
    sheets = sorted(
        root.glob("cifar10_batch_*.png"), key=lambda path: int(path.stem.rsplit("_", 1)[1])
    )
    images, labels = _from_sheets(root, sheets, split) if sheets else _from_binary(root, split)
    return ImageArrays(f"cifar10-{split}", images, labels, 10)


def _from_binary(root: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    names = {"train": [f"data_batch_{n}.bin" for n in range(1, 5)], "val": ["data_batch_5.bin"]}
    records = []
    for name in names.get(split, ["test_batch.bin"]):
        path = need(root / name, "a batch of CIFAR-10", WHERE)
        data = np.frombuffer(path.read_bytes(), np.uint8)
        if data.size == 0 or data.size % _RECORD:
            raise InputError(
                f"{path}: {data.size} bytes are no whole number of images; download it again."
            )
        records.append(data.reshape(-1, _RECORD))
    joined = np.concatenate(records)
    return joined[:, 1:].reshape(-1, 3, 32, 32), joined[:, 0].astype(np.int64)


def _from_sheets(root: Path, sheets: list[Path], split: str) -> tuple[np.ndarray, np.ndarray]:
    text = need(
        root / "cifar10_labels.js", "the list of labels", "It belongs beside the sheets."
    ).read_text()
    try:
        all_labels = json.loads(text[text.index("[") : text.rindex("]") + 1])
    except ValueError:
        raise InputError(
            f"{root}/cifar10_labels.js: not a list of labels; download it again."
        ) from None
    images = []
    labels = []
    for sheet in sheets:
        number = int(sheet.stem.rsplit("_", 1)[1])
        if (number >= _TEST_SHEET) != (split == "test"):
            continue
        rows = decode_image(sheet.read_bytes(), str(sheet))
        # A row of a sheet is one image, its 32 rows joined into 1,024 pixels.
        if rows.shape[1] != 1024:
            raise InputError(
                f"{sheet}: rows of {rows.shape[1]} pixels; a row is one image of 1024; "
                "fetch it again."
            )
        images.append(rows.reshape(-1, 32, 32, 3).transpose(0, 3, 1, 2))
        labels += all_labels[number * 1000 : number * 1000 + len(rows)]
    if not images:
        raise InputError(f"{root}: no sheet of the {split} split; fetch it.")
    joined = np.concatenate(images)
    numbers = np.array(labels, dtype=np.int64)
    cut = len(joined) * 9 // 10
    window = {"train": slice(0, cut), "val": slice(cut, None), "test": slice(0, None)}[split]
    return np.ascontiguousarray(joined[window]), numbers[window]
