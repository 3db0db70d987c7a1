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
    """A split of a folder of images, resized to ``size``."""

    structure = 0
    has_captions = False

    def __init__(self, root: Path, split: str, size: int):
        choose_split(split, SPLITS, "a folder")
        folders = [root / name for name in SPLITS if (root / name).is_dir()]
        if folders:
            self._base = root / split
            self._paths = _images_in(self._base)
        else:
            self._base = root
            paths = _images_in(root)
            part = SPLITS.index(split)
            cuts = [len(paths) * share // 10 for share in (0, 8, 9, 10)]
            self._paths = paths[cuts[part] : cuts[part + 1]]
        if not self._paths:
            raise InputError(
                f"{self._base}: no image ({', '.join(SUFFIXES)}) of the {split} split."
            )
        tops = [path.relative_to(folder).parts for folder in folders for path in _images_in(folder)]
        names = (
            sorted({parts[0] for parts in tops}) if all(len(parts) > 1 for parts in tops) else []
        )
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


def _images_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
