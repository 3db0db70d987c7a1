"""Any folder of PNG, JPEG or WebP images: ``folder`` with ``<root>/<split>/**`` (or all of
``<root>``, cut 8 : 1 : 1).

Each image's centred square is resized to the asked size. With split folders whose images all lie in
sub-folders, these are the classes: the names of all splits together, in sorted order."""

from __future__ import annotations

from pathlib import Path

from pixelpush.datasets.image_sets.base import ImageExample, choose_split, digest_of, read_square
from pixelpush.errors import InputError

SPLITS = ("train", "val", "test")
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


class FolderImages:
    """A split of a folder of images, resized to ``size``.

    root: the folder that the module describes. Raises InputError where the split has no image.

    >>> import tempfile
    >>> import numpy as np
    >>> from pixelpush.datasets.images import encode_png
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "test" / "cats" / "a.png"
    ...     path.parent.mkdir(parents=True)
    ...     size = path.write_bytes(encode_png(np.zeros((6, 8, 3), np.uint8)))
    ...     images = FolderImages(Path(folder), "test", 4)
    ...     images.classes, images[0].id, images[0].image.shape
    (1, 'cats/a.png', (3, 4, 4))
    """

    structure = 0
    has_captions = False

    def __init__(self, root: Path, split: str, size: int):
        choose_split(split, SPLITS, "a folder")
        folders = [root / name for name in SPLITS if (root / name).is_dir()]
        self._base = root / split if folders else root
        self._paths = _images_in(self._base)
        if not folders:
            self._paths = _tenths(self._paths, split)
        if not self._paths:
            raise InputError(
                f"{self._base}: no image ({', '.join(SUFFIXES)}) of the {split} split; put "
                "some there, or choose another split."
            )
        names = _class_names(folders)
        self._labels = {name: number for number, name in enumerate(names)}
        self.classes = len(names)
        self.size = size
        self.name = f"folder-{root.name}-{split}"
        self.content_sha256 = digest_of(
            size, [(str(p.relative_to(root)), p.stat().st_size) for p in self._paths]
        )

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, index: int) -> ImageExample:
        path = self._paths[index]
        relative = path.relative_to(self._base)
        label = self._labels[relative.parts[0]] if self._labels else -1
        return ImageExample(str(relative), read_square(path, None, self.size)[0], label)


def _tenths(paths: list[Path], split: str) -> list[Path]:
    """A split of images that have none: eight tenths, a tenth and a tenth, in order."""
    part = SPLITS.index(split)
    cuts = [len(paths) * share // 10 for share in (0, 8, 9, 10)]
    return paths[cuts[part] : cuts[part + 1]]


def _class_names(folders: list[Path]) -> list[str]:
    """Names of the splits' sub-folders, where every image lies in one; else there are no
    classes."""
    tops = [path.relative_to(folder).parts for folder in folders for path in _images_in(folder)]
    classed = all(len(parts) > 1 for parts in tops)
    return sorted({parts[0] for parts in tops}) if classed else []


def _images_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
