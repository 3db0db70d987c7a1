"""Caltech-UCSD Birds 200-2011 with captions and part locations.

Expected: the publisher's folder (https://www.vision.caltech.edu/datasets/cub_200_2011/), with
``images.txt``, ``train_test_split.txt``, ``image_class_labels.txt``, ``classes.txt``,
``parts/part_locs.txt``, ``images/``; and the captions of Reed et al. 2016
(https://github.com/reedscot/cvpr2016) as ``text_c10/<class>/<image>.txt``, one per line. Images of
which the file is absent are left out (a partial copy works); a missing caption file is an error.

Splits: train and val (every tenth) of the publisher's training images, test. The centred square of
each image is taken; structure: the 15 parts, a 1 in the 32x32 cell of each visible one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pixelpush.datasets.image_sets.base import (
    ImageExample,
    choose_split,
    digest_of,
    keypoint_map,
    need,
    read_square,
)
from pixelpush.errors import InputError

WHERE = (
    "Get CUB-200-2011 from https://www.vision.caltech.edu/datasets/cub_200_2011/ and name its "
    "folder."
)
CAPTIONS = (
    "Get the captions (text_c10) of https://github.com/reedscot/cvpr2016 and put them "
    "beside images/."
)
PARTS = 15


class CubImages:
    """A split of CUB, resized to ``size``, with class, captions and parts.

    root: the folder that the module describes. Raises InputError for missing and damaged files.

    >>> CubImages(Path("nowhere"), "train", 32)
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere/images.txt: an annotation file of CUB is missing. Get ...
    """

    structure = PARTS
    has_captions = True

    def __init__(self, root: Path, split: str, size: int):
        choose_split(split, ("train", "val", "test"), "cub")
        chosen = _images_of(root, split)
        labels = {row[0]: int(row[1]) - 1 for row in _table(root / "image_class_labels.txt", 2)}
        self.classes = len(_table(root / "classes.txt", 2))
        self._points = _part_locations(root)
        self._items = [(key, name, labels[key]) for key, name in chosen]
        self.root = root
        self.size = size
        self.name = f"cub-{split}"
        for _, name, _ in self._items:
            need(self._caption_file(name), "a caption file", CAPTIONS)
        self.content_sha256 = digest_of(
            size, self._items, [self._points[key].tolist() for key, _, _ in self._items]
        )

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> ImageExample:
        key, name, label = self._items[index]
        image, window = read_square(self.root / "images" / name, None, self.size)
        parts = self._points[key]
        structure = keypoint_map(window.points(parts[:, :2]), (parts[:, 2] > 0).tolist())
        lines = self._caption_file(name).read_text(encoding="utf-8", errors="replace").splitlines()
        captions = tuple(line.strip() for line in lines if line.strip())
        return ImageExample(name, image, label, captions, structure)

    def _caption_file(self, name: str) -> Path:
        return (self.root / "text_c10" / name).with_suffix(".txt")


def _table(path: Path, columns: int) -> list[list[str]]:
    rows = [
        line.split()
        for line in need(path, "an annotation file of CUB", WHERE).read_text().splitlines()
        if line
    ]
    for number, row in enumerate(rows, 1):
        if len(row) < columns:
            raise InputError(
                f"{path}, line {number}: expected {columns} columns, got {len(row)}; download it "
                "again."
            )
    return rows


def _images_of(root: Path, split: str) -> list[tuple[str, str]]:
    """(key, file name) of a split's images that are there; every tenth training image is val."""
    names = {row[0]: row[1] for row in _table(root / "images.txt", 2)}
    training = {row[0]: row[1] == "1" for row in _table(root / "train_test_split.txt", 2)}
    present = [(key, name) for key, name in names.items() if (root / "images" / name).is_file()]
    chosen = [item for item in present if bool(training.get(item[0])) == (split != "test")]
    if split == "val":
        chosen = chosen[9::10]
    elif split == "train":
        del chosen[9::10]
    if not chosen:
        raise InputError(f"{root}/images: no image of the {split} split. {WHERE}")
    return chosen


def _part_locations(root: Path) -> dict[str, np.ndarray]:
    """Image id -> (15, 3) of x, y, visible."""
    result: dict[str, np.ndarray] = {}
    for image, part, *numbers in _table(root / "parts" / "part_locs.txt", 5):
        result.setdefault(image, np.zeros((PARTS, 3)))[int(part) - 1] = [
            float(number) for number in numbers[:3]
        ]
    return result
