"""Casting rays with MuJoCo: which geom, how far, and its normal. No OpenGL."""

from __future__ import annotations

import math
from dataclasses import dataclass

import mujoco
import numpy as np

from pixelpush.datasets.sim.arm import Arm
from pixelpush.datasets.sim.scene import camera_frame

# Groups of geoms.
STILL = 0
MOVING = 1
_FAR = 20.0


def groups(*which: int) -> np.ndarray:
    """MuJoCo's mask of geom groups."""
    mask = np.zeros(6, np.uint8)
    mask[list(which)] = 1
    return mask


ONLY_STILL = groups(STILL)
ONLY_MOVING = groups(MOVING)
EVERYTHING = groups(STILL, MOVING)

# Most samples of a pixel; the first 4 and the first 16 are evenly spread by themselves.
MOST_SAMPLES = 64


def _sobol(number: int, bits: int) -> tuple[int, int]:
    """Point ``number`` of the Sobol sequence in two dimensions, in steps of 2^-bits."""
    x = y = 0
    direction = 1 << (bits - 1)  # of y: the rows of Pascal's triangle modulo 2
    for bit in range(bits):
        if number >> bit & 1:
            x ^= 1 << (bits - 1 - bit)
            y ^= direction
        direction ^= direction >> 1
    return x, y


def _places() -> np.ndarray:
    """float64 (MOST_SAMPLES, 2) in the unit square: of every first 4, 16 and 64, each row, column
    and block of this many holds one. The masks put the first few round the middle."""
    bits = MOST_SAMPLES.bit_length() - 1
    places = [_sobol(number, bits) for number in range(MOST_SAMPLES)]
    return (np.array([(x ^ 6, y ^ 10) for x, y in places]) + 0.5) / MOST_SAMPLES


SAMPLE_PLACES = _places()


class PixelRays:
    """The camera's rays through samples of pixels. eye: float64 (3,), where all start."""

    def __init__(self, arm: Arm, size: int):
        self.eye, self._rotation = camera_frame(arm)
        self._half = math.tan(math.radians(arm.camera.field_of_view) / 2)
        self._size = size

    def through(self, samples: range, pixels: np.ndarray) -> np.ndarray:
        """Unit rays, float64 (samples, pixels, 3); pixels are counted row by row."""
        places = SAMPLE_PLACES[samples.start : samples.stop, None]
        x = ((pixels % self._size + places[..., 0]) / self._size * 2 - 1) * self._half
        y = (1 - (pixels // self._size + places[..., 1]) / self._size * 2) * self._half
        r = self._rotation
        rays = np.stack([x * r[c, 0] + y * r[c, 1] - r[c, 2] for c in range(3)], axis=-1)
        rays /= np.sqrt(rays[..., 0] ** 2 + rays[..., 1] ** 2 + rays[..., 2] ** 2)[..., None]
        return rays


@dataclass(frozen=True)
class Hits:
    """geom: int32 (n,), -1 for none. distance: float64 (n,), infinite for none. normal: float64 (n,
    3)."""

    geom: np.ndarray
    distance: np.ndarray
    normal: np.ndarray


def cast(
    model: mujoco.MjModel,
    data: mujoco.MjData,
    origin: np.ndarray,
    rays: np.ndarray,
    mask: np.ndarray,
) -> Hits:
    """The nearest geoms of the groups in ``mask`` along unit ``rays``, float64 (n, 3), from one
    origin."""
    count = len(rays)
    geom = np.full(count, -1, np.int32)
    distance = np.full(count, -1.0)
    normal = np.zeros((count, 3))
    if count:
        mujoco.mj_multiRay(
            model,
            data,
            origin,
            rays.reshape(-1),
            mask,
            True,
            -1,
            geom,
            distance,
            normal.reshape(-1),
            count,
            _FAR,
        )
    distance[geom < 0] = np.inf
    return Hits(geom, distance, normal)


def unshaded(
    model: mujoco.MjModel,
    data: mujoco.MjData,
    lamp: np.ndarray,
    points: np.ndarray,
    mask: np.ndarray,
) -> np.ndarray:
    """bool (n,): whether the lamp sees ``points``, float64 (n, 3). Rays start at the lamp, so that
    one call serves."""
    count = len(points)
    if count == 0:
        return np.zeros(0, bool)
    rays = points - lamp
    distance = np.sqrt(rays[:, 0] ** 2 + rays[:, 1] ** 2 + rays[:, 2] ** 2)
    rays /= distance[:, None]
    geom = np.full(count, -1, np.int32)
    found = np.full(count, -1.0)
    mujoco.mj_multiRay(
        model, data, lamp, rays.reshape(-1), mask, True, -1, geom, found, None, count, _FAR
    )
    return (geom < 0) | (found > distance - 2e-3)
