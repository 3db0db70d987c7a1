"""Casting rays with MuJoCo: which geom, how far, and its normal. No OpenGL."""

from __future__ import annotations

import math
from dataclasses import dataclass

import mujoco
import numpy as np

from pixelpush.datasets.sim.arm import Arm
from pixelpush.datasets.sim.scene import camera_frame

STILL, MOVING = 0, 1  # groups of geoms
_FAR = 20.0


def groups(*which: int) -> np.ndarray:
    """MuJoCo's mask of geom groups."""
    mask = np.zeros(6, np.uint8)
    mask[list(which)] = 1
    return mask


ONLY_STILL, ONLY_MOVING, EVERYTHING = groups(STILL), groups(MOVING), groups(STILL, MOVING)

# Where a pixel is sampled, from its upper-left corner: a rotated grid smooths edges of every
# direction.
SAMPLES = ((0.375, 0.125), (0.875, 0.375), (0.125, 0.625), (0.625, 0.875))


def pixel_rays(arm: Arm, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The camera's position, float64 (3,), and unit rays, float64 (samples, size * size, 3)."""
    position, rotation = camera_frame(arm)
    half = math.tan(math.radians(arm.camera.field_of_view) / 2)
    steps = np.arange(size, dtype=np.float64)
    rays = np.empty((len(SAMPLES), size * size, 3))
    for number, (dx, dy) in enumerate(SAMPLES):
        x = np.tile(((steps + dx) / size * 2 - 1) * half, size)
        y = np.repeat((1 - (steps + dy) / size * 2) * half, size)
        for c in range(3):
            rays[number, :, c] = x * rotation[c, 0] + y * rotation[c, 1] - rotation[c, 2]
    rays /= np.sqrt(rays[..., 0] ** 2 + rays[..., 1] ** 2 + rays[..., 2] ** 2)[..., None]
    return position, rays


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
    geom, distance = np.full(count, -1, np.int32), np.full(count, -1.0)
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
    geom, found = np.full(count, -1, np.int32), np.full(count, -1.0)
    mujoco.mj_multiRay(
        model, data, lamp, rays.reshape(-1), mask, True, -1, geom, found, None, count, _FAR
    )
    return (geom < 0) | (found > distance - 2e-3)
