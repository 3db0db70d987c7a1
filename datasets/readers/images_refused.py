"""Which image set lies in a folder that was taken for recordings. Nothing is prepared from one."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from pixelpush.errors import InputError

_LOOKED_AT = 3  # .npz files of a folder; episodes come in thousands
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_CIFAR_PICKLES = "CIFAR-10's Python version, which is not read; get the binary one"


def refuse_image_set(raw: Path) -> None:
    """Raise InputError where ``raw``, or the only folder in it, is an image set.

    The message says what it is, and how it is used without being prepared.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / "images.txt").touch()
    ...     (Path(folder) / "image_class_labels.txt").touch()
    ...     try:
    ...         refuse_image_set(Path(folder))
    ...     except InputError as error:
    ...         print(str(error).replace(folder, "DIR"))
    DIR: CUB-200-2011, an image set, not episodes; images are not prepared: give --data cub:DIR ...
    """
    for folder in _candidates(raw):
        for what, name, lies_here in _KINDS:
            if lies_here(folder):
                raise InputError(_refusal(folder, what, name))


def _refusal(folder: Path, what: str, name: str) -> str:
    if not name:
        return f"{folder}: {what}."
    data = name if name.startswith("tfds:") else f"{name}:{folder}"
    return (
        f"{folder}: {what}, an image set, not episodes; images are not prepared: give --data "
        f"{data} to 'pixelpush train' with an image preset, 'nll' or 'sample'."
    )


def _candidates(raw: Path) -> list[Path]:
    """The folder, and where archives put a folder of their own into it, that one."""
    if not raw.is_dir():
        return []
    inside = [path for path in raw.iterdir() if not path.name.startswith((".", "__MACOSX"))]
    return [raw, *(path for path in inside if len(inside) == 1 and path.is_dir())]


def _all(*patterns: str) -> Callable[[Path], bool]:
    return lambda folder: all(any(folder.glob(pattern)) for pattern in patterns)


def _any(*patterns: str) -> Callable[[Path], bool]:
    return lambda folder: any(any(folder.glob(pattern)) for pattern in patterns)


def _imagenet(size: int) -> Callable[[Path], bool]:
    """The publisher's npz files, or one of ``image`` (N, size, size, 3) without actions."""

    def lies_here(folder: Path) -> bool:
        published = [*folder.glob("train_data_batch_*.npz"), *folder.glob("val_data.npz")][:1]
        own = sorted(folder.glob("*.npz"))[:_LOOKED_AT]
        return any(_shape(path, "data")[1:] == (3 * size * size,) for path in published) or any(
            _shape(path, "image")[1:] == (size, size, 3) for path in own
        )

    return lies_here


def _shape(path: Path, key: str) -> tuple[int, ...]:
    """The shape in an array's header, in a file that holds no robot's numbers; else ().

    The array itself is not read: ImageNet's have hundreds of megabytes."""
    try:
        with zipfile.ZipFile(path) as archive:
            if any(name.startswith(("action", "state")) for name in archive.namelist()):
                return ()
            with archive.open(f"{key}.npy") as member:
                version = np.lib.format.read_magic(member)
                return _HEADERS[version](member)[0]
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, RuntimeError):
        return ()


def _tfds_images(folder: Path) -> bool:
    """Whether TFDS prepared images here: a feature 'image', and no steps of episodes."""
    features = folder / "features.json"
    if not features.is_file():
        return False
    text = features.read_text(errors="replace")
    return '"image"' in text and '"steps"' not in text and '"action"' not in text


_KINDS: tuple[tuple[str, str, Callable[[Path], bool]], ...] = (
    ("CUB-200-2011", "cub", _all("images.txt", "image_class_labels.txt")),
    ("MPII Human Pose", "mpii", _any("*_mpii.json", "annot/train.json", "annot/valid.json")),
    ("MS-COCO", "coco", _any("annotations/instances_*.json", "annotations/captions_*.json")),
    (
        "CIFAR-10",
        "cifar10",
        _any("cifar10_batch_*.png", "data_batch_*.bin", "test_batch.bin"),
    ),
    (_CIFAR_PICKLES, "", _all("data_batch_1", "batches.meta")),
    ("down-sampled ImageNet", "imagenet32", _imagenet(32)),
    ("down-sampled ImageNet", "imagenet64", _imagenet(64)),
    ("images that TFDS prepared", "tfds:NAME", _tfds_images),
)
