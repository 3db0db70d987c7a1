"""From a scene to an area-filtered image and its labels.

A pixel's level is the mean of the developed levels of samples spread over its area, each with a
point of the lamp of its own, as in the simulated bin; where a few samples disagree, more are taken.
Labels come from a grid of rays of their own and are the same at every size of the image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pixelpush.datasets.sim.blobs import Blobs
from pixelpush.datasets.sim.engine import mujoco
from pixelpush.datasets.sim.labels import project
from pixelpush.datasets.sim.lighting import develop
from pixelpush.datasets.sim.rays import PixelRays, RayCaster
from pixelpush.datasets.sim.samples import mean, most, spread
from pixelpush.datasets.sim.scene import Scene
from pixelpush.datasets.sim.shading import Shader

f32 = np.float32
GRID = 64  # rays a side of the labels
_CELL = GRID // 32
# Samples of a pixel, stage by stage, and by how many levels those of a stage must differ for the
# next. The last stage is for edges only: the grain of a floor needs no 64 samples.
SAMPLES = (4, 16, 64)
_BOUNDS = (6.0, 14.0)
_NEAR = 0.03  # metres: a part is visible where its object is first hit at most so far before it


@dataclass(frozen=True)
class ObjectLabels:
    """Where the objects of a scene are, the same at every size.

    cells: uint8 (GRID, GRID), 0 floor, 1 + k object k, of rays through the middles of a grid's
    cells. places: float32 (objects, 2), the mean x and y of what is seen of each as shares of the
    image. areas: float32 (objects,), the share of the image that each covers.

    >>> cells = np.zeros((GRID, GRID), np.uint8)
    >>> cells[:2, :2] = 1
    >>> labels = ObjectLabels(cells, np.zeros((1, 2), f32), np.array([4 / GRID**2], f32))
    >>> int(labels.masks().sum())
    1
    """

    cells: np.ndarray
    places: np.ndarray
    areas: np.ndarray

    def masks(self) -> np.ndarray:
        """uint8 (32, 32): 1 + k where object k covers at least half of the cell, else 0."""
        blocks = self.cells.reshape(32, _CELL, 32, _CELL).transpose(1, 3, 0, 2)
        return most(blocks.reshape(_CELL * _CELL, 32 * 32)).reshape(32, 32).astype(np.uint8)


class ObjectRenderer:
    """Draws and labels one scene.

    >>> from pixelpush.datasets.objects.scenes import build_scene, layout_of
    >>> renderer = ObjectRenderer(build_scene(layout_of("train", 0)))
    >>> image, segmentation = renderer.image(8)
    >>> image.shape, segmentation.shape, renderer.labels().cells.shape
    ((3, 8, 8), (8, 8), (64, 64))
    """

    def __init__(self, scene: Scene):
        self.scene, self.model = scene, scene.model
        self.data = mujoco.MjData(scene.model)
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_comPos(self.model, self.data)
        self._caster = RayCaster(self.model, self.data)
        self._shader = Shader(scene, self.data, self._caster, in_bin=False)
        self._blobs: Blobs = self._shader.blobs(list(scene.object_bodies))
        label = np.zeros(self.model.nbody + 1, np.uint8)  # [-1]: no geom
        for slot, body in enumerate(scene.object_bodies):
            label[body] = 1 + slot
        self._label = label[np.append(self.model.geom_bodyid, -1)]

    def image(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        """The image, uint8 (3, size, size), and its segmentation, uint8 (size, size).

        The segmentation is 0 for the floor, 1 + k for object k.
        """
        rays, vignette = PixelRays(self.scene.arm, size), _vignette(size)
        pixels = np.arange(size * size)
        levels, label = np.empty((3, pixels.size), f32), np.empty(pixels.size, np.uint8)
        have = np.empty((3, 0, pixels.size), f32)
        geom = np.empty((0, pixels.size), np.int32)
        starts = (0, *SAMPLES)
        for start, stop, bound in zip(starts, SAMPLES, (*_BOUNDS, np.inf), strict=False):
            light, seen = self._samples(rays, range(start, stop), pixels)
            have = np.concatenate((have, develop(light * vignette[pixels])), axis=1)
            geom = np.concatenate((geom, seen))
            levels[:, pixels] = mean(have)
            label[pixels] = most(self._label[geom])
            rough = spread(have) > bound
            mixed = (geom != geom[0]).any(axis=0)
            if start == 0:
                rough |= mixed | _outlines(geom[0].reshape(size, size)).ravel()
            else:
                rough &= mixed
            chosen = np.flatnonzero(rough)
            pixels, have, geom = pixels[chosen], have[..., chosen], geom[:, chosen]
        clean = (np.clip(levels, 0, 255) + f32(0.5)).astype(np.uint8)
        return clean.reshape(3, size, size), label.reshape(size, size)

    def labels(self) -> ObjectLabels:
        """Cells, places and areas of the objects."""
        rays = PixelRays(self.scene.arm, GRID).through(range(1), np.arange(GRID * GRID))[0]
        hits = self._caster.cast(self._eye, rays, self._caster.everything)
        cells = self._label[hits.geom].reshape(GRID, GRID)
        places, areas = [], []
        for slot in range(len(self.scene.object_bodies)):
            rows, columns = np.nonzero(cells == 1 + slot)
            areas.append(len(rows) / GRID**2)
            at = (columns.mean(), rows.mean()) if len(rows) else (0.0, 0.0)
            places.append([(value + 0.5) / GRID for value in at])
        return ObjectLabels(
            cells, np.array(places, f32).reshape(-1, 2), np.array(areas, f32).reshape(-1)
        )

    def visible(self, slot: int, points: np.ndarray) -> np.ndarray:
        """float32 (n, 3): x and y as shares of the image, and 1 where a part of an object is seen.

        slot: the object's number in the scene. points: float64 (n, 3) in metres, of its parts.
        """
        places = project(self.scene.arm, points, 1)
        there = points - self._eye
        distance = np.sqrt((there**2).sum(axis=1))
        rays = there / distance[:, None]
        hits = self._caster.cast(self._eye, rays, self._caster.everything)
        own = self._label[hits.geom] == 1 + slot
        seen = own & (hits.distance > distance - _NEAR) & (places[:, 2] > 0)
        return np.column_stack([places[:, :2] + f32(0.5), seen]).astype(f32)

    @property
    def _eye(self) -> np.ndarray:
        return PixelRays(self.scene.arm, 1).eye

    def _samples(
        self, rays: PixelRays, samples: range, pixels: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Light, float32 (3, samples, n), and geoms, int32 (samples, n), of samples of pixels."""
        count = len(samples)
        through = rays.through(samples, pixels).reshape(-1, 3)
        hits = self._caster.cast(rays.eye, through, self._caster.everything)
        point = rays.eye + through * hits.distance[:, None]
        room, key, _ = self._shader.light(hits, point, through, self._blobs)
        numbers = np.repeat(np.array(samples), len(pixels))
        self._shader.shade(key, point, numbers, self._caster.everything)
        return (room + key).reshape(3, count, -1), hits.geom.reshape(count, -1)


def _outlines(geom: np.ndarray) -> np.ndarray:
    """bool (N, N): where a pixel beside one sees another geom."""
    outline = np.zeros(geom.shape, bool)
    across, down = geom[:, 1:] != geom[:, :-1], geom[1:] != geom[:-1]
    outline[:, 1:] |= across
    outline[:, :-1] |= across
    outline[1:] |= down
    outline[:-1] |= down
    return outline


def _vignette(size: int) -> np.ndarray:
    """float32 (pixels,): a lens gives a little less light away from the middle."""
    steps = (np.arange(size, dtype=f32) + f32(0.5)) * f32(2 / size) - 1
    return (1 - f32(0.05) * (steps[:, None] ** 2 + steps[None] ** 2)).ravel()
