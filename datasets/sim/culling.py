"""Which pixels something moving may cover, and which it may shade. All others need no new rays, and
no byte changes.

What moves is held in spheres: short ones in one, long ones in a row of them along their longest
axis."""

from __future__ import annotations

import math

import numpy as np

from pixelpush.datasets.sim.arm import Arm
from pixelpush.datasets.sim.compiled import compiled
from pixelpush.datasets.sim.engine import mujoco
from pixelpush.datasets.sim.scene import camera_frame

_MOST_SPHERES = 5  # of one geom


class MovingSpheres:
    """The spheres that hold some geoms of a model: ``radius`` float64 (spheres,) in metres.

    >>> model = mujoco.MjModel.from_xml_string(
    ...     "<mujoco><worldbody><geom type='capsule' size='0.02 0.08'/></worldbody></mujoco>"
    ... )
    >>> spheres = MovingSpheres(model, np.array([0]))
    >>> len(spheres.radius), bool((spheres.radius > 0.02).all())
    (5, True)
    """

    def __init__(self, model: mujoco.MjModel, geoms: np.ndarray):
        rows = [(int(geom), *_row_of_spheres(model, int(geom))) for geom in geoms]
        each = [
            (geom, axis, offset, radius)
            for geom, axis, offsets, radius in rows
            for offset in offsets
        ]
        geom, axis, offset, radius = np.array(each, float).reshape(-1, 4).T
        self._geom = geom.astype(int)
        self._axis = axis.astype(int)[:, None]
        self._offset = offset[:, None]
        self.radius = radius

    def centres(self, data: mujoco.MjData) -> np.ndarray:
        """float64 (spheres, 3), in metres, in the current pose.

        >>> model = mujoco.MjModel.from_xml_string(
        ...     "<mujoco><worldbody><geom size='0.02' pos='0 0 1'/></worldbody></mujoco>"
        ... )
        >>> data = mujoco.MjData(model)
        >>> mujoco.mj_forward(model, data)
        >>> MovingSpheres(model, np.array([0])).centres(data).tolist()
        [[0.0, 0.0, 1.0]]
        """
        along = np.take_along_axis(
            data.geom_xmat[self._geom].reshape(-1, 3, 3), self._axis[:, None], axis=2
        )[..., 0]
        return data.geom_xpos[self._geom] + along * self._offset


def _row_of_spheres(model: mujoco.MjModel, geom: int) -> tuple[int, list[float], float]:
    """The axis along which a geom's spheres lie, their offsets along it, and their radius."""
    kind = model.geom_type[geom]
    size = model.geom_size[geom].tolist()
    if kind == mujoco.mjtGeom.mjGEOM_CAPSULE:
        axis = 2
        long = size[1] + size[0]
        across = size[0]
    elif kind == mujoco.mjtGeom.mjGEOM_CYLINDER:
        axis = 2
        long = size[1]
        across = size[0]
    elif kind == mujoco.mjtGeom.mjGEOM_BOX:
        long = max(size)
        axis = size.index(long)
        across = math.hypot(*sorted(size)[:2])
    else:
        return 2, [0.0], float(model.geom_rbound[geom])
    count = max(1, min(_MOST_SPHERES, round(long / across)))
    part = long / count
    return axis, [part * (2 * k + 1) - long for k in range(count)], math.hypot(across, part)


class View:
    """Where spheres are on the image of an arm's camera, ``size`` pixels high and wide.

    >>> from pixelpush.datasets.sim.arm import ARMS
    >>> view = View(ARMS[0], 8)
    >>> seen = view.may_cover(np.array([ARMS[0].camera.target]), np.array([0.01]))
    >>> bool(seen.reshape(8, 8)[3:5, 3:5].all()), int(seen.sum())
    (True, 4)
    """

    def __init__(self, arm: Arm, size: int):
        position, rotation = camera_frame(arm)
        self._eye = position
        self._right, self._up, self._back = rotation.T
        self._half = math.tan(math.radians(arm.camera.field_of_view) / 2)
        self._size = size

    def may_cover(self, centres: np.ndarray, radius: np.ndarray) -> np.ndarray:
        """bool (pixels,): where one of the spheres is on the image, or next to one.

        centres, radius: float64 (k, 3) and (k,), in metres.

        >>> from pixelpush.datasets.sim.arm import ARMS
        >>> bool(View(ARMS[0], 8).may_cover(np.zeros((0, 3)), np.zeros(0)).any())
        False
        """
        mask = np.zeros((self._size, self._size), bool)
        there = centres - self._eye
        x, y, depth = (_along(there, axis) for axis in (self._right, self._up, self._back))
        # A sphere lies in a box, and the box's image in that of its nearest and its farthest face.
        near = np.maximum(-depth - radius, 0.05)
        far = np.maximum(-depth + radius, 0.05)
        columns = self._pixels(x - radius, x + radius, near, far)
        rows = self._pixels(-y - radius, -y + radius, near, far)
        for left, right, top, bottom in zip(*columns, *rows, strict=True):
            mask[top:bottom, left:right] = True
        return mask.ravel()

    def _pixels(
        self, low: np.ndarray, high: np.ndarray, near: np.ndarray, far: np.ndarray
    ) -> list[list[int]]:
        """Pixels from (first) to (last, excluded) that lateral positions low..high at depths
        near..far fall on."""
        # A projection x / depth is extreme at the nearest or the farthest depth.
        first = np.floor((np.minimum(low / near, low / far) / self._half + 1) / 2 * self._size)
        last = np.ceil((np.maximum(high / near, high / far) / self._half + 1) / 2 * self._size)
        return [np.clip(edge, 0, self._size).astype(int).tolist() for edge in (first, last)]


class Probes:
    """Where shadows are looked for: lit pixels by their first sample, edges by all their samples.

    points: float64 (samples, pixels, 3). lit, mixed: bool (pixels,); a mixed pixel's samples see
    different geoms. lamp: float64 (3,), and its radius, in metres.

    >>> points = np.array([[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]])  # one sample of two pixels
    >>> lit = np.ones(2, bool)
    >>> probes = Probes(points, lit, ~lit, lamp=np.array([0.0, 0.0, 1.0]), lamp_radius=0.05)
    >>> probes.may_shade(np.array([[0.0, 0.0, 0.5]]), np.array([0.05])).tolist()
    [True, False]
    """

    def __init__(
        self,
        points: np.ndarray,
        lit: np.ndarray,
        mixed: np.ndarray,
        lamp: np.ndarray,
        lamp_radius: float,
    ):
        self._lit = np.flatnonzero(lit)
        self._mixed = np.flatnonzero(lit & mixed)
        self._shape = (len(points) - 1, len(self._mixed))
        self._pixels = points.shape[1]
        self._lamp = lamp
        # The lamp is a disc and the points are a pixel's: the margin covers both.
        self._margin = 0.7 * lamp_radius + 0.01
        chosen = [points[0, self._lit], *(samples[self._mixed] for samples in points[1:])]
        away = (np.concatenate(chosen) - lamp).T
        self._directions = (away / np.sqrt(away[0] ** 2 + away[1] ** 2 + away[2] ** 2)).astype(
            np.float32
        )

    def may_shade(self, centres: np.ndarray, radius: np.ndarray) -> np.ndarray:
        """bool (pixels,): where one of the spheres may stand between lamp and point.

        centres, radius: float64 (k, 3) and (k,), in metres.

        >>> dark = np.zeros(1, bool)
        >>> probes = Probes(np.zeros((1, 1, 3)), dark, dark, np.array([0.0, 0.0, 1.0]), 0.05)
        >>> probes.may_shade(np.array([[0.0, 0.0, 0.5]]), np.array([0.05])).tolist()
        [False]
        """
        there = centres - self._lamp
        distance = np.sqrt(_along(there, there))
        # A point is in a sphere's shadow where its direction from the lamp is within asin(r / d) of
        # the sphere's: unit direction . centre > d cos(asin(r / d)).
        sine = np.minimum(0.999, (radius + self._margin) / distance)
        least = (np.sqrt(1 - sine * sine) * distance).astype(np.float32)
        hidden = np.zeros(self._directions.shape[1], bool)
        _within(self._directions, there.astype(np.float32), least, hidden)
        mask = np.zeros(self._pixels, bool)
        mask[self._lit] = hidden[: len(self._lit)]
        mask[self._mixed] |= hidden[len(self._lit) :].reshape(self._shape).any(axis=0)
        return mask


@compiled
def _within(directions, centres, least, inside):
    """Put into inside, bool (n,), which directions, float32 (3, n), lie along some centre, float32
    (k, 3), by more than its least."""
    for i in range(len(inside)):
        x = directions[0, i]
        y = directions[1, i]
        z = directions[2, i]
        for k in range(len(least)):
            if x * centres[k, 0] + y * centres[k, 1] + z * centres[k, 2] > least[k]:
                inside[i] = True
                break


def _along(vectors: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Dot products over the last axis of length 3."""
    return (
        vectors[..., 0] * axis[..., 0]
        + vectors[..., 1] * axis[..., 1]
        + vectors[..., 2] * axis[..., 2]
    )
