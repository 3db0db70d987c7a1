"""Casting rays with MuJoCo: which geom, how far, and its normal. No OpenGL."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pixelpush.datasets.sim.arm import Arm
from pixelpush.datasets.sim.engine import mujoco
from pixelpush.datasets.sim.scene import GROUND_GROUP, camera_frame

_FAR = 20.0
_SURFACE = 2e-3  # metres: what a ray meets so near to its point is the point's own surface
_LEVEL = -1e-6  # metres: points above it cannot lie in the ground's shadow


def _groups(*which: int) -> np.ndarray:
    """MuJoCo's mask of geom groups."""
    mask = np.zeros(6, np.uint8)
    mask[list(which)] = 1
    return mask


_VISIBLE = _groups(0, GROUND_GROUP)
_ABOVE_GROUND = _groups(0)

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
        return self._unit(SAMPLE_PLACES[samples.start : samples.stop, None], pixels)

    def of(self, sample: np.ndarray, pixel: np.ndarray) -> np.ndarray:
        """Unit rays, float64 (n, 3), of samples and pixels, int (n,) each.

        >>> from pixelpush.datasets.sim.arm import ARMS
        >>> rays = PixelRays(ARMS[0], 8)
        >>> one = rays.of(np.array([3]), np.array([27]))
        >>> bool((one == rays.through(range(3, 4), np.array([27]))[0]).all())
        True
        """
        return self._unit(SAMPLE_PLACES.take(sample, axis=0), pixel)

    def _unit(self, places: np.ndarray, pixels: np.ndarray) -> np.ndarray:
        x = ((pixels % self._size + places[..., 0]) / self._size * 2 - 1) * self._half
        y = (1 - (pixels // self._size + places[..., 1]) / self._size * 2) * self._half
        r = self._rotation
        across, down, ahead = (x * r[c, 0] + y * r[c, 1] - r[c, 2] for c in range(3))
        length = np.sqrt(across * across + down * down + ahead * ahead)
        rays = np.empty((*length.shape, 3))
        for c, part in enumerate((across, down, ahead)):
            np.divide(part, length, out=rays[..., c])
        return rays


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

    MuJoCo tests every ray against every body, and against every geom of bodies that have no
    bounding volume, also where their geoms are not asked for: most of its time. So the bodies that
    are not asked for are taken out of the model, which must be the caster's own.

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
        self._model = model
        self._data = data
        self._geoms = model.body_geomnum.copy()
        self.bounded = model.body_bvhadr >= 0
        """bool (bodies,): which have bounding volumes of MuJoCo's."""
        _bound(model)
        self._volumes = model.body_bvhadr.copy()
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
        count = len(rays)
        geom = np.full(count, -1, np.int32)
        distance = np.full(count, -1.0)
        normal = np.zeros((count, 3))
        if count:
            self._ask_for(bodies)
            self._meet(origin, rays, _VISIBLE, geom, distance, normal)
            self._ask_for_all()
        distance[geom < 0] = np.inf
        return Hits(geom, distance, normal)

    def hidden(
        self, lamps: np.ndarray, lamp: np.ndarray, points: np.ndarray, bodies: np.ndarray
    ) -> np.ndarray:
        """bool (n,): whether ``bodies`` hide points, float64 (n, 3), from their lamps.

        lamps: float64 (k, 3). lamp: int (n,), each point's. bodies: bool (bodies,).

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
        if len(points) == 0:
            return np.zeros(0, bool)
        # Rays start at the lamps, so that a call for each will do: of points that may lie in the
        # ground's shadow, and of the others.
        call = 2 * lamp.astype(np.int16)
        if bodies[0]:
            call += points[:, 2] < _LEVEL
        order = np.argsort(call, kind="stable")
        rays = points.take(order, axis=0)
        rays -= lamps.take(lamp.take(order), axis=0)
        x, y, z = rays.T
        distance = np.sqrt(x * x + y * y + z * z)
        rays /= distance[:, None]
        geom = np.full(len(points), -1, np.int32)
        found = np.full(len(points), -1.0)
        self._ask_for(bodies)
        stop = 0
        for number, count in enumerate(np.bincount(call).tolist()):
            if count:
                part = slice(stop, stop + count)
                mask = _VISIBLE if number % 2 else _ABOVE_GROUND
                self._meet(lamps[number // 2], rays[part], mask, geom[part], found[part], None)
                stop += count
        self._ask_for_all()
        hidden = np.empty(len(points), bool)
        hidden[order] = (geom >= 0) & (found <= distance - _SURFACE)
        return hidden

    def _ask_for(self, bodies: np.ndarray) -> None:
        self._model.body_geomnum[:] = np.where(bodies, self._geoms, 0)
        self._model.body_bvhadr[:] = np.where(bodies, self._volumes, -1)

    def _ask_for_all(self) -> None:
        """MuJoCo's kinematics leave geoms that are taken out where they are."""
        self._model.body_geomnum[:] = self._geoms
        self._model.body_bvhadr[:] = self._volumes

    def _meet(
        self,
        origin: np.ndarray,
        rays: np.ndarray,
        mask: np.ndarray,
        geom: np.ndarray,
        distance: np.ndarray,
        normal: np.ndarray | None,
    ) -> None:
        mujoco.mj_multiRay(
            self._model,
            self._data,
            origin,
            rays.reshape(-1),
            mask,
            True,
            -1,
            geom,
            distance,
            None if normal is None else normal.reshape(-1),
            len(rays),
            _FAR,
        )


def _bound(model: mujoco.MjModel) -> None:
    """Give spheres to the bodies that have no bounding volume, so that rays that pass them cost
    little.

    MuJoCo takes a body's sphere from the root of its bounding volumes, round the body's centre of
    mass. It bounds their geoms by angles too, which may cut off a corner; geoms so large that the
    ray starts in them have none."""
    bodies = np.flatnonzero((model.body_bvhadr < 0) & (model.body_geomnum > 0))
    spare = np.arange(1, model.body_bvhnum[0])  # of the world's volumes, rays use the root only
    for body, node in zip(bodies, spare, strict=False):
        geoms = model.body_geomadr[body] + np.arange(model.body_geomnum[body])
        away = model.geom_pos[geoms] - model.body_ipos[body]
        radius = (np.sqrt((away**2).sum(axis=1)) + model.geom_rbound[geoms]).max()
        model.bvh_aabb[node] = (0, 0, 0, radius + _SURFACE, 0, 0)
        model.geom_aabb[geoms] = (0, 0, 0, _FAR, _FAR, _FAR)
        model.body_bvhadr[body] = node
