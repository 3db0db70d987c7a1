"""What moves in a frame: where it may be seen or throw a shadow, and which rays meet it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pixelpush.datasets.sim.culling import MovingSpheres, Probes, View
from pixelpush.datasets.sim.engine import mujoco
from pixelpush.datasets.sim.rays import Hits, RayCaster
from pixelpush.datasets.sim.still_view import StillView


@dataclass(frozen=True)
class Reach:
    """Where moving bodies may be seen, and where they may throw a shadow.

    bodies: bool (bodies,). covered, shaded: bool (pixels,).

    >>> seen = np.array([True, False, False])
    >>> reach = Reach(np.ones(1, bool), seen, np.array([False, False, True]))
    >>> reach.pixels().tolist()
    [0, 2]
    """

    bodies: np.ndarray
    covered: np.ndarray
    shaded: np.ndarray

    def pixels(self) -> np.ndarray:
        """Numbers of the pixels that something moving may change.

        >>> nowhere = np.zeros(4, bool)
        >>> Reach(np.ones(1, bool), nowhere, nowhere).pixels().tolist()
        []
        """
        return np.flatnonzero(self.shaded | self.covered)


class Moving:
    """The moving bodies.

    >>> from pixelpush.datasets.sim.arm import ARMS
    >>> from pixelpush.datasets.sim.scene import build_scene
    >>> scene = build_scene(ARMS[0], "seen", (0,))
    >>> data = mujoco.MjData(scene.model)
    >>> mujoco.mj_forward(scene.model, data)
    >>> bodies = np.arange(scene.model.nbody) > 1
    >>> moving = Moving(scene.model, bodies)
    >>> none = np.zeros(64, bool)
    >>> probes = Probes(np.zeros((1, 64, 3)), none, none, np.ones(3), 0.05)
    >>> moving.reach(data, View(scene.arm, 8), probes).pixels().size > 0  # the arm is seen
    True
    """

    def __init__(self, model: mujoco.MjModel, bodies: np.ndarray):
        self._bodies = bodies
        self._spheres = MovingSpheres(model, np.flatnonzero(bodies[model.geom_bodyid]))

    def reach(self, data: mujoco.MjData, view: View, probes: Probes) -> Reach:
        """Where they are in the current pose."""
        where = self._spheres.centres(data), self._spheres.radius
        return Reach(self._bodies, view.may_cover(*where), probes.may_shade(*where))


@dataclass(frozen=True)
class Seen:
    """The samples of a view that see something moving.

    numbers: int (n,), as the view counts them. rays: float64 (n, 3). hits: of these n.

    >>> none = Hits(np.zeros(0, np.int32), np.zeros(0), np.zeros((0, 3)))
    >>> Seen(np.zeros(0, int), np.zeros((0, 3)), none).numbers.tolist()
    []
    """

    numbers: np.ndarray
    rays: np.ndarray
    hits: Hits


def nearest(caster: RayCaster, reach: Reach, eye: np.ndarray, view: StillView) -> Seen:
    """The first thing that moves before the still scene.

    eye: float64 (3,), where rays start.

    >>> from pixelpush.datasets.sim.arm import ARMS
    >>> from pixelpush.datasets.sim.rays import PixelRays
    >>> from pixelpush.datasets.sim.scene import build_scene
    >>> from pixelpush.datasets.sim.shading import Shader
    >>> from pixelpush.datasets.sim.still import StillScene
    >>> scene = build_scene(ARMS[0], "seen", (0,))
    >>> data = mujoco.MjData(scene.model)
    >>> mujoco.mj_forward(scene.model, data)
    >>> caster = RayCaster(scene.model, data)
    >>> shader = Shader(scene, data, caster)
    >>> rays = PixelRays(scene.arm, 8)
    >>> even = np.ones(64, np.float32)
    >>> still = StillScene(rays, caster, shader, even, (4, 16, 64), bound=14.0)
    >>> arm = np.isin(np.arange(scene.model.nbody), scene.arm_bodies)
    >>> still.relight(np.arange(64), ~arm, shader.blobs(scene.object_bodies))
    >>> everywhere = np.ones(64, bool)
    >>> reach = Reach(arm, everywhere, ~everywhere)
    >>> seen = nearest(caster, reach, rays.eye, StillView(still, range(4), np.arange(64)))
    >>> set(scene.model.geom_bodyid[seen.hits.geom]) <= set(scene.arm_bodies)
    True
    """
    columns = np.flatnonzero(reach.covered.take(view.pixels))
    count = max(1, len(columns))
    through = view.rays(columns)
    rays = through.reshape(-1, 3)
    hits = caster.cast(eye, rays, reach.bodies)
    met = np.flatnonzero(hits.distance < view.distance(columns, through).ravel())
    return Seen(
        met // count * len(view.pixels) + columns.take(met % count),
        rays.take(met, axis=0),
        Hits(hits.geom.take(met), hits.distance.take(met), hits.normal.take(met, axis=0)),
    )
