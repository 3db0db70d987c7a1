"""What moves in a frame: where it may be seen or throw a shadow, and which rays meet it."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from pixelpush.datasets.sim.culling import MovingSpheres, Probes, View
from pixelpush.datasets.sim.engine import mujoco
from pixelpush.datasets.sim.rays import Hits, RayCaster
from pixelpush.datasets.sim.still_view import StillView


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

        >>> nowhere = np.zeros(4, bool)
        >>> Reach(np.ones(1, bool), nowhere, [(np.ones(1, bool), nowhere)]).pixels().tolist()
        []
        """
        return np.flatnonzero(self.shaded | self.covered)

    @functools.cached_property
    def covered(self) -> np.ndarray:
        """bool (pixels,): where any of them may be seen.

        >>> seen = np.array([True, False])
        >>> Reach(np.ones(1, bool), ~seen, [(np.ones(1, bool), seen)]).covered.tolist()
        [True, False]
        """
        return np.logical_or.reduce([seen for _, seen in self.parts])


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
    >>> reach = Reach(arm, ~everywhere, [(arm, everywhere)])
    >>> seen = nearest(caster, reach, rays.eye, StillView(still, range(4), np.arange(64)))
    >>> set(scene.model.geom_bodyid[seen.hits.geom]) <= set(scene.arm_bodies)
    True
    """
    columns = np.flatnonzero(reach.covered.take(view.pixels))
    count = max(1, len(columns))
    rays = view.rays(columns)
    distance = view.distance(columns, rays)
    geom = np.full(distance.size, -1, np.int32)
    normal = np.zeros((distance.size, 3))
    # Parts come in the order of their bodies: of two things at one distance MuJoCo takes the first.
    for bodies, covered in reach.parts:
        may = np.flatnonzero(covered.take(view.pixels.take(columns)))
        hits = caster.cast(eye, rays.take(may, axis=1).reshape(-1, 3), bodies)
        nearer = np.flatnonzero(hits.distance < distance.take(may, axis=1).ravel())
        place = nearer // max(1, len(may)) * count + may.take(nearer % max(1, len(may)))
        geom[place] = hits.geom.take(nearer)
        distance.ravel()[place] = hits.distance.take(nearer)
        normal[place] = hits.normal.take(nearer, axis=0)
    met = np.flatnonzero(geom >= 0)
    return Seen(
        met // count * len(view.pixels) + columns.take(met % count),
        rays.reshape(-1, 3).take(met, axis=0),
        Hits(geom.take(met), distance.take(met), normal.take(met, axis=0)),
    )
