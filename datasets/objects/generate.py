"""One image of ``sim-objects`` from (split, number, size): the clean render and its labels."""

from __future__ import annotations

import hashlib
import json

import numpy as np

from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.objects.names import MOST_OBJECTS, NAME, PARTS
from pixelpush.datasets.objects.renderer import ObjectRenderer
from pixelpush.datasets.objects.scenes import build_scene, layout_of
from pixelpush.datasets.sim.engine import mujoco

# Raise it with every change that alters a single byte of any image; stores of other versions are
# refused.
VERSION = 1
_LEAST_AREA = 0.004  # an object of which less is seen, as a share of the image, is not named


def identity(size: int) -> dict[str, str | int]:
    """What decides the bytes of every image, with a hash of it under "hash".

    >>> sorted(identity(32))
    ['hash', 'laboratory', 'mujoco', 'renderer', 'scene', 'size']
    """
    parts = {
        "laboratory": NAME,
        "scene": VERSION,
        "mujoco": mujoco.__version__,
        "renderer": "mj_multiRay, 4 to 64 samples",
        "size": size,
    }
    text = json.dumps(parts, sort_keys=True)
    return {**parts, "hash": hashlib.sha256(text.encode()).hexdigest()[:16]}


def generate_image(laboratory: str, split: str, number: int, size: int) -> Episode:
    """The clean image as an episode of one frame, uint8 (1, 3, size, size), without states.

    extra, with the objects in the order of how much is seen of them, the main one first:
    ``kinds``, ``colours`` int16 (4,), -1 where there is none; ``places`` float32 (4, 2), mean x and
    y as shares of the image; ``areas`` float32 (4,), shares of the image; ``floor`` int16 ();
    ``keypoints`` float32 (15, 3), x, y and visibility of the main object's parts; ``masks`` uint8
    (32, 32) and ``segmentation`` uint8 (size, size), 0 floor, 1 + k object k.

    >>> image = generate_image("sim-objects", "train", 0, size=8)
    >>> image.frames.shape, image.extra["masks"].shape, bool(image.extra["kinds"][0] >= 0)
    ((1, 3, 8, 8), (32, 32), True)
    """
    layout = layout_of(split, number)
    renderer = ObjectRenderer(build_scene(layout))
    image, segmentation = renderer.image(size)
    labels = renderer.labels()
    order = [
        int(slot)
        for slot in np.argsort(-labels.areas, kind="stable")
        if labels.areas[slot] >= _LEAST_AREA
    ]
    renamed = np.zeros(1 + MOST_OBJECTS, np.uint8)
    for new, slot in enumerate(order):
        renamed[1 + slot] = 1 + new
    things = [layout.objects[slot].thing for slot in order]
    return Episode(
        frames=image[None],
        states=np.zeros((1, 0), np.float32),
        actions=np.zeros((1, 0), np.float32),
        id=f"{split}-{number:07d}",
        extra={
            "kinds": _padded(np.array([thing.kind for thing in things], np.int16), -1),
            "colours": _padded(np.array([thing.colour for thing in things], np.int16), -1),
            "places": _padded(labels.places[order], 0),
            "areas": _padded(labels.areas[order], 0),
            "floor": np.array(layout.floor, np.int16),
            "keypoints": _keypoints(renderer, layout.objects[order[0]].points(), order[0]),
            "masks": renamed[labels.masks()],
            "segmentation": renamed[segmentation],
        },
    )


def _padded(values: np.ndarray, fill: int) -> np.ndarray:
    whole = np.full((MOST_OBJECTS, *values.shape[1:]), fill, values.dtype)
    whole[: len(values)] = values
    return whole


def _keypoints(renderer: ObjectRenderer, points: dict[str, np.ndarray], slot: int) -> np.ndarray:
    """float32 (15, 3): x, y, visible of the parts that the object has; zeros for the others."""
    found = np.zeros((len(PARTS), 3), np.float32)
    rows = [PARTS.index(name) for name in points]
    found[rows] = renderer.visible(slot, np.stack(list(points.values())))
    return found
