"""What samples of pixels see of the still scene."""

from __future__ import annotations

import numpy as np

from pixelpush.datasets.sim.compiled import compiled
from pixelpush.datasets.sim.still import StillSamples, StillScene

_GRAZING = 0.05  # sine of the angle under which a plane is not extended


class StillView:
    """What ``samples`` of ``pixels`` see of the still scene.

    Further samples of smooth pixels have the light of the first ones; their points lie in the first
    ones' planes. geom: int32 (samples, pixels). The samples are numbered one after the other, each
    of all pixels: number k is sample k // len(pixels).

    >>> import mujoco
    >>> from pixelpush.datasets.sim.arm import ARMS
    >>> from pixelpush.datasets.sim.rays import PixelRays, RayCaster
    >>> from pixelpush.datasets.sim.scene import build_scene
    >>> from pixelpush.datasets.sim.shading import Shader
    >>> scene = build_scene(ARMS[0], "seen", (0,))
    >>> data = mujoco.MjData(scene.model)
    >>> mujoco.mj_forward(scene.model, data)
    >>> caster = RayCaster(scene.model, data)
    >>> shader = Shader(scene, data, caster)
    >>> even = np.ones(64, np.float32)
    >>> still = StillScene(PixelRays(scene.arm, 8), caster, shader, even, (4, 16, 64), bound=14.0)
    >>> still.relight(np.arange(64), caster.everything, shader.blobs(shader.dark_bodies))
    >>> view = StillView(still, range(4), np.array([27, 28]))
    >>> view.geom.shape, view.points(np.array([1])).shape
    ((4, 2), (1, 3))
    """

    def __init__(self, still: StillScene, samples: range, pixels: np.ndarray):
        self._still = still
        self.samples = samples
        self.pixels = pixels
        self._own = samples.stop <= len(still.first)
        self._place = still.place(samples if self._own else still.first, pixels)
        self.geom = still.base.geom.take(self._place)
        if not self._own:
            self.geom = np.tile(self.geom, (len(samples) // len(still.first), 1))
            rough, place = still.further_rows(pixels)
            self.geom[:, rough] = still.more.geom.take(place)

    def rays(self, columns: np.ndarray) -> np.ndarray:
        """Unit rays, float64 (samples, n, 3), of some of the pixels: int (n,), their numbers."""
        return self._still.rays.through(self.samples, self.pixels.take(columns))

    def distance(self, columns: np.ndarray, rays: np.ndarray) -> np.ndarray:
        """How far the still scene is along rays, float64 (samples, n).

        columns: int (n,), the numbers of some of the pixels, whose ``rays`` these are."""
        place = self._place.take(columns, axis=1)
        if self._own:
            return self._still.base.distance.take(place)
        times = len(self.samples) // len(place)
        distance = self._extended(np.tile(place, (times, 1)), np.moveaxis(rays, -1, 0))
        rough, further = self._still.further_rows(self.pixels.take(columns))
        distance[:, rough] = self._still.more.distance.take(further)
        return distance

    def lit(self, numbers: np.ndarray) -> np.ndarray:
        """bool (n,): on which of some samples the key light falls."""
        lit = self._still.base.key[0].take(self._first(numbers)) > 0
        if not self._own:
            some, place = self._further(numbers)
            lit[some] = self._still.more.key[0].take(place) > 0
        return lit

    def points(self, numbers: np.ndarray) -> np.ndarray:
        """The points of some samples, float64 (n, 3)."""
        first = self._first(numbers)
        if self._own:
            return self._still.base.point.take(first, axis=0)
        count = len(self.pixels)
        sample = self.samples.start + numbers // count
        rays = self._still.rays.of(sample, self.pixels.take(numbers % count))
        points = self._still.rays.eye + rays * self._extended(first, rays.T)[:, None]
        some, place = self._further(numbers)
        points[some] = self._still.more.point.take(place, axis=0)
        return points

    def of(self, numbers: np.ndarray) -> StillSamples:
        """Some samples."""
        found = self._still.base.of(self._first(numbers))
        if not self._own:
            some, place = self._further(numbers)
            found.put(some, self._still.more.of(place))
            found.point[:] = self.points(numbers)
        return found

    def _first(self, numbers: np.ndarray) -> np.ndarray:
        """Where in ``base`` the samples are whose light and planes some samples have."""
        return self._place.ravel().take(numbers if self._own else numbers % self._place.size)

    def _further(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which of some samples are further ones of rough pixels, and where in ``more``."""
        count = len(self.pixels)
        return self._still.further_place(numbers // count, self.pixels.take(numbers % count))

    def _extended(self, place: np.ndarray, rays: np.ndarray) -> np.ndarray:
        """float64 (...): how far the planes of first samples at ``place``, int (...), are.

        rays: float64 (3, ...)."""
        base = self._still.base
        flat = rays.reshape(3, -1)
        found = np.empty(place.shape)
        eye = self._still.rays.eye
        planes = base.normal, base.point, base.distance
        _extend(place.ravel(), eye, flat, planes, found.reshape(-1))
        return found


@compiled
def _extend(place, eye, rays, planes, found):
    """The ray eye + s ray meets the plane through p with normal n at s = n.(p - eye) / n.ray.

    Under a grazing angle, and where nothing was met, no plane is sure: the distance stays."""
    normal, point, distance = planes
    for i in range(len(place)):
        k = place[i]
        level = 0.0
        slope = 0.0
        for axis in range(3):
            side = float(normal[axis, k])
            level += (point[k, axis] - eye[axis]) * side
            slope += rays[axis, i] * side
        found[i] = level / slope if abs(slope) > _GRAZING else distance[k]
