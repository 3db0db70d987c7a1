"""Any folder of PNG, JPEG or WebP images: ``folder`` with ``<root>/<split>/**`` (or all of ``<root>``, cut 8 : 1 : 1).

Each image's centred square is resized to the asked size. Where a split's images all lie in sub-folders, these are the
classes, in sorted order.
"""

from __future__ import annotations

from pathlib import Path

from pixelpush.datasets.image_sets.base import ImageExample, choose_split, digest_of, read_square
from pixelpush.errors import InputError

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


class FolderImages:
    """A split of a folder of images, resized to ``size``."""

    structure = 0
    has_captions = False

    def __init__(self, root: Path, split: str, size: int):
        choose_split(split, ("train", "val", "test"), "a folder")
        own = root / split
        self._base = own if own.is_dir() else root
        paths = sorted(path for path in self._base.rglob("*") if path.suffix.lower() in SUFFIXES)
        if own.is_dir():
            self._paths = paths
        else:
            part, cuts = ("train", "val", "test").index(split), [len(paths) * share // 10 for share in (0, 8, 9, 10)]
            self._paths = paths[cuts[part] : cuts[part + 1]]
        if not self._paths:
            raise InputError(f"{self._base}: no image ({', '.join(SUFFIXES)}) of the {split} split.")
        tops = [path.relative_to(self._base).parts for path in paths]
        names = sorted({parts[0] for parts in tops}) if own.is_dir() and all(len(p) > 1 for p in tops) else []
        self._labels = {name: number for number, name in enumerate(names)}
        self.classes, self.size, self.name = len(names), size, f"folder-{root.name}-{split}"
        self.content_sha256 = digest_of(size, [(str(p.relative_to(root)), p.stat().st_size) for p in self._paths])

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, index: int) -> ImageExample:
        path = self._paths[index]
        relative = path.relative_to(self._base)
        label = self._labels[relative.parts[0]] if self._labels else -1
        return ImageExample(str(relative), read_square(path, None, self.size)[0], label)
