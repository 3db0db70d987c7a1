"""From a name to a split of an image set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pixelpush.datasets.image_sets.base import ImageSet
from pixelpush.datasets.image_sets.cifar import open_cifar10
from pixelpush.datasets.image_sets.coco import CocoImages
from pixelpush.datasets.image_sets.cub import CubImages
from pixelpush.datasets.image_sets.folder import FolderImages
from pixelpush.datasets.image_sets.imagenet import open_imagenet
from pixelpush.datasets.image_sets.mnist import open_mnist
from pixelpush.datasets.image_sets.mpii import MpiiImages
from pixelpush.datasets.image_sets.tfds_images import TfdsImages
from pixelpush.datasets.objects.names import is_objects
from pixelpush.datasets.root import data_root
from pixelpush.errors import InputError
from pixelpush.files import expanded

# (root, split, size) -> set. Sets of one size of their own ignore the asked size; the caller
# compares.
IMAGE_SETS: dict[str, Callable[[Path, str, int], ImageSet]] = {
    "mnist": lambda root, split, size: open_mnist(root, split),
    "mnist-grey": lambda root, split, size: open_mnist(root, split, binarise=False),
    "cifar10": lambda root, split, size: open_cifar10(root, split),
    "imagenet32": lambda root, split, size: open_imagenet(root, split, 32),
    "imagenet64": lambda root, split, size: open_imagenet(root, split, 64),
    "cub": CubImages,
    "mpii": MpiiImages,
    "coco": CocoImages,
    "folder": FolderImages,
}


def open_images(name: str, split: str, root: str | Path | None = None, size: int = 32) -> ImageSet:
    """A split of an image set: ``len()``, ``[i]`` -> ImageExample.

    name: one of ``IMAGE_SETS``, also as ``NAME:FOLDER``; ``tfds:NAME`` for a prepared TFDS set; or
    ``sim-objects`` (``sim-objects-parts``, ``sim-objects-masks``), also as ``sim-objects:N``. root:
    the folder that the set's module describes (default: the name under the data root). size: side
    in pixels of sets whose images come in many sizes. Raises InputError for unknown names, missing
    folders and files.

    >>> open_images("birds", "train")
    Traceback (most recent call last):
    pixelpush.errors.InputError: unknown image set 'birds'; choose one of ... or tfds:NAME.
    """
    if name.startswith("tfds:"):
        return TfdsImages(name.removeprefix("tfds:"), split, None if root is None else Path(root))
    if is_objects(name):
        from pixelpush.datasets.objects import open_objects

        return open_objects(name, split, root, size)
    kind, _, folder = name.partition(":")
    if kind not in IMAGE_SETS:
        raise InputError(
            f"unknown image set {kind!r}; choose one of sim-objects, {', '.join(IMAGE_SETS)} or "
            "tfds:NAME."
        )
    if size < 1:
        raise InputError(f"the size of images must be at least 1, got {size}.")
    path = expanded(root or folder or data_root() / kind)
    if not path.is_dir():
        raise InputError(f"{path}: no such folder; name the one with {kind} as '{kind}:FOLDER'.")
    return IMAGE_SETS[kind](path, split, size)
