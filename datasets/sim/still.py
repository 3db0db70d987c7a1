"""What never moves in an episode: lit once, at every sample that a frame may ask for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pixelpush.datasets.sim.blobs import DARKENING_HEIGHT, DARKENING_REACH, Blobs
from pixelpush.datasets.sim.lighting import develop
from pixelpush.datasets.sim.rays import PixelRays, RayCaster
from pixelpush.datasets.sim.samples import mean, spread
from pixelpush.datasets.sim.shading import Shader

f32 = np.float32
_SKY = 5.0  # metres: where rays that meet nothing end
_AT_ONCE = 1 << 14  # rays whose arrays a processor's cache holds


@dataclass(frozen=True)
class StillSamples:
    """Samples of the still scene, n of them in a row.

    room and key light and normal: float32 (3, n). distance: float64 (n,). geom: int32 (n,). point:
    float64 (n, 3).

    >>> samples = StillSamples.room_for(5)
    >>> samples.room.shape, samples.point.shape
    ((3, 5), (5, 3))
    """

    room: np.ndarray
    key: np.ndarray
    normal: np.ndarray
    distance: np.ndarray
    geom: np.ndarray
    point: np.ndarray

    @classmethod
    def room_for(cls, count: int) -> StillSamples:
        """Arrays for ``count`` samples, to be filled.

        >>> StillSamples.room_for(5).geom.shape
        (5,)
        """
        return cls(
            np.empty((3, count), f32),
            np.empty((3, count), f32),
            np.empty((3, count), f32),
            np.empty(count),
            np.empty(count, np.int32),
            np.empty((count, 3)),
        )

    def of(self, index: np.ndarray) -> StillSamples:
        """A copy of some of them.

        >>> StillSamples.room_for(5).of(np.array([0, 2])).key.shape
        (3, 2)
        """
        return StillSamples(
            self.room.take(index, axis=1),
            self.key.take(index, axis=1),
            self.normal.take(index, axis=1),
            self.distance.take(index),
            self.geom.take(index),
            self.point.take(index, axis=0),
        )

    def put(self, index: np.ndarray | slice, part: StillSamples) -> None:
        """Take over ``part`` as some of them, in place.

        >>> samples = StillSamples.room_for(3)
        >>> other = StillSamples.room_for(1)
        >>> other.geom[:] = 7
        >>> samples.put(np.array([1]), other)
        >>> int(samples.geom[1])
        7
        """
        for colour in range(3):
            self.room[colour, index] = part.room[colour]
            self.key[colour, index] = part.key[colour]
            self.normal[colour, index] = part.normal[colour]
        self.distance[index] = part.distance
        self.geom[index] = part.geom
        self.point[index] = part.point

    def beside(self, other: StillSamples) -> StillSamples:
        """These samples, then others.

        >>> StillSamples.room_for(2).beside(StillSamples.room_for(3)).distance.shape
        (5,)
        """
        return StillSamples(
            np.concatenate((self.room, other.room), axis=1),
            np.concatenate((self.key, other.key), axis=1),
            np.concatenate((self.normal, other.normal), axis=1),
            np.concatenate((self.distance, other.distance)),
            np.concatenate((self.geom, other.geom)),
            np.concatenate((self.point, other.point)),
        )


class StillScene:
    """What stands still, lit at the samples that a frame may ask for.

    These are the first ``counts[-2]`` samples of every pixel, and ``counts[-1]`` of those where
    these differ by more than ``bound`` levels. room, key: the mean light of all samples, float32
    (3, pixels); unevenness: by how many levels the mean of the developed samples exceeds the
    developed mean. geom: int32 (samples, pixels) and point: float64 (samples, pixels, 3), of the
    first samples. first_point, first_normal: float32 (3, pixels), of the very first.

    >>> import mujoco
    >>> from pixelpush.datasets.sim.arm import ARMS
    >>> from pixelpush.datasets.sim.scene import build_scene
    >>> scene = build_scene(ARMS[0], "seen", (0,))
    >>> data = mujoco.MjData(scene.model)
    >>> mujoco.mj_forward(scene.model, data)
    >>> caster = RayCaster(scene.model, data)
    >>> shader = Shader(scene, data, caster)
    >>> rays = PixelRays(scene.arm, 8)
    >>> still = StillScene(rays, caster, shader, np.ones(64, f32), (4, 16, 64), bound=14.0)
    >>> still.relight(np.arange(64), caster.everything, shader.blobs(shader.dark_bodies))
    >>> still.geom.shape, still.room.shape, bool(still.lit.any())
    ((16, 64), (3, 64), True)
    """

    def __init__(
        self,
        rays: PixelRays,
        caster: RayCaster,
        shader: Shader,
        vignette: np.ndarray,
        counts: tuple[int, ...],
        bound: float,
    ):
        self.rays = rays
        self._caster = caster
        self._shader = shader
        self._vignette = vignette
        self._bound = bound
        self.first = range(counts[-2])
        self._further = range(counts[-2], counts[-1])
        self._pixels = pixels = len(vignette)
        self.base = StillSamples.room_for(len(self.first) * pixels)
        self.geom = self.base.geom.reshape(-1, pixels)
        self.point = self.base.point.reshape(-1, pixels, 3)
        self.first_normal = self.base.normal[:, :pixels]
        self.first_point = np.zeros((3, pixels), f32)
        self.more = StillSamples.room_for(0)
        self._rough = np.zeros(0, int)
        self.room, self.key, self.unevenness = (np.zeros((3, pixels), f32) for _ in range(3))

    @property
    def lit(self) -> np.ndarray:
        """bool (pixels,): where some of the first samples has key light."""
        return self.base.key.reshape(3, -1, self._pixels).max(axis=(0, 1)) > 0

    def relight(self, pixels: np.ndarray, bodies: np.ndarray, blobs: Blobs) -> None:
        """Look at some pixels anew: what stands still, its light and its shadows have changed.

        bodies: bool (bodies,), what stands still; blobs: of it."""
        fresh = self._light(self.first, pixels, bodies, blobs)
        self.base.put(self.place(self.first, pixels).ravel(), fresh)
        self.first_point[:, pixels] = fresh.point[: len(pixels)].T
        vignette = self._vignette[pixels]
        room, key = (light.reshape(3, len(self.first), -1) for light in (fresh.room, fresh.key))
        developed = develop((room + key) * vignette)
        rough = np.flatnonzero(spread(developed) > self._bound)
        more = self._light(self._further, pixels[rough], bodies, blobs)
        self._keep(pixels, pixels[rough], more)
        mean_room = mean(room)
        mean_key = mean(key)
        levels = mean(developed)
        more_room, more_key = (
            light.reshape(3, len(self._further), -1) for light in (more.room, more.key)
        )
        further = develop((more_room + more_key) * vignette[rough])
        mean_room[:, rough] = mean(np.concatenate((room[..., rough], more_room), axis=1))
        mean_key[:, rough] = mean(np.concatenate((key[..., rough], more_key), axis=1))
        levels[:, rough] = mean(np.concatenate((developed[..., rough], further), axis=1))
        self.room[:, pixels] = mean_room
        self.key[:, pixels] = mean_key
        # mean(develop(x)) - develop(mean(x)): not 0, because the tone curve is not linear. Where
        # the light of a pixel changes later, only the second term is computed anew.
        self.unevenness[:, pixels] = levels - develop((mean_room + mean_key) * vignette)

    def place(self, samples: range, pixels: np.ndarray) -> np.ndarray:
        """Where samples of pixels are in ``base``: int (samples, pixels)."""
        return np.array(samples)[:, None] * self._pixels + pixels

    def further_rows(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which pixels are rough, int (m,), and where all their further samples are in ``more``.

        The second one is int (further samples, m)."""
        slot = self._slot.take(pixels)
        rough = np.flatnonzero(slot >= 0)
        return rough, np.arange(len(self._further))[:, None] * len(self._rough) + slot.take(rough)

    def further_place(self, sample: np.ndarray, pixel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which further samples are a rough pixel's own, and where in ``more``: int (m,) twice.

        sample, counted from the first further one, and pixel: int (n,)."""
        slot = self._slot.take(pixel)
        some = np.flatnonzero(slot >= 0)
        return some, sample.take(some) * len(self._rough) + slot.take(some)

    def beside(self, blobs: Blobs) -> np.ndarray:
        """bool (pixels,): where the blobs may darken the room's light."""
        x, y, z = np.moveaxis(self.point, -1, 0)
        touched = np.zeros(self._pixels, bool)
        for (a, b, c), radius in zip(blobs.centre, blobs.radius, strict=True):
            reach = DARKENING_REACH * radius + 0.02
            close = (np.abs(x - a) < reach) & (np.abs(y - b) < reach)
            touched |= (close & (np.abs(z - c) < DARKENING_HEIGHT + 0.02)).any(axis=0)
        return touched

    def _keep(self, changed: np.ndarray, rough: np.ndarray, more: StillSamples) -> None:
        """Keep further samples of rough pixels, in the place of all that changed pixels had."""
        rows = np.arange(len(self._further))[:, None]
        kept = np.flatnonzero(~np.isin(self._rough, changed))
        old = rows * len(self._rough) + kept
        new = len(self.more.geom) + rows * len(rough) + np.arange(len(rough))
        self.more = self.more.beside(more).of(np.concatenate((old, new), axis=1).ravel())
        self._rough = np.concatenate((self._rough[kept], rough))
        self._slot = np.full(self._pixels, -1)
        self._slot[self._rough] = np.arange(len(self._rough))

    def _light(
        self, samples: range, pixels: np.ndarray, bodies: np.ndarray, blobs: Blobs
    ) -> StillSamples:
        """Samples of pixels, one sample after the other."""
        count = len(pixels)
        made = StillSamples.room_for(len(samples) * count)
        rows = max(1, _AT_ONCE // max(1, count))
        for start in range(0, len(samples), rows):
            some = samples[start : start + rows]
            rays = self.rays.through(some, pixels).reshape(-1, 3)
            hits = self._caster.cast(self.rays.eye, rays, bodies)
            distance = np.where(hits.geom < 0, _SKY, hits.distance)
            point = self.rays.eye + rays * distance[:, None]
            room, key, normal = self._shader.light(hits, point, rays, blobs)
            self._shader.shade(key, point, np.repeat(some, count), bodies)
            part = StillSamples(room, key, normal, distance, hits.geom, point)
            made.put(slice(start * count, start * count + len(rays)), part)
        return made
