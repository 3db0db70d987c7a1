"""From an episode's configurations to frames: what never moves is lit once, what moves is cast anew
for each frame.

Each pixel has four samples, each with its own place in the pixel and its own point of the lamp:
smooth edges and soft shadows for one shadow ray a sample. Of the still scene a sample keeps its
room light and its key light. In a frame, only pixels that something moving may cover get new rays,
and only points that it may shade get new shadow rays."""

from __future__ import annotations

import math

import mujoco
import numpy as np

from pixelpush.datasets.sim.arm import JOINTS
from pixelpush.datasets.sim.culling import MovingSpheres, Probes, View
from pixelpush.datasets.sim.lighting import (
    Blobs,
    Lamp,
    body_blobs,
    contact_darkening,
    corner_darkening,
    develop,
    key_light,
    room_light,
)
from pixelpush.datasets.sim.materials import linear
from pixelpush.datasets.sim.rays import (
    EVERYTHING,
    MOVING,
    ONLY_MOVING,
    ONLY_STILL,
    SAMPLES,
    STILL,
    Hits,
    cast,
    pixel_rays,
    unshaded,
)
from pixelpush.datasets.sim.scene import GUARD_GROUP, Scene
from pixelpush.datasets.sim.textures import pattern_mix

f32 = np.float32
LAMP_RADIUS = 0.055  # metres
BACKGROUND, ARM, FIRST_OBJECT = 0, 1, 2  # labels of the segmentation


class Renderer:
    """Renders episodes of one scene at one size."""

    def __init__(self, scene: Scene, size: int):
        self.scene, self.size, self.model = scene, size, scene.model
        self.data = mujoco.MjData(scene.model)
        self._eye, self._rays = pixel_rays(scene.arm, size)
        self._view = View(scene.arm, size)
        self._lamp = Lamp.of(scene.arm.light, linear(scene.arm.floor.colour))
        self._lamps = _lamp_points(scene)
        materials = scene.materials
        self._colour = np.array([linear(m.colour) for m in materials], f32)
        self._second = np.array([linear(m.second) for m in materials], f32)
        self._pattern = np.array([m.pattern for m in materials], np.int32)
        self._gloss = np.array([m.gloss for m in materials], f32)
        self._body = np.append(self.model.geom_bodyid, -1).astype(np.int32)  # [-1] is "no geom"
        self._label = _labels(scene)
        self._vignette = _vignette(size)
        self._prepared = b""

    def render(
        self, configurations: np.ndarray, moved: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Frames, uint8 (T, 3, N, N), and labels, uint8 (T, N, N), of configurations, float64 (T,
        nq).

        ``moved``: bool (T, objects), which objects have left their first place by then."""
        made = [self.frame(*moment) for moment in zip(configurations, moved, strict=True)]
        return np.stack([frame for frame, _ in made]), np.stack([label for _, label in made])

    def frame(self, configuration: np.ndarray, moved: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A frame, uint8 (3, N, N), and its labels, uint8 (N, N): a pure function of the
        arguments."""
        size = self.size
        self._pose(configuration)
        still = configuration[JOINTS:].reshape(-1, 7)[~moved]
        key = moved.tobytes() + still.tobytes()
        if key != self._prepared:
            self._part(moved)
            self._prepared = key
        light, label = self._frame()
        light *= self._vignette
        return develop(light).reshape(3, size, size), label.reshape(size, size)

    def _part(self, moved: np.ndarray) -> None:
        """Light anew what stands still, after something else has begun to move."""
        bodies = [
            body for body, moves in zip(self.scene.object_bodies, moved, strict=True) if moves
        ]
        moving = np.array([*self.scene.arm_bodies[1:], *bodies])  # the base stands still
        seen = self.model.geom_group != GUARD_GROUP
        self.model.geom_group[seen] = np.where(
            np.isin(self.model.geom_bodyid[seen], moving), MOVING, STILL
        )
        self._prepare_still(moving)

    def _pose(self, configuration: np.ndarray) -> None:
        self.data.qpos[:] = configuration
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_comPos(self.model, self.data)

    # --- the still scene, once an episode
    # ---------------------------------------------------------------------

    def _prepare_still(self, moving: np.ndarray) -> None:
        """Light every sample of what never moves."""
        samples, pixels = self._rays.shape[:2]
        self._spheres = MovingSpheres(self.model, np.flatnonzero(self.model.geom_group == MOVING))
        self._own_blobs = {
            int(body): body_blobs(self.model, int(body)) for body in self._blob_bodies()
        }
        still = self._blobs([body for body in self.scene.object_bodies if body not in moving])
        self._moving_blob_bodies = [body for body in self._own_blobs if body in moving]
        self._still_distance = np.empty((samples, pixels))
        self._still_geom = np.empty((samples, pixels), np.int32)
        self._room, self._key = (
            np.empty((samples, 3, pixels), f32),
            np.empty((samples, 3, pixels), f32),
        )
        self._point = np.empty((samples, pixels, 3))
        for number in range(samples):
            rays = self._rays[number]
            hits = cast(self.model, self.data, self._eye, rays, ONLY_STILL)
            distance = np.where(hits.geom < 0, 5.0, hits.distance)
            point = self._eye + rays * distance[:, None]
            room, key, normal = self._light(hits, point, rays, still)
            sees = unshaded(self.model, self.data, self._lamps[number], point, ONLY_STILL)
            self._room[number], self._key[number] = room, key * sees
            self._still_distance[number], self._still_geom[number] = distance, hits.geom
            self._point[number] = point
            if number == 0:
                self._still_normal = normal
        self._still_point = np.ascontiguousarray(self._point[0].T.astype(f32))
        self._still_body = self._body[self._still_geom[0]]
        self._still_label = _most(self._label[self._still_geom])
        self._mean_room, self._mean_key = _mean(self._room), _mean(self._key)
        lit, mixed = (
            self._key.max(axis=(0, 1)) > 0,
            (self._still_geom != self._still_geom[0]).any(axis=0),
        )
        self._probes = Probes(self._point, lit, mixed, self._lamps.mean(0), LAMP_RADIUS)

    def _blob_bodies(self) -> list[int]:
        return [*self.scene.object_bodies, self.scene.arm_bodies[-1]]

    def _blobs(self, bodies: list[int]) -> Blobs:
        centres, radii, owners = [np.zeros((0, 3))], [np.zeros(0)], [np.zeros(0, np.int32)]
        for body in bodies:
            local, radius = self._own_blobs[body]
            rotation = self.data.xmat[body].reshape(3, 3)
            turned = [sum(rotation[:, c] * point[c] for c in range(3)) for point in local]
            centres.append(np.array(turned) + self.data.xpos[body])
            radii.append(radius)
            owners.append(np.full(len(radius), body, np.int32))
        return Blobs(
            np.concatenate(centres).astype(f32),
            np.concatenate(radii).astype(f32),
            np.concatenate(owners),
        )

    # --- lighting hit points
    # ----------------------------------------------------------------------------------

    def _light(
        self, hits: Hits, point: np.ndarray, rays: np.ndarray, blobs: Blobs
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Room light and unshaded key light of hit points, (3, n) each, and their normals, float32
        (3, n)."""
        geom = hits.geom
        normal = np.ascontiguousarray(hits.normal.T.astype(f32))
        where = np.ascontiguousarray(point.T.astype(f32))
        view = np.ascontiguousarray(rays.T.astype(f32))
        albedo = self._albedo(geom, point)
        room = room_light(self._lamp, albedo, normal)
        room *= corner_darkening(where, normal)
        room *= contact_darkening(blobs, where, normal, self._body[geom])
        key = key_light(self._lamp, albedo, self._gloss[geom], where, normal, view)
        return room, key, normal

    def _albedo(self, geom: np.ndarray, point: np.ndarray) -> np.ndarray:
        """Colour of the surface at hit points: float32 (3, n)."""
        albedo = np.ascontiguousarray(self._colour[geom].T)
        textured = np.flatnonzero((self._pattern[geom] > 0) & (geom >= 0))
        if textured.size:
            g = geom[textured]
            relative = point[textured] - self.data.geom_xpos[g]
            rotation = self.data.geom_xmat[g]
            local = np.stack(
                [sum(relative[:, r] * rotation[:, 3 * r + c] for r in range(3)) for c in range(3)]
            )
            mix = pattern_mix(self._pattern[g], local.astype(f32))
            second = self._second[g].T
            albedo[:, textured] += (second - albedo[:, textured]) * mix
        return albedo

    # --- a frame
    # ----------------------------------------------------------------------------------------------

    def _frame(self) -> tuple[np.ndarray, np.ndarray]:
        """Linear light, float32 (3, pixels), and labels, uint8 (pixels,), of the current pose."""
        blobs = self._blobs(self._moving_blob_bodies)
        near = contact_darkening(blobs, self._still_point, self._still_normal, self._still_body)
        light = self._mean_room * near + self._mean_key
        spheres = self._spheres.centres(self.data), self._spheres.radius
        covered, shaded = self._view.may_cover(*spheres), self._probes.may_shade(*spheres)
        dirty = np.flatnonzero(covered | shaded)
        samples = self._room[:, :, dirty] * near[dirty]
        key = self._key[:, :, dirty]
        geom = self._still_geom[:, dirty]
        self._shade_still(shaded[dirty], dirty, key)
        samples += key
        self._draw_moving(covered[dirty], dirty, samples, geom)
        light[:, dirty] = _mean(samples)
        label = self._still_label.copy()
        label[dirty] = _most(self._label[geom])
        return light, label

    def _shade_still(self, may: np.ndarray, dirty: np.ndarray, key: np.ndarray) -> None:
        """Take the key light from still samples that something moving shades."""
        chosen = np.flatnonzero(may)
        for number, lamp in enumerate(self._lamps):
            which = chosen[key[number, 0, chosen] > 0]
            points = self._point[number, dirty[which]]
            sees = unshaded(self.model, self.data, lamp, points, ONLY_MOVING)
            key[number][:, which[~sees]] = 0

    def _draw_moving(
        self, may: np.ndarray, dirty: np.ndarray, samples: np.ndarray, geom: np.ndarray
    ) -> None:
        """Replace samples that see something moving before the still scene."""
        chosen = np.flatnonzero(may)
        rays = self._rays[:, dirty[chosen]]
        count = len(chosen)
        hits = cast(self.model, self.data, self._eye, rays.reshape(-1, 3), ONLY_MOVING)
        front = hits.distance < self._still_distance[:, dirty[chosen]].ravel()
        front = np.flatnonzero(front)
        if front.size == 0:
            return
        taken = Hits(hits.geom[front], hits.distance[front], hits.normal[front])
        directions = rays.reshape(-1, 3)[front]
        point = self._eye + directions * taken.distance[:, None]
        blobs = self._blobs([*self._own_blobs])
        room, key, _ = self._light(taken, point, directions, blobs)
        number, pixel = front // count, chosen[front % count]
        for lamp in range(len(SAMPLES)):
            of = np.flatnonzero((number == lamp) & (key[0] > 0))
            sees = unshaded(self.model, self.data, self._lamps[lamp], point[of], EVERYTHING)
            key[:, of[~sees]] = 0
        samples[number, :, pixel] = (room + key).T
        geom[number, pixel] = taken.geom


def _dot(a: np.ndarray, b: np.ndarray) -> float:
    return float(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])


def _mean(samples: np.ndarray) -> np.ndarray:
    """Over the four samples, in a fixed order."""
    return (samples[0] + samples[1] + samples[2] + samples[3]) * f32(0.25)


def _most(labels: np.ndarray) -> np.ndarray:
    """The label that most of a pixel's four samples have; the first of those that tie. (4, n) ->
    (n,)."""
    a, b, c, d = labels
    most = a.copy()
    other = (a != b) & (a != c) & (a != d)
    second, third = other & ((b == c) | (b == d)), other & (b != c) & (c == d)
    most[second] = b[second]
    most[third] = c[third]
    return most


def _labels(scene: Scene) -> np.ndarray:
    """uint8 (geoms + 1,): the label of each geom; the last entry, index -1, is for no geom."""
    by_body = np.zeros(scene.model.nbody, np.uint8)
    by_body[list(scene.arm_bodies)] = ARM
    for slot, body in enumerate(scene.object_bodies):
        by_body[body] = FIRST_OBJECT + slot
    return np.append(by_body[scene.model.geom_bodyid], np.uint8(BACKGROUND))


def _lamp_points(scene: Scene) -> np.ndarray:
    """float64 (samples, 3): points of a disc that faces the bin; each sample is lit from another
    one."""
    centre = np.array(scene.arm.light.position)
    towards = centre / math.sqrt(_dot(centre, centre))
    side = np.array([-towards[1], towards[0], 0.0])
    side /= math.hypot(side[0], side[1])
    up = np.cross(towards, side)
    angles = [0.4 + k * math.pi / 2 for k in range(len(SAMPLES))]
    return np.array(
        [centre + LAMP_RADIUS * (math.cos(a) * side + math.sin(a) * up) for a in angles]
    )


def _vignette(size: int) -> np.ndarray:
    """float32 (pixels,): a lens gives a little less light away from the middle."""
    steps = (np.arange(size, dtype=f32) + f32(0.5)) * f32(2 / size) - 1
    square = steps[:, None] * steps[:, None] + steps[None] * steps[None]
    return (1 - f32(0.075) * square).ravel()
