"""Down-sampled ImageNet at 32 and 64 pixels.

Expected: the publisher's npz files (https://image-net.org, "Downsampled ImageNet":
``Imagenet32_train_npz.zip`` and its like): ``train_data_batch_1.npz`` .. ``_10.npz`` and
``val_data.npz``, each with ``data`` (N, 3 s s) and ``labels`` from 1; or one ``*.npz`` with
``image`` uint8 (N, s, s, 3), which is cut into train, val and test by 8 : 1 : 1. Nothing is
unpickled. TFDS's ``downsampled_imagenet`` is opened as ``tfds:downsampled_imagenet/32x32``: it is
the set of the papers' figures; the npz one was resized otherwise, so that its figures do not
compare."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pixelpush.datasets.image_sets.base import ImageArrays, choose_split
from pixelpush.errors import InputError

WHERE = (
    "Get the down-sampled ImageNet as npz from https://image-net.org, or use "
    "tfds:downsampled_imagenet/32x32."
)


def open_imagenet(root: Path, split: str, size: int) -> ImageArrays:
    """Down-sampled ImageNet: (N, 3, size, size) images, with 1000 classes where files have labels.

    root: the folder that the module describes. split: train, val or test. Raises InputError for
    missing and damaged files.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(Path(folder) / "val_data.npz", data=np.zeros((2, 12), np.uint8), labels=[1, 9])
    ...     images = open_imagenet(Path(folder), "val", size=2)
    >>> images.images.shape, images[1].label
    ((2, 3, 2, 2), 8)
    """
    choose_split(split, ("train", "val", "test"), f"imagenet{size}")
    batches = sorted(
        root.glob("train_data_batch_*.npz"), key=lambda path: int(path.stem.rsplit("_", 1)[1])
    )
    if split != "train":
        batches = sorted(root.glob("val_data.npz"))
    if batches:
        pairs = [_publisher_batch(path, size) for path in batches]
        images, labels = (np.concatenate(arrays) for arrays in zip(*pairs, strict=True))
        return ImageArrays(f"imagenet{size}-{split}", images, labels - 1, 1000)
    for path in sorted(root.glob("*.npz")):
        arrays = _load(path)
        image = arrays.get("image")
        if image is not None and image.shape[1:] == (size, size, 3):
            cuts = [len(image) * share // 10 for share in (0, 8, 9, 10)]
            part = ("train", "val", "test").index(split)
            chosen = image[cuts[part] : cuts[part + 1]].transpose(0, 3, 1, 2)
            return ImageArrays(f"imagenet{size}-{split}", np.ascontiguousarray(chosen))
    raise InputError(f"{root}: no npz file of {size}x{size} images for the {split} split. {WHERE}")


def _publisher_batch(path: Path, size: int) -> tuple[np.ndarray, np.ndarray]:
    arrays = _load(path)
    data = arrays.get("data")
    labels = arrays.get("labels")
    if data is None or labels is None or data.ndim != 2 or data.shape[1] != 3 * size * size:
        raise InputError(
            f"{path}: needs data (N, {3 * size * size}) and labels; is it another "
            "resolution? Then name its set."
        )
    return data.reshape(-1, 3, size, size), np.asarray(labels, dtype=np.int64)


def _load(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except (ValueError, OSError, EOFError, KeyError) as error:
        raise InputError(f"{path}: not a readable npz file ({error}); download it again.") from None
