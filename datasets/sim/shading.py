"""How samples are lit: materials, room light, key light, and which of them the lamp sees."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pixelpush.datasets.sim.blobs import Blobs, body_blobs, contact_darkening
from pixelpush.datasets.sim.engine import mujoco
from pixelpush.datasets.sim.lighting import (
    Lamp,
    corner_darkening,
    key_light,
    room_light,
)
from pixelpush.datasets.sim.materials import linear
from pixelpush.datasets.sim.rays import Hits, RayCaster
from pixelpush.datasets.sim.scene import Scene
from pixelpush.datasets.sim.textures import pattern_mix

f32 = np.float32
LAMP_RADIUS = 0.055  # metres
# The lamp is a disc of this many points, each of which lights samples all over a pixel.
LAMP_POINTS = 16


class Shader:
    """Light on the surfaces of one scene, in the pose that ``data`` has.

    in_bin: whether the walls of the bin darken what is near them.

    >>> from pixelpush.datasets.sim.arm import ARMS
    >>> from pixelpush.datasets.sim.scene import build_scene
    >>> scene = build_scene(ARMS[0], "seen", (0,))
    >>> data = mujoco.MjData(scene.model)
    >>> mujoco.mj_forward(scene.model, data)
    >>> shader = Shader(scene, data, RayCaster(scene.model, data))
    >>> set(shader.dark_bodies) == {*scene.object_bodies, scene.arm_bodies[-1]}
    True
    """

    def __init__(self, scene: Scene, data: mujoco.MjData, caster: RayCaster, in_bin: bool = True):
        self.model = scene.model
        self._data = data
        self._caster = caster
        self._in_bin = in_bin
        self._lamp = Lamp.of(scene.arm.light, linear(scene.arm.floor.colour))
        self.lamp_points = _lamp_points(scene)
        materials = scene.materials
        self._colour = np.array([linear(m.colour) for m in materials], f32).T.copy()
        self._second = np.array([linear(m.second) for m in materials], f32).T.copy()
        self._pattern = np.array([m.pattern for m in materials], np.int32)
        self._textured = np.append(self._pattern > 0, False)  # [-1] is "no geom"
        self._gloss = np.array([m.gloss for m in materials], f32)
        self.body = np.append(self.model.geom_bodyid, -1).astype(np.int32)  # [-1] is "no geom"
        # What darkens the room's light beside it: every object, and the hand where there is one.
        self.dark_bodies = (*scene.object_bodies, *scene.arm_bodies[-1:])
        own = [body_blobs(self.model, body) for body in self.dark_bodies]
        self._blob_place = np.concatenate([place for place, _ in own])
        self._blob_radius = np.concatenate([radius for _, radius in own])
        self._blob_body = np.repeat(self.dark_bodies, [len(radius) for _, radius in own])

    def blobs(self, bodies: Sequence[int]) -> Blobs:
        """The spheres that stand in for some of ``dark_bodies`` in the current pose."""
        wanted = np.zeros(self.model.nbody, bool)
        wanted[list(bodies)] = True
        chosen = wanted.take(self._blob_body)
        body = self._blob_body[chosen]
        place = self._blob_place[chosen]
        rotation = self._data.xmat[body].reshape(-1, 3, 3)
        turned = sum(rotation[:, :, c] * place[:, c, None] for c in range(3))
        centre = (turned + self._data.xpos[body]).astype(f32)
        return Blobs(centre, self._blob_radius[chosen].astype(f32), body.astype(np.int32))

    def light(
        self, hits: Hits, point: np.ndarray, rays: np.ndarray, blobs: Blobs
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Room light, unshaded key light and normals of hit points, float32 (3, n) each.

        point, rays: float64 (n, 3)."""
        geom = hits.geom
        normal = np.ascontiguousarray(hits.normal.T.astype(f32))
        where = np.ascontiguousarray(point.T.astype(f32))
        view = np.ascontiguousarray(rays.T.astype(f32))
        albedo = self._albedo(geom, point)
        room = room_light(self._lamp, albedo, normal)
        if self._in_bin:
            room *= corner_darkening(where, normal)
        room *= contact_darkening(blobs, where, normal, self.body.take(geom))
        key = key_light(self._lamp, albedo, self._gloss.take(geom), where, normal, view)
        return room, key, normal

    def hidden(self, point: np.ndarray, sample: np.ndarray, bodies: np.ndarray) -> np.ndarray:
        """Whether bodies hide points from the point of the lamp that is their sample's: bool (n,).

        point: float64 (n, 3). sample: int (n,). bodies: bool (bodies,)."""
        # A bijection for each run of LAMP_POINTS samples: it uses every lamp point once. The XOR
        # gives each run another order, so that a pixel's later samples are not paired with the same
        # points.
        lamp = sample % LAMP_POINTS ^ sample // LAMP_POINTS * 5
        return self._caster.hidden(self.lamp_points, lamp, point, bodies)

    def shade(
        self, key: np.ndarray, point: np.ndarray, sample: np.ndarray, bodies: np.ndarray
    ) -> None:
        """Take the key light, float32 (3, n), in place, from points that bodies hide from it."""
        lit = np.flatnonzero(key[0] > 0)
        hidden = self.hidden(point.take(lit, axis=0), sample.take(lit), bodies)
        key[:, lit[hidden]] = 0

    def _albedo(self, geom: np.ndarray, point: np.ndarray) -> np.ndarray:
        """Colour of the surface at hit points: float32 (3, n)."""
        albedo = self._colour.take(geom, axis=1)
        textured = np.flatnonzero(self._textured.take(geom))
        if textured.size:
            g = geom.take(textured)
            relative = (point.take(textured, axis=0) - self._data.geom_xpos.take(g, axis=0)).T
            rotation = self._data.geom_xmat.T
            local = np.empty((3, len(g)), f32)
            for c in range(3):
                x, y, z = (relative[r] * rotation[3 * r + c].take(g) for r in range(3))
                local[c] = x + y + z
            mix = pattern_mix(self._pattern.take(g), local)
            for colour, second in zip(albedo, self._second, strict=True):
                first = colour.take(textured)
                colour[textured] = first + (second.take(g) - first) * mix
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
