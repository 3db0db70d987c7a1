"""What never moves in an episode: lit once, at every sample that a frame may ask for."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from pixelpush.datasets.sim.lighting import DARKENING_HEIGHT, DARKENING_REACH, Blobs, develop
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

    def put(self, pixels: np.ndarray, part: StillSamples) -> None:
        """Take over ``part`` as the samples of some pixels, in place."""
        self.room[..., pixels] = part.room
        self.key[..., pixels] = part.key
        self.normal[..., pixels] = part.normal
        self.distance[:, pixels] = part.distance
        self.geom[:, pixels] = part.geom
        self.point[:, pixels] = part.point

    def beside(self, other: StillSamples) -> StillSamples:
        """These samples and the same ones of other pixels."""
        return StillSamples(
            np.concatenate((self.room, other.room), axis=-1),
            np.concatenate((self.key, other.key), axis=-1),
            np.concatenate((self.normal, other.normal), axis=-1),
            np.concatenate((self.distance, other.distance), axis=1),
            np.concatenate((self.geom, other.geom), axis=1),
            np.concatenate((self.point, other.point), axis=1),
        )


class StillScene:
    """The still scene in the pose of ``data``, at the first ``counts[-2]`` samples of every pixel
    and at ``counts[-1]`` of those where these differ by more than ``bound`` levels.

    base: those first samples. room, key: their mean light, float32 (3, pixels); unevenness: by how
    many levels the mean of the developed samples exceeds the developed mean.
    """

    def __init__(
        self,
        data: mujoco.MjData,
        rays: PixelRays,
        shader: Shader,
        vignette: np.ndarray,
        counts: tuple[int, ...],
        bound: float,
    ):
        self._data = data
        self._rays = rays
        self._shader = shader
        self._vignette = vignette
        self._bound = bound
        self._first = range(counts[-2])
        self._further = range(counts[-2], counts[-1])
        pixels = len(vignette)
        self.base = _empty(counts[-2], pixels)
        self._more = _empty(len(self._further), 0)
        self._rough = np.zeros(0, int)
        self.room, self.key, self.unevenness = (np.zeros((3, pixels), f32) for _ in range(3))
        self.first_point = np.zeros((3, pixels), f32)

    def relight(self, pixels: np.ndarray, blobs: Blobs) -> None:
        """Look at some pixels anew: what stands still, its light and its shadows have changed."""
        fresh = self._light(self._first, pixels, blobs)
        self.base.put(pixels, fresh)
        self.first_point[:, pixels] = fresh.point[0].T
        developed = develop((fresh.room + fresh.key) * self._vignette[pixels])
        rough = np.flatnonzero(_spread(developed) > self._bound)
        more = self._light(self._further, pixels[rough], blobs)
        kept = np.flatnonzero(~np.isin(self._rough, pixels))
        self._rough = np.concatenate((self._rough[kept], pixels[rough]))
        self._more = self._more.of(kept).beside(more)
        self._slot = np.full(len(self._vignette), -1)
        self._slot[self._rough] = np.arange(len(self._rough))
        room = mean(fresh.room)
        key = mean(fresh.key)
        levels = mean(developed)
        further = develop((more.room + more.key) * self._vignette[pixels[rough]])
        room[:, rough] = mean(np.concatenate((fresh.room[..., rough], more.room)))
        key[:, rough] = mean(np.concatenate((fresh.key[..., rough], more.key)))
        levels[:, rough] = mean(np.concatenate((developed[..., rough], further)))
        self.room[:, pixels] = room
        self.key[:, pixels] = key
        together = develop((room + key) * self._vignette[pixels])
        self.unevenness[:, pixels] = levels - together

    def beside(self, blobs: Blobs) -> np.ndarray:
        """The pixels whose room light the blobs may darken."""
        x, y, z = np.moveaxis(self.base.point, -1, 0)
        touched = np.zeros(x.shape[1], bool)
        for (a, b, c), radius in zip(blobs.centre, blobs.radius, strict=True):
            reach = DARKENING_REACH * radius + 0.02
            close = (np.abs(x - a) < reach) & (np.abs(y - b) < reach)
            touched |= (close & (np.abs(z - c) < DARKENING_HEIGHT + 0.02)).any(axis=0)
        return touched

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
        taken.put(rough, self._more.of(slot[rough]))
        return taken

    def _light(self, samples: range, pixels: np.ndarray, blobs: Blobs) -> StillSamples:
        made = _empty(len(samples), len(pixels))
        for row, sample in enumerate(samples):
            rays = self._rays.through(range(sample, sample + 1), pixels)[0]
            hits = cast(self._shader.model, self._data, self._rays.eye, rays, ONLY_STILL)
            distance = np.where(hits.geom < 0, _SKY, hits.distance)
            point = self._rays.eye + rays * distance[:, None]
            room, key, normal = self._shader.light(hits, point, rays, blobs)
            self._shader.shade(key, point, np.full(len(pixels), sample), ONLY_STILL)
            made.room[row] = room
            made.key[row] = key
            made.normal[row] = normal
            made.distance[row] = distance
            made.geom[row] = hits.geom
            made.point[row] = point
        return made


def _empty(samples: int, pixels: int) -> StillSamples:
    return StillSamples(
        np.empty((samples, 3, pixels), f32),
        np.empty((samples, 3, pixels), f32),
        np.empty((samples, 3, pixels), f32),
        np.empty((samples, pixels)),
        np.empty((samples, pixels), np.int32),
        np.empty((samples, pixels, 3)),
    )


def _spread(levels: np.ndarray) -> np.ndarray:
    """The largest difference between samples in any colour: (samples, 3, n) -> (n,)."""
    return (levels.max(axis=0) - levels.min(axis=0)).max(axis=0)


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Over the last axis of length 3, in a fixed order."""
    return a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1] + a[..., 2] * b[..., 2]
