"""What never moves in an episode: lit once, at every sample that a frame may ask for."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from pixelpush.datasets.sim.lighting import Blobs, develop
from pixelpush.datasets.sim.rays import ONLY_STILL, PixelRays, cast
from pixelpush.datasets.sim.samples import mean
from pixelpush.datasets.sim.shading import Shader

f32 = np.float32
_GRAZING = 0.05  # sine of the angle under which a plane is not extended
_SKY = 5.0  # metres: where rays that meet nothing end


@dataclass(frozen=True)
class StillSamples:
    """Of s samples of n pixels: room and key light, normal float32 (s, 3, n); distance float64,
    geom int32 (s, n); point float64 (s, n, 3)."""

    room: np.ndarray
    key: np.ndarray
    normal: np.ndarray
    distance: np.ndarray
    geom: np.ndarray
    point: np.ndarray

    def of(self, pixels: np.ndarray) -> StillSamples:
        """A copy of these samples of some pixels."""
        return StillSamples(
            self.room[..., pixels],
            self.key[..., pixels],
            self.normal[..., pixels],
            self.distance[:, pixels],
            self.geom[:, pixels],
            self.point[:, pixels],
        )


class StillScene:
    """The still scene in the pose of ``data``, at the first ``counts[-2]`` samples of every pixel
    and at ``counts[-1]`` of those where these differ by more than ``bound`` levels.

    levels: float32 (3, pixels), what a frame without anything moving has. labels: uint8 (pixels,).
    first: the first sample's points and normals, float32 (3, pixels), and bodies (pixels,).
    """

    def __init__(
        self,
        data: mujoco.MjData,
        rays: PixelRays,
        shader: Shader,
        blobs: Blobs,
        vignette: np.ndarray,
        counts: tuple[int, ...],
        bound: float,
    ):
        self._data, self._rays, self._shader, self._blobs = data, rays, shader, blobs
        everywhere = np.arange(len(vignette))
        base = range(counts[-2])
        self.base = self._light(base, everywhere)
        self.first_normal = self.base.normal[0]
        self.first_point = np.ascontiguousarray(self.base.point[0].T.astype(f32))
        self.first_body = shader.body[self.base.geom[0]]
        developed = develop((self.base.room + self.base.key) * vignette)
        spread = (developed.max(axis=0) - developed.min(axis=0)).max(axis=0)
        self.rough = np.flatnonzero(spread > bound)
        self._slot = np.full(len(vignette), -1)
        self._slot[self.rough] = np.arange(len(self.rough))
        self._more = self._light(range(base.stop, counts[-1]), self.rough)
        self.room, self.key = mean(self.base.room), mean(self.base.key)
        levels = mean(developed)
        for mine, base_part, more_part in (
            (self.room, self.base.room, self._more.room),
            (self.key, self.base.key, self._more.key),
            (
                levels,
                developed,
                develop((self._more.room + self._more.key) * vignette[self.rough]),
            ),
        ):
            mine[:, self.rough] = mean(np.concatenate((base_part[..., self.rough], more_part)))
        # Developing the mean light misses the samples' mean level by this, nearly however dim.
        self.unevenness = levels - develop((self.room + self.key) * vignette)

    def take(self, samples: range, pixels: np.ndarray) -> StillSamples:
        """A copy of some samples. Further ones of smooth pixels have the light of the first ones;
        their points lie in the first ones' planes."""
        base = len(self.base.geom)
        if samples.stop <= base:
            part = slice(samples.start, samples.stop)
            return StillSamples(
                self.base.room[part],
                self.base.key[part],
                self.base.normal[part],
                self.base.distance[part],
                self.base.geom[part],
                self.base.point[part],
            ).of(pixels)
        first = self.base.of(pixels)
        times = len(samples) // base
        taken = StillSamples(
            np.tile(first.room, (times, 1, 1)),
            np.tile(first.key, (times, 1, 1)),
            np.tile(first.normal, (times, 1, 1)),
            np.tile(first.distance, (times, 1)),
            np.tile(first.geom, (times, 1)),
            np.tile(first.point, (times, 1, 1)),
        )
        rays = self._rays.through(samples, pixels)
        normal = taken.normal.transpose(0, 2, 1).astype(np.float64)
        slope = _dot(rays, normal)
        level = _dot(taken.point - self._rays.eye, normal)
        flat = np.abs(slope) > _GRAZING  # elsewhere, and where nothing was met, no plane is sure
        np.divide(level, slope, out=taken.distance, where=flat)
        taken.point[...] = self._rays.eye + rays * taken.distance[..., None]
        slot = self._slot[pixels]
        rough = np.flatnonzero(slot >= 0)
        own = self._more.of(slot[rough])
        taken.room[..., rough] = own.room
        taken.key[..., rough] = own.key
        taken.normal[..., rough] = own.normal
        taken.distance[:, rough] = own.distance
        taken.geom[:, rough] = own.geom
        taken.point[:, rough] = own.point
        return taken

    def _light(self, samples: range, pixels: np.ndarray) -> StillSamples:
        count, n = len(samples), len(pixels)
        made = StillSamples(
            np.empty((count, 3, n), f32),
            np.empty((count, 3, n), f32),
            np.empty((count, 3, n), f32),
            np.empty((count, n)),
            np.empty((count, n), np.int32),
            np.empty((count, n, 3)),
        )
        model = self._shader.model
        for row, sample in enumerate(samples):
            rays = self._rays.through(range(sample, sample + 1), pixels)[0]
            hits = cast(model, self._data, self._rays.eye, rays, ONLY_STILL)
            distance = np.where(hits.geom < 0, _SKY, hits.distance)
            point = self._rays.eye + rays * distance[:, None]
            room, key, normal = self._shader.light(hits, point, rays, self._blobs)
            self._shader.shade(key, point, np.full(n, sample), ONLY_STILL)
            made.room[row], made.key[row], made.normal[row] = room, key, normal
            made.distance[row], made.geom[row], made.point[row] = distance, hits.geom, point
        return made


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Over the last axis of length 3, in a fixed order."""
    return a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1] + a[..., 2] * b[..., 2]
