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
    where they may be seen, bool (pixels,)."""

    bodies: np.ndarray
    shaded: np.ndarray
    parts: list[tuple[np.ndarray, np.ndarray]]

    def pixels(self) -> np.ndarray:
        """Numbers of the pixels that something moving may change."""
        return np.flatnonzero(
            np.logical_or.reduce([self.shaded, *(seen for _, seen in self.parts)])
        )


class Moving:
    """The moving bodies, in two parts: with and without bounding volumes in MuJoCo.

    Rays cost more where there are none, so each part's are cast only where its own spheres are."""

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
    of what is returned have these shapes too."""
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
