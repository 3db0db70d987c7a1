"""MS-COCO 2017 (or 2014) with captions and 80-class segmentations.

Expected: the publisher's folder (https://cocodataset.org/#download):
``annotations/captions_<set>.json``, ``annotations/instances_<set>.json`` and the images in
``<set>/``, with <set> ``train2017`` and ``val2017``, or 2014. Splits: train, val. Images of which
the file is absent are left out. The centred square of each image is taken.

Structure: 80 maps of 32x32, a 1 where the class covers at least half of the cell (categories in
order of their ids)."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pixelpush.datasets.image_sets.base import (
    STRUCTURE_SIZE,
    ImageExample,
    Window,
    choose_split,
    digest_of,
    need,
    read_square,
)
from pixelpush.errors import InputError
from pixelpush.files import read_json

# Annotations of the instances of train2017 have 469 MB.
LARGEST = 1 << 30
WHERE = "Get images and annotations from https://cocodataset.org/#download and name their folder."


class CocoImages:
    """A split of COCO, resized to ``size``, with captions and class masks.

    root: the folder that the module describes. Raises InputError for missing and damaged files.

    >>> CocoImages(Path("nowhere"), "train", 32)
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere/annotations/instances_train2017.json: an annotation ...
    """

    classes = 0
    has_captions = True

    def __init__(self, root: Path, split: str, size: int):
        choose_split(split, ("train", "val"), "coco")
        part = _part(root, split)
        instances = _read(
            root / f"annotations/instances_{part}.json", ("images", "annotations", "categories")
        )
        captions = _read(root / f"annotations/captions_{part}.json", ("annotations",))
        self._captions = _group(captions, "caption")
        self._instances = _group(instances, None)
        ids = sorted(category["id"] for category in instances["categories"])
        self._categories = {category: number for number, category in enumerate(ids)}
        self.structure = len(ids)
        self._folder = root / part
        self._images = _present(instances["images"], self._folder)
        silent = [
            image["file_name"] for image in self._images if not self._captions.get(image["id"])
        ]
        if silent:
            raise InputError(
                f"{root}/annotations/captions_{part}.json: no caption of {silent[0]}; download it "
                "again."
            )
        self.size = size
        self.name = f"coco-{split}"
        self.content_sha256 = digest_of(size, part, [image["id"] for image in self._images])

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> ImageExample:
        entry = self._images[index]
        image, window = read_square(self._folder / entry["file_name"], None, self.size)
        masks = np.zeros((self.structure, STRUCTURE_SIZE, STRUCTURE_SIZE), np.uint8)
        for instance in self._instances.get(entry["id"], []):
            whole = instance_mask(
                instance["segmentation"], entry["height"], entry["width"], entry["file_name"]
            )
            masks[self._categories[instance["category_id"]]] |= cells(whole, window)
        captions = tuple(str(caption).strip() for caption in self._captions[entry["id"]])
        return ImageExample(entry["file_name"], image, -1, captions, masks)


def _read(path: Path, keys: tuple[str, ...]) -> Any:
    content = read_json(need(path, "an annotation file of COCO", WHERE), LARGEST)
    missing = [key for key in keys if not isinstance(content, dict) or key not in content]
    if missing:
        raise InputError(f"{path}: no {missing[0]!r}; is it a COCO annotation file?")
    return content


def _group(annotations: Any, key: str | None) -> dict[int, list]:
    grouped: dict[int, list] = defaultdict(list)
    for item in annotations["annotations"]:
        grouped[item["image_id"]].append(item if key is None else item[key])
    return dict(grouped)


def _part(root: Path, split: str) -> str:
    """The split with the year of the annotations that are there, 2017 before 2014."""
    for year in ("2017", "2014"):
        if (root / f"annotations/instances_{split}{year}.json").is_file():
            return f"{split}{year}"
    return f"{split}2017"


def _present(images: Any, folder: Path) -> list[Any]:
    """The annotated images whose files are there, by their ids."""
    found = [image for image in images if (folder / image["file_name"]).is_file()]
    if not found:
        raise InputError(f"{folder}: none of the annotated images is there. {WHERE}")
    return sorted(found, key=lambda image: image["id"])


def instance_mask(segmentation: Any, height: int, width: int, what: str) -> np.ndarray:
    """uint8 (height, width) of 0 and 1 from one instance's segmentation.

    segmentation: COCO polygons (lists of x, y) or an uncompressed RLE (column-major). ``what``
    names the image in errors. Raises InputError for any other form.

    >>> instance_mask({"counts": [2, 1, 1]}, height=2, width=2, what="a.jpg").tolist()
    [[0, 1], [0, 0]]
    """
    mask = np.zeros((height, width), np.uint8)
    if isinstance(segmentation, list):
        for polygon in segmentation:
            # Eight bits of sub-pixel position; COCO's coordinates are corners of pixels.
            points = (np.array(polygon, dtype=np.float64).reshape(-1, 2) - 0.5) * 256
            cv2.fillPoly(mask, [np.round(points).astype(np.int32)], (1,), shift=8)
        return mask
    counts = segmentation.get("counts") if isinstance(segmentation, dict) else None
    if not isinstance(counts, list) or sum(counts) != height * width:
        raise InputError(
            f"{what}: a segmentation is neither polygons nor run lengths of {height}x{width} "
            "pixels; download it again."
        )
    values = np.arange(len(counts)) % 2
    return np.repeat(values, counts).astype(np.uint8).reshape(width, height).T


def cells(mask: np.ndarray, window: Window) -> np.ndarray:
    """uint8 (32, 32): 1 where the mask covers at least half of a cell of the window.

    >>> mask = np.zeros((64, 64), np.uint8)
    >>> mask[:2, :3] = 1  # all of the first cell, half of the next
    >>> cells(mask, Window(0, 0, 64))[0, :3].tolist()
    [1, 1, 0]
    """
    left = int(window.left)
    top = int(window.top)
    side = int(window.side)
    square = np.ascontiguousarray(mask[top : top + side, left : left + side], dtype=np.float32)
    method = cv2.INTER_AREA if side > STRUCTURE_SIZE else cv2.INTER_NEAREST
    share = cv2.resize(square, (STRUCTURE_SIZE, STRUCTURE_SIZE), interpolation=method)
    return (share >= 0.5).astype(np.uint8)
