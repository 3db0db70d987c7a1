"""MPII Human Pose, single persons.

Expected: ``images/*.jpg`` from http://human-pose.mpi-inf.mpg.de and the annotations as JSON,
``annot/<split>.json`` (or ``<split>_mpii.json`` with the images beside it): a list of persons with
``image``, ``joints`` (16, 2), ``joints_vis`` (16), ``center`` (2) and ``scale`` (person height /
200 pixels), as in the widely used conversions of the publisher's .mat file. Captions, where asked
for: ``captions/<image stem>.txt``, one per line (https://github.com/reedscot/nips2016).

Only images with a single annotated person are kept, cropped to a square of 1.25 person heights
around the person. Structure: 17 maps, the 16 joints and, as the 17th that the paper counts, the
person's centre (our choice: the paper does not name it). Images whose file is absent are left out.
Splits: those whose JSON is there (train, val or valid, test)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from pixelpush.datasets.image_sets.base import (
    ImageExample,
    Window,
    digest_of,
    keypoint_map,
    read_square,
)
from pixelpush.errors import InputError
from pixelpush.files import read_json

WHERE = (
    "Get the images from http://human-pose.mpi-inf.mpg.de and annotations as JSON "
    "(annot/train.json, ...)."
)
JOINTS = 16
_MARGIN = 1.25


class MpiiImages:
    """A split of MPII, resized to ``size``, with joints and, if there are caption files, captions.

    root: the folder that the module describes. Raises InputError for missing and damaged files.

    >>> MpiiImages(Path("nowhere"), "train", 32)
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere: no annot/train.json and no train_mpii.json. Get the ...
    """

    classes = 0
    structure = JOINTS + 1

    def __init__(self, root: Path, split: str, size: int):
        annotations, self._images = _find(root, split)
        people = read_json(annotations)
        if not isinstance(people, list) or not all(isinstance(person, dict) for person in people):
            raise InputError(f"{annotations}: expected a list of persons; download it again.")
        alone = Counter(str(person.get("image")) for person in people)
        self._people = []
        for person in people:
            _check(person, annotations)
            if alone[person["image"]] == 1 and (self._images / person["image"]).is_file():
                self._people.append(person)
        if not self._people:
            raise InputError(
                f"{self._images}: no image of a single person of {annotations.name}. {WHERE}"
            )
        self.root = root
        self.size = size
        self.name = f"mpii-{split}"
        self.has_captions = all(self._caption_file(person).is_file() for person in self._people)
        self.content_sha256 = digest_of(size, self._people)

    def __len__(self) -> int:
        return len(self._people)

    def __getitem__(self, index: int) -> ImageExample:
        person = self._people[index]
        side = person["scale"] * 200 * _MARGIN
        left, top = (float(middle) - side / 2 for middle in person["center"])
        image, window = read_square(
            self._images / person["image"], Window(left, top, side), self.size
        )
        points = np.array([*person["joints"], person["center"]], dtype=np.float64)
        structure = keypoint_map(
            window.points(points), [bool(v) for v in person["joints_vis"]] + [True]
        )
        captions: tuple[str, ...] = ()
        if self.has_captions:
            lines = (
                self._caption_file(person)
                .read_text(encoding="utf-8", errors="replace")
                .splitlines()
            )
            captions = tuple(line.strip() for line in lines if line.strip())
        return ImageExample(person["image"], image, -1, captions, structure)

    def _caption_file(self, person: dict) -> Path:
        return (self.root / "captions" / person["image"]).with_suffix(".txt")


def _find(root: Path, split: str) -> tuple[Path, Path]:
    for name in [split, "valid"] if split == "val" else [split]:
        for file, images in (
            (root / "annot" / f"{name}.json", root / "images"),
            (root / f"{name}_mpii.json", root),
        ):
            if file.is_file():
                return file, images
    raise InputError(f"{root}: no annot/{split}.json and no {split}_mpii.json. {WHERE}")


def _check(person: dict, file: Path) -> None:
    what = f"{file}: person in {person.get('image')!r}"
    for key in ("image", "joints", "joints_vis", "center", "scale"):
        if key not in person:
            raise InputError(f"{what} has no {key!r}; download it again.")
    if np.shape(person["joints"]) != (JOINTS, 2) or len(person["joints_vis"]) != JOINTS:
        raise InputError(
            f"{what}: expected {JOINTS} joints, got {np.shape(person['joints'])}; download it "
            "again."
        )
    if not person["scale"] > 0:
        raise InputError(f"{what}: scale {person['scale']} is not positive; download it again.")
