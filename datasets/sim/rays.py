"""Casting rays at a scene: which geom, how far, and its normal. No OpenGL."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pixelpush.datasets.sim import tracing
from pixelpush.datasets.sim.arm import Arm
from pixelpush.datasets.sim.compiled import compiled
from pixelpush.datasets.sim.engine import mujoco
from pixelpush.datasets.sim.normals import normals
from pixelpush.datasets.sim.scene import GROUND_GROUP, GUARD_GROUP, camera_frame

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
    """The camera's rays through samples of pixels. eye: float64 (3,), where all start.

    >>> from pixelpush.datasets.sim.arm import ARMS
    >>> rays = PixelRays(ARMS[0], 8).through(range(4), np.arange(64))
    >>> rays.shape, bool(np.allclose((rays**2).sum(-1), 1))
    ((4, 64, 3), True)
    """

    def __init__(self, arm: Arm, size: int):
        self.eye, self._rotation = camera_frame(arm)
        self._half = math.tan(math.radians(arm.camera.field_of_view) / 2)
        self._size = size

    def through(self, samples: range, pixels: np.ndarray) -> np.ndarray:
        """Unit rays, float64 (samples, pixels, 3); pixels are counted row by row.

        >>> from pixelpush.datasets.sim.arm import ARMS
        >>> PixelRays(ARMS[0], 8).through(range(16), np.array([27, 28])).shape
        (16, 2, 3)
        """
        count = len(pixels)
        numbers = np.repeat(np.array(samples, np.int64), count)
        return self.of(numbers, np.tile(pixels, len(samples))).reshape(len(samples), count, 3)

    def of(self, sample: np.ndarray, pixel: np.ndarray) -> np.ndarray:
        """Unit rays, float64 (n, 3), of samples and pixels, int (n,) each.

        >>> from pixelpush.datasets.sim.arm import ARMS
        >>> rays = PixelRays(ARMS[0], 8)
        >>> one = rays.of(np.array([3]), np.array([27]))
        >>> bool((one == rays.through(range(3, 4), np.array([27]))[0]).all())
        True
        """
        rays = np.empty((len(pixel), 3))
        _aim(sample, pixel, SAMPLE_PLACES, self._size, self._half, self._rotation, rays)
        return rays


@compiled
def _aim(sample, pixel, places, size, half, rotation, rays):
    """Put unit rays through samples of pixels, int64 (n,) each, into rays, float64 (n, 3)."""
    for i in range(len(pixel)):
        x = ((pixel[i] % size + places[sample[i], 0]) / size * 2 - 1) * half
        y = (1 - (pixel[i] // size + places[sample[i], 1]) / size * 2) * half
        across = x * rotation[0, 0] + y * rotation[0, 1] - rotation[0, 2]
        down = x * rotation[1, 0] + y * rotation[1, 1] - rotation[1, 2]
        ahead = x * rotation[2, 0] + y * rotation[2, 1] - rotation[2, 2]
        length = math.sqrt(across * across + down * down + ahead * ahead)
        rays[i, 0] = across / length
        rays[i, 1] = down / length
        rays[i, 2] = ahead / length


@dataclass(frozen=True)
class Hits:
    """What rays meet first.

    geom: int32 (n,), -1 for none. distance: float64 (n,), infinite for none. normal: float64 (n,
    3).

    >>> Hits(np.array([-1], np.int32), np.array([np.inf]), np.zeros((1, 3))).distance.tolist()
    [inf]
    """

    geom: np.ndarray
    distance: np.ndarray
    normal: np.ndarray


class RayCaster:
    """Casts rays at some of a model's bodies, in the pose of ``data``.

    What it finds has the bits of ``mujoco.mj_multiRay``, which takes longer.

    >>> model = mujoco.MjModel.from_xml_string(
    ...     "<mujoco><worldbody><geom size='0.1'/></worldbody></mujoco>"
    ... )
    >>> data = mujoco.MjData(model)
    >>> mujoco.mj_forward(model, data)
    >>> caster = RayCaster(model, data)
    >>> rays = np.array([[0.0, 0.0, -1.0], [0.0, 0.0, 1.0]])  # down at the ball, and up
    >>> hits = caster.cast(np.array([0.0, 0.0, 1.0]), rays, caster.everything)
    >>> hits.geom.tolist(), hits.distance.round(6).tolist()
    ([0, -1], [0.9, inf])
    """

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData):
        self._data = data
        self._visible = model.geom_group != GUARD_GROUP
        self._body = model.geom_bodyid.copy()
        self._geoms = _table(model)
        self.everything = np.ones(model.nbody, bool)

    def cast(self, origin: np.ndarray, rays: np.ndarray, bodies: np.ndarray) -> Hits:
        """The nearest geoms of ``bodies``, bool (bodies,), along unit rays, float64 (n, 3).

        >>> model = mujoco.MjModel.from_xml_string(
        ...     "<mujoco><worldbody><geom size='0.1'/></worldbody></mujoco>"
        ... )
        >>> data = mujoco.MjData(model)
        >>> mujoco.mj_forward(model, data)
        >>> nobody = np.zeros(1, bool)
        >>> down = np.array([[0.0, 0.0, -1.0]])
        >>> RayCaster(model, data).cast(np.array([0.0, 0.0, 1.0]), down, nobody).geom.tolist()
        [-1]
        """
        rays = np.ascontiguousarray(rays)
        count = len(rays)
        face = np.empty(count, np.int32)
        hits = Hits(np.empty(count, np.int32), np.empty(count), np.empty((count, 3)))
        geoms, asked = self._asked(bodies)
        tracing.cast(geoms, asked, origin, rays, hits.geom, hits.distance, face)
        normals(geoms, hits.geom, face, origin, rays, hits.distance, hits.normal)
        return hits

    def hidden(
        self, lamps: np.ndarray, lamp: np.ndarray, points: np.ndarray, bodies: np.ndarray
    ) -> np.ndarray:
        """bool (n,): whether ``bodies`` hide points, float64 (n, 3), from their lamps.

        lamps: float64 (k, 3). lamp: int64 (n,), each point's. bodies: bool (bodies,).

        >>> model = mujoco.MjModel.from_xml_string(
        ...     "<mujoco><worldbody><geom size='0.1'/></worldbody></mujoco>"
        ... )
        >>> data = mujoco.MjData(model)
        >>> mujoco.mj_forward(model, data)
        >>> caster = RayCaster(model, data)
        >>> lamps = np.array([[0.0, 0.0, 1.0]])
        >>> points = np.array([[0.0, 0.0, -1.0], [1.0, 0.0, -1.0]])  # behind the ball, beside it
        >>> caster.hidden(lamps, np.array([0, 0]), points, caster.everything).tolist()
        [True, False]
        """
        hidden = np.empty(len(points), bool)
        tracing.hide(*self._asked(bodies), lamps, lamp, points, hidden)
        return hidden

    def _asked(self, bodies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The table of geoms in the current pose, and the numbers of those of ``bodies``."""
        self._geoms[:, tracing.PLACE : tracing.TURN] = self._data.geom_xpos
        self._geoms[:, tracing.TURN : tracing.SIZE] = self._data.geom_xmat
        return self._geoms, np.flatnonzero(bodies.take(self._body) & self._visible)


def _table(model: mujoco.MjModel) -> np.ndarray:
    """What ``tracing`` needs to know of the geoms; places and rotations are left open."""
    table = np.zeros((model.ngeom, tracing.COLUMNS))
    kind = model.geom_type
    x, y, z = size = model.geom_size.T
    table[:, tracing.SIZE : tracing.BALL] = model.geom_size
    table[:, tracing.BALL] = np.select(
        [kind == k for k in (tracing.SPHERE, tracing.CAPSULE, tracing.CYLINDER, tracing.BOX)],
        [x * x, (x + y) * (x + y), x * x + y * y, x * x + y * y + z * z],
        # MuJoCo tests no sphere for an ellipsoid: a little room keeps this one from cutting.
        1.01 * size.max(axis=0) ** 2,
    )
    table[:, tracing.REACH] = np.sqrt(table[:, tracing.BALL]) + 1e-6
    table[:, tracing.KIND] = kind
    table[:, tracing.LOW] = model.geom_group == GROUND_GROUP
    return table
