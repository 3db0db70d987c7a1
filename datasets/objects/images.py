"""A split of ``sim-objects`` as an image set: noise, class, captions, parts and masks."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pixelpush.datasets.image_sets.base import STRUCTURE_SIZE, ImageExample, keypoint_map
from pixelpush.datasets.objects.captions import Named, captions
from pixelpush.datasets.objects.names import KINDS, NAME, PARTS, parse_name
from pixelpush.datasets.sim.noise import SIGMA, add_noise, noise_floor, noise_key
from pixelpush.datasets.store import EpisodeStore

STRUCTURES = {"all": len(PARTS) + len(KINDS), "parts": len(PARTS), "masks": len(KINDS)}
"""Number of maps by what a name asks for."""


class ObjectImages:
    """The first ``images`` images of a split: ``len()``, ``[i]`` -> ImageExample.

    structure: "parts" (15 maps, as CUB has), "masks" (a map for each of the 20 kinds, as COCO has)
    or "all" (parts, then masks). Images carry sensor noise, the same at every reading; an example's
    ``noise_floor`` is the entropy of it in nats per sub-pixel.

    >>> ObjectImages(Path("nowhere"), "train")
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere: no such folder; ...
    """

    classes = len(KINDS)
    has_captions = True

    def __init__(self, path: Path, split: str, structure: str = "all", images: int | None = None):
        self._store = EpisodeStore(path, split)
        self._count = len(self._store) if images is None else images
        self._maps = structure
        self.structure = STRUCTURES[structure]
        self.split = split
        self.name = f"{NAME}/{split}"
        about = self._store.metadata["identity"]
        text = f"{about['hash']} Gaussian {SIGMA} {split} {self._count} {structure}"
        self.content_sha256 = hashlib.sha256(text.encode()).hexdigest()

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> ImageExample:
        if not 0 <= index < self._count:
            raise IndexError(f"{self.name} has {self._count} images, asked for {index}")
        episode = self._store.read(index)
        about = episode.extra
        frames = add_noise(episode.frames, noise_key(f"{NAME}/{self.split}", index))
        named = named_objects(about)
        return ImageExample(
            episode.id,
            frames[0],
            named[0].kind,
            captions(named, int(about["floor"])),
            self._structure(about),
            float(noise_floor(episode.frames)[0]),
        )

    def attributes(self, index: int) -> dict[str, np.ndarray]:
        """What ``generate_image`` says of an image beside its pixels."""
        return dict(self._store.read(index).extra)

    def _structure(self, about: Mapping[str, np.ndarray]) -> np.ndarray:
        parts = keypoint_map(about["keypoints"][:, :2], (about["keypoints"][:, 2] > 0).tolist())
        if self._maps == "parts":
            return parts
        masks = kind_masks(about["masks"], about["kinds"])
        return masks if self._maps == "masks" else np.concatenate([parts, masks])


def named_objects(about: Mapping[str, np.ndarray]) -> list[Named]:
    """The objects of an image's attributes, the main one first.

    >>> about = {"kinds": np.array([4, -1]), "colours": np.array([0, -1])}
    >>> about["places"] = np.zeros((2, 2))
    >>> [named.words for named in named_objects(about)]
    ['a red mug']
    """
    return [
        Named(int(kind), int(colour), float(x), float(y))
        for kind, colour, (x, y) in zip(
            about["kinds"], about["colours"], about["places"], strict=True
        )
        if kind >= 0
    ]


def kind_masks(cells: np.ndarray, kinds: Sequence[int] | np.ndarray) -> np.ndarray:
    """uint8 (20, 32, 32): 1 where an object of the kind covers at least half of the cell.

    cells: uint8 (32, 32), 1 + k where object k does.

    >>> kind_masks(np.ones((32, 32), np.uint8), [4, -1, -1, -1]).sum(axis=(1, 2))[3:6].tolist()
    [0, 1024, 0]
    """
    masks = np.zeros((len(KINDS), STRUCTURE_SIZE, STRUCTURE_SIZE), np.uint8)
    for slot, kind in enumerate(kinds):
        if kind >= 0:
            masks[kind] |= cells == 1 + slot
    return masks


def open_objects(
    name: str, split: str, root: str | os.PathLike[str] | None = None, size: int = 32
) -> ObjectImages:
    """A split of ``sim-objects``, ``sim-objects-parts`` or ``sim-objects-masks``.

    name: with ``:N`` for so many images of train. What is missing under ``root`` (default: the data
    root) is made first, and a line on stderr says so. Raises InputError for unknown values, a store
    of another version, or a full disk.

    >>> open_objects("sim-objects", "test")
    Traceback (most recent call last):
    pixelpush.errors.InputError: sim-objects: no split 'test'; it has train, val, test-seen, ...
    """
    # It loads the physics, which 'prepare' of recordings does without.
    from pixelpush.datasets.objects.prepare import ensure_images

    asked = parse_name(name)
    images = asked.train if split == "train" else None
    path = ensure_images(
        split,
        size,
        images,
        workers=os.cpu_count() or 1,
        root=None if root is None else Path(root),
    )
    found = ObjectImages(path, split, asked.structure, images)
    print(f"{found.name}: {len(found)} images, as prepared in {path}", file=sys.stderr)
    return found
