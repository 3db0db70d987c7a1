"""What moves in a frame: where it may be seen or throw a shadow, and which rays meet it."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from pixelpush.datasets.sim.culling import MovingSpheres, Probes, View
from pixelpush.datasets.sim.rays import Hits, RayCaster


@dataclass(frozen=True)
class Reach:
    """Where moving bodies may be seen, and where they may throw a shadow.

    bodies: bool (bodies,). shaded: bool (pixels,). parts: some of the bodies, bool (bodies,), and
    where they may be seen, bool (pixels,).

    >>> seen = np.array([True, False, False])
    >>> reach = Reach(np.ones(1, bool), np.array([False, False, True]), [(np.ones(1, bool), seen)])
    >>> reach.pixels().tolist()
    [0, 2]
    """

    bodies: np.ndarray
    shaded: np.ndarray
    parts: list[tuple[np.ndarray, np.ndarray]]

    def pixels(self) -> np.ndarray:
        """Numbers of the pixels that something moving may change.

        >>> Reach(np.ones(1, bool), np.zeros(4, bool), []).pixels().tolist()
        []
        """
        return np.flatnonzero(
            np.logical_or.reduce([self.shaded, *(seen for _, seen in self.parts)])
        )


class Moving:
    """The moving bodies, in two parts: with and without bounding volumes in MuJoCo.

    Rays cost more where there are none, so each part's are cast only where its own spheres are.

    >>> from pixelpush.datasets.sim.arm import ARMS
    >>> from pixelpush.datasets.sim.scene import build_scene
    >>> scene = build_scene(ARMS[0], "seen", (0,))
    >>> data = mujoco.MjData(scene.model)
    >>> mujoco.mj_forward(scene.model, data)
    >>> bodies = np.arange(scene.model.nbody) > 1
    >>> moving = Moving(scene.model, RayCaster(scene.model, data), bodies)
    >>> none = np.zeros(64, bool)
    >>> probes = Probes(np.zeros((1, 64, 3)), none, none, np.ones(3), 0.05)
    >>> moving.reach(data, View(scene.arm, 8), probes).pixels().size > 0  # the arm is seen
    True
    """

    def __init__(self, model: mujoco.MjModel, caster: RayCaster, bodies: np.ndarray):
        self._bodies = bodies
        self._parts = [
            (part, MovingSpheres(model, np.flatnonzero(part[model.geom_bodyid])))
            for part in (bodies & ~caster.bounded, bodies & caster.bounded)
        ]

    def reach(self, data: mujoco.MjData, view: View, probes: Probes) -> Reach:
        """Where they are in the current pose."""
        shaded = []
        parts = []
        for bodies, spheres in self._parts:
            where = spheres.centres(data), spheres.radius
            shaded.append(probes.may_shade(*where))
            parts.append((bodies, view.may_cover(*where)))
        return Reach(self._bodies, np.logical_or.reduce(shaded), parts)


def nearest(
    caster: RayCaster,
    reach: Reach,
    eye: np.ndarray,
    rays: np.ndarray,
    pixels: np.ndarray,
    limit: np.ndarray,
) -> Hits:
    """The first thing that moves along rays, float64 (s, n, 3), s samples of n pixels.

    limit: float64 (s, n), how far they go; rays that meet nothing before have geom -1. The arrays
    of what is returned have these shapes too.

    >>> model = mujoco.MjModel.from_xml_string(
    ...     "<mujoco><worldbody><geom size='0.1'/></worldbody></mujoco>"
    ... )
    >>> data = mujoco.MjData(model)
    >>> mujoco.mj_forward(model, data)
    >>> everything = np.ones(1, bool)
    >>> reach = Reach(everything, np.zeros(1, bool), [(everything, np.ones(1, bool))])
    >>> down = np.array([[[0.0, 0.0, -1.0]]])
    >>> caster = RayCaster(model, data)
    >>> eye = np.array([0.0, 0.0, 1.0])
    >>> hits = nearest(caster, reach, eye, down, np.array([0]), np.full((1, 1), 2.0))
    >>> hits.geom.tolist(), hits.distance.round(6).tolist()
    ([[0]], [[0.9]])
    """
    geom = np.full(limit.shape, -1, np.int32)
    distance = limit.copy()
    normal = np.zeros(rays.shape)
    # Parts come in the order of their bodies: of two things at one distance MuJoCo takes the first.
    for bodies, covered in reach.parts:
        may = np.flatnonzero(covered[pixels])
        hits = caster.cast(eye, rays[:, may].reshape(-1, 3), bodies)
        nearer = np.flatnonzero(hits.distance < distance[:, may].ravel())
        sample = nearer // max(1, len(may))
        pixel = may[nearer % max(1, len(may))]
        geom[sample, pixel] = hits.geom[nearer]
        distance[sample, pixel] = hits.distance[nearer]
        normal[sample, pixel] = hits.normal[nearer]
    return Hits(geom, distance, normal)
