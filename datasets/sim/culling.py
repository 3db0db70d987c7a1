"""Which pixels something moving may cover, and which it may shade: what saves most rays without changing a byte.

What moves is held in spheres: short ones in one, long ones in a row of them along their longest axis.
"""

from __future__ import annotations

import math

import mujoco
import numpy as np

from pixelpush.datasets.sim.arm import Arm
from pixelpush.datasets.sim.scene import camera_frame

Sphere = tuple[float, float, float, float]  # x, y, z, radius in metres

f32 = np.float32
_MOST_SPHERES = 5  # of one geom


class MovingSpheres:
    """The spheres that hold some geoms."""

    def __init__(self, model: mujoco.MjModel, geoms: np.ndarray):
        self._rows = [(int(geom), *_row_of_spheres(model, int(geom))) for geom in geoms]

    def at(self, data: mujoco.MjData) -> list[Sphere]:
        """The spheres in the current pose."""
        found = []
        for geom, axis, offsets, radius in self._rows:
            x, y, z = data.geom_xpos[geom].tolist()
            a, b, c = data.geom_xmat[geom, axis::3].tolist()
            found += [(x + a * t, y + b * t, z + c * t, radius) for t in offsets]
        return found


def _row_of_spheres(model: mujoco.MjModel, geom: int) -> tuple[int, list[float], float]:
    """The axis along which a geom's spheres lie, their offsets along it, and their radius."""
    kind, size = model.geom_type[geom], model.geom_size[geom].tolist()
    if kind == mujoco.mjtGeom.mjGEOM_CAPSULE:
        axis, long, across = 2, size[1] + size[0], size[0]
    elif kind == mujoco.mjtGeom.mjGEOM_CYLINDER:
        axis, long, across = 2, size[1], size[0]
    elif kind == mujoco.mjtGeom.mjGEOM_BOX:
        long = max(size)
        axis, across = size.index(long), math.hypot(*sorted(size)[:2])
    else:
        return 2, [0.0], float(model.geom_rbound[geom])
    count = max(1, min(_MOST_SPHERES, round(long / across)))
    part = long / count
    return axis, [part * (2 * k + 1) - long for k in range(count)], math.hypot(across, part)


class View:
    """Where spheres are on the image."""

    def __init__(self, arm: Arm, size: int):
        position, rotation = camera_frame(arm)
        self._eye = position.tolist()
        self._right, self._up, self._back = rotation.T.tolist()
        self._half = math.tan(math.radians(arm.camera.field_of_view) / 2)
        self._size = size

    def may_cover(self, spheres: list[Sphere]) -> np.ndarray:
        """bool (pixels,): where one of the spheres is on the image, or next to one."""
        mask = np.zeros((self._size, self._size), bool)
        for *centre, radius in spheres:
            there = [c - e for c, e in zip(centre, self._eye, strict=True)]
            x, y, depth = (_dot(there, axis) for axis in (self._right, self._up, self._back))
            # The sphere lies in a box, and the box's image in that of its nearest and its farthest face.
            near, far = max(-depth - radius, 0.05), max(-depth + radius, 0.05)
            columns = self._pixels(x - radius, x + radius, near, far)
            rows = self._pixels(-y - radius, -y + radius, near, far)
            mask[rows, columns] = True
        return mask.ravel()

    def _pixels(self, low: float, high: float, near: float, far: float) -> slice:
        """The pixels that lateral positions low..high at depths near..far fall on."""
        first = min(low / near, low / far) / self._half
        last = max(high / near, high / far) / self._half
        start, stop = math.floor((first + 1) / 2 * self._size), math.ceil((last + 1) / 2 * self._size)
        return slice(max(0, min(self._size, start)), max(0, min(self._size, stop)))


class Probes:
    """Where shadows are looked for: lit pixels by their first sample, those on an edge by all their samples.

    points: float64 (samples, pixels, 3). lit, mixed: bool (pixels,); a mixed pixel's samples see different geoms.
    """

    def __init__(self, points: np.ndarray, lit: np.ndarray, mixed: np.ndarray, lamp: np.ndarray, lamp_radius: float):
        self._lit, self._mixed = np.flatnonzero(lit), np.flatnonzero(lit & mixed)
        self._shape = (len(points) - 1, len(self._mixed))
        self._pixels = points.shape[1]
        self._lamp = lamp.tolist()
        # The lamp is a disc and the points are a pixel's: the margin covers both.
        self._margin = 0.7 * lamp_radius + 0.01
        chosen = [points[0, self._lit], *(samples[self._mixed] for samples in points[1:])]
        away = (np.concatenate(chosen) - lamp).T
        self._directions = (away / np.sqrt(away[0] ** 2 + away[1] ** 2 + away[2] ** 2)).astype(f32)

    def may_shade(self, spheres: list[Sphere]) -> np.ndarray:
        """bool (pixels,): where one of the spheres may stand between the lamp and the point."""
        x, y, z = self._directions
        hidden = np.zeros(x.shape, bool)
        for *centre, radius in spheres:
            a, b, c = there = [s - p for s, p in zip(centre, self._lamp, strict=True)]
            distance = math.sqrt(_dot(there, there))
            sine = min(0.999, (radius + self._margin) / distance)
            hidden |= x * f32(a) + y * f32(b) + z * f32(c) > f32(math.sqrt(1 - sine * sine) * distance)
        mask = np.zeros(self._pixels, bool)
        mask[self._lit] = hidden[: len(self._lit)]
        mask[self._mixed] |= hidden[len(self._lit) :].reshape(self._shape).any(axis=0)
        return mask


def _dot(a: list[float], b: list[float]) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
