"""How samples are lit: materials, room light, key light, and which of them the lamp sees."""

from __future__ import annotations

import math

import mujoco
import numpy as np

from pixelpush.datasets.sim.lighting import (
    Blobs,
    Lamp,
    body_blobs,
    contact_darkening,
    corner_darkening,
    key_light,
    room_light,
)
from pixelpush.datasets.sim.materials import linear
from pixelpush.datasets.sim.rays import Hits, unshaded
from pixelpush.datasets.sim.scene import Scene
from pixelpush.datasets.sim.textures import pattern_mix

f32 = np.float32
LAMP_RADIUS = 0.055  # metres
# The lamp is a disc of this many points, each of which lights samples all over a pixel.
LAMP_POINTS = 16


class Shader:
    """Light on the surfaces of one scene, in the pose that ``data`` has."""

    def __init__(self, scene: Scene, data: mujoco.MjData):
        self.model = scene.model
        self._data = data
        self._lamp = Lamp.of(scene.arm.light, linear(scene.arm.floor.colour))
        self.lamp_points = _lamp_points(scene)
        materials = scene.materials
        self._colour = np.array([linear(m.colour) for m in materials], f32)
        self._second = np.array([linear(m.second) for m in materials], f32)
        self._pattern = np.array([m.pattern for m in materials], np.int32)
        self._gloss = np.array([m.gloss for m in materials], f32)
        self.body = np.append(self.model.geom_bodyid, -1).astype(np.int32)  # [-1] is "no geom"
        # What darkens the room's light beside it: every object, and the hand.
        self.dark_bodies = (*scene.object_bodies, scene.arm_bodies[-1])
        self._own_blobs = {body: body_blobs(self.model, body) for body in self.dark_bodies}

    def blobs(self, bodies: list[int]) -> Blobs:
        """The spheres that stand in for some of ``dark_bodies`` in the current pose."""
        centres = [np.zeros((0, 3))]
        radii = [np.zeros(0)]
        owners = [np.zeros(0, np.int32)]
        for body in bodies:
            local, radius = self._own_blobs[body]
            rotation = self._data.xmat[body].reshape(3, 3)
            turned = [sum(rotation[:, c] * point[c] for c in range(3)) for point in local]
            centres.append(np.array(turned) + self._data.xpos[body])
            radii.append(radius)
            owners.append(np.full(len(radius), body, np.int32))
        return Blobs(
            np.concatenate(centres).astype(f32),
            np.concatenate(radii).astype(f32),
            np.concatenate(owners),
        )

    def light(
        self, hits: Hits, point: np.ndarray, rays: np.ndarray, blobs: Blobs
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Room light and unshaded key light of hit points, float32 (3, n) each, and their normals,
        float32 (3, n). point, rays: float64 (n, 3)."""
        geom = hits.geom
        normal = np.ascontiguousarray(hits.normal.T.astype(f32))
        where = np.ascontiguousarray(point.T.astype(f32))
        view = np.ascontiguousarray(rays.T.astype(f32))
        albedo = self._albedo(geom, point)
        room = room_light(self._lamp, albedo, normal)
        room *= corner_darkening(where, normal)
        room *= contact_darkening(blobs, where, normal, self.body[geom])
        key = key_light(self._lamp, albedo, self._gloss[geom], where, normal, view)
        return room, key, normal

    def shade(
        self, key: np.ndarray, point: np.ndarray, samples: np.ndarray, mask: np.ndarray
    ) -> None:
        """Take the key light, float32 (3, n), in place, from points, float64 (n, 3), that geoms of
        the groups in ``mask`` hide from the lamp. samples: int (n,), each point's sample."""
        lit = np.flatnonzero(key[0] > 0)
        lamps = samples[lit] % LAMP_POINTS ^ samples[lit] // LAMP_POINTS * 5
        for number, lamp in enumerate(self.lamp_points):
            of = lit[lamps == number]
            sees = unshaded(self.model, self._data, lamp, point[of], mask)
            key[:, of[~sees]] = 0

    def _albedo(self, geom: np.ndarray, point: np.ndarray) -> np.ndarray:
        """Colour of the surface at hit points: float32 (3, n)."""
        albedo = np.ascontiguousarray(self._colour[geom].T)
        textured = np.flatnonzero((self._pattern[geom] > 0) & (geom >= 0))
        if textured.size:
            g = geom[textured]
            relative = point[textured] - self._data.geom_xpos[g]
            rotation = self._data.geom_xmat[g]
            local = np.stack(
                [sum(relative[:, r] * rotation[:, 3 * r + c] for r in range(3)) for c in range(3)]
            )
            mix = pattern_mix(self._pattern[g], local.astype(f32))
            second = self._second[g].T
            albedo[:, textured] += (second - albedo[:, textured]) * mix
        return albedo


def _lamp_points(scene: Scene) -> np.ndarray:
    """float64 (LAMP_POINTS, 3): points of a disc that faces the bin."""
    centre = np.array(scene.arm.light.position)
    towards = centre / math.sqrt(_dot(centre, centre))
    side = np.array([-towards[1], towards[0], 0.0])
    side /= math.hypot(side[0], side[1])
    up = np.cross(towards, side)
    points = []
    for number in range(LAMP_POINTS):
        # A sunflower, in the order of reversed bits: the first few spread over the whole disc.
        place = int(f"{number:0{LAMP_POINTS.bit_length() - 1}b}"[::-1], 2)
        radius = LAMP_RADIUS * math.sqrt((place + 0.5) / LAMP_POINTS)
        angle = place * math.pi * (3 - math.sqrt(5))
        points.append(centre + radius * (math.cos(angle) * side + math.sin(angle) * up))
    return np.array(points)


def _dot(a: np.ndarray, b: np.ndarray) -> float:
    return float(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])
