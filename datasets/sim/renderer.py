"""From an episode's configurations to area-filtered frames. No OpenGL.

A pixel's level is the mean of the developed levels of samples spread over its area, each with a
point of the lamp of its own: smooth edges and soft shadows for one shadow ray a sample. A frame is
so the area average of the same frame at a larger size, as recorded frames are.

What never moves is lit once an episode. In a frame, only pixels that something moving may cover or
shade are looked at again: with a few samples, and with more where these disagree."""

from __future__ import annotations

import mujoco
import numpy as np

from pixelpush.datasets.sim.arm import JOINTS
from pixelpush.datasets.sim.culling import MovingSpheres, Probes, View
from pixelpush.datasets.sim.lighting import Blobs, contact_darkening, develop
from pixelpush.datasets.sim.rays import (
    EVERYTHING,
    MOVING,
    ONLY_MOVING,
    STILL,
    Hits,
    PixelRays,
    cast,
)
from pixelpush.datasets.sim.samples import Samples, most
from pixelpush.datasets.sim.scene import GUARD_GROUP, Scene
from pixelpush.datasets.sim.shading import LAMP_RADIUS, Shader
from pixelpush.datasets.sim.still import StillSamples, StillScene

f32 = np.float32
# Labels of the segmentation.
BACKGROUND = 0
ARM = 1
FIRST_OBJECT = 2
# Samples of a pixel, stage by stage, and by how many levels those of a stage must differ for the
# next: an edge of contrast c comes out wrong by c / 15 with 4 samples, c / 40 with 16, c / 130
# with 64 on average.
SAMPLES = (4, 16, 64)
ROUGH = (4.0, 14.0)
EVERY_SAMPLE = (-1.0, -1.0)


class Renderer:
    """Renders episodes of one scene at one size.

    bounds: by how many levels a stage's samples must differ for the next stage; EVERY_SAMPLE takes
    all of them everywhere, which is slow and for comparison."""

    def __init__(self, scene: Scene, size: int, bounds: tuple[float, ...] = ROUGH):
        self.scene = scene
        self.size = size
        self.model = scene.model
        self.data = mujoco.MjData(scene.model)
        self._rays = PixelRays(scene.arm, size)
        self._view = View(scene.arm, size)
        self._shader = Shader(scene, self.data)
        self._label = _labels(scene)
        self._vignette = _vignette(size)
        self._bounds = bounds
        self._still = StillScene(
            self.data, self._rays, self._shader, self._vignette, SAMPLES, bounds[-1]
        )
        self._rest: np.ndarray | None = None  # places of what stands still, zeros for what moves

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
        self._part(configuration, moved)
        self._pose(configuration)
        levels, label = self._frame()
        shape = self.size, self.size
        return (levels + f32(0.5)).astype(np.uint8).reshape(3, *shape), label.reshape(shape)

    def _pose(self, configuration: np.ndarray) -> None:
        self.data.qpos[:] = configuration
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_comPos(self.model, self.data)

    def _part(self, configuration: np.ndarray, moved: np.ndarray) -> None:
        """Tell what moves from what is still, and light anew what this changes."""
        rest = np.where(moved[:, None], 0, configuration[JOINTS:].reshape(-1, 7))
        if self._rest is not None and np.array_equal(rest, self._rest):
            return
        before = self._rest
        started = moved if before is None else moved & before.any(axis=1)
        pixels = np.arange(self.size * self.size)
        if before is not None and np.array_equal(rest, np.where(moved[:, None], 0, before)):
            # Only what those that start have covered, shaded and darkened is another now.
            self._pose(np.concatenate((configuration[:JOINTS], before.ravel())))
            pixels = np.flatnonzero(self._touched(started))
        self._rest = rest
        self._pose(configuration)
        moving = self._sort_geoms(moved)
        dark = self._shader.dark_bodies
        self._moving_dark = [body for body in dark if body in moving]
        still = self._still
        base = self._still.base
        still.relight(pixels, self._shader.blobs([body for body in dark if body not in moving]))
        self._still_label = most(self._label[base.geom])
        lit = base.key.max(axis=(0, 1)) > 0
        mixed = (base.geom != base.geom[0]).any(axis=0)
        lamp = self._shader.lamp_points.mean(0)
        self._probes = Probes(base.point[: SAMPLES[0]], lit, mixed, lamp, LAMP_RADIUS)

    def _sort_geoms(self, moved: np.ndarray) -> list[int]:
        """Put each geom into the group of what moves or of what is still; returns the bodies that
        move."""
        objects = zip(self.scene.object_bodies, moved, strict=True)
        moving = [*self.scene.arm_bodies[1:], *(body for body, moves in objects if moves)]
        seen = self.model.geom_group != GUARD_GROUP  # the arm's base stands still
        self.model.geom_group[seen] = np.where(
            np.isin(self.model.geom_bodyid[seen], moving), MOVING, STILL
        )
        self._spheres = MovingSpheres(self.model, np.flatnonzero(self.model.geom_group == MOVING))
        return moving

    def _touched(self, started: np.ndarray) -> np.ndarray:
        """bool (pixels,): what the objects that start to move have covered, shaded and darkened
        in the current pose."""
        bodies = [self.scene.object_bodies[slot] for slot in np.flatnonzero(started)]
        geoms = np.flatnonzero(np.isin(self.model.geom_bodyid, bodies))
        spheres = MovingSpheres(self.model, geoms)
        where = spheres.centres(self.data), spheres.radius
        points = self._still.base.point
        everywhere = np.ones(points.shape[1], bool)
        lamp = self._shader.lamp_points.mean(0)
        probes = Probes(points, everywhere, everywhere, lamp, LAMP_RADIUS)
        covered = self._view.may_cover(*where) | probes.may_shade(*where)
        return covered | self._still.beside(self._shader.blobs(bodies))

    def _frame(self) -> tuple[np.ndarray, np.ndarray]:
        """Levels, float32 (3, pixels), and labels, uint8 (pixels,), of the current pose."""
        still = self._still
        blobs = self._shader.blobs(self._moving_dark)
        first = still.first_point, still.base.normal[0], self._shader.body[still.base.geom[0]]
        near = contact_darkening(blobs, *first)
        light = (still.room * near + still.key) * self._vignette
        unmoved = np.clip(develop(light) + still.unevenness, 0, 255)
        levels = unmoved.copy()
        label = self._still_label.copy()
        spheres = self._spheres.centres(self.data), self._spheres.radius
        covered = self._view.may_cover(*spheres)
        shaded = self._probes.may_shade(*spheres)
        pixels = np.flatnonzero(covered | shaded)
        have = None
        for start, stop, bound in zip(
            (0, *SAMPLES), SAMPLES, (*self._bounds, np.inf), strict=False
        ):
            more = self._samples(range(start, stop), pixels, covered, shaded, blobs)
            have = more if have is None else have.joined(more)
            levels[:, pixels] = have.mean(unmoved[:, pixels])
            label[pixels] = most(self._label[have.geom])
            rough = have.rough(bound, edges_only=start > 0 <= bound)
            if start == 0:
                rough |= self._outlines(pixels, have.geom[0])[pixels]
            chosen = np.flatnonzero(rough)
            pixels = pixels[chosen]
            have = have.of(chosen)
        return levels, label

    def _outlines(self, pixels: np.ndarray, geom: np.ndarray) -> np.ndarray:
        """bool, of all pixels: where a pixel beside one sees another geom, so that an edge may
        pass between its few samples. geom: the first sample's, of ``pixels``."""
        seen = self._still.base.geom[0].copy()
        seen[pixels] = geom
        seen = seen.reshape(self.size, self.size)
        outline = np.zeros(seen.shape, bool)
        across = seen[:, 1:] != seen[:, :-1]
        down = seen[1:] != seen[:-1]
        outline[:, 1:] |= across
        outline[:, :-1] |= across
        outline[1:] |= down
        outline[:-1] |= down
        return outline.ravel()

    def _samples(
        self,
        samples: range,
        pixels: np.ndarray,
        covered: np.ndarray,
        shaded: np.ndarray,
        blobs: Blobs,
    ) -> Samples:
        """Samples of ``pixels``. covered, shaded: bool, of all pixels, where something moving may
        be seen or throw a shadow. blobs: of what moves."""
        still = self._still.take(samples, pixels)
        vignette = self._vignette[pixels]
        light = still.room * self._near(still, blobs)
        before = develop((light + still.key) * vignette)
        self._shade_still(samples, np.flatnonzero(shaded[pixels]), still)
        light += still.key
        moving = np.zeros(still.geom.shape, bool)
        chosen = np.flatnonzero(covered[pixels])
        self._draw_moving(samples, pixels, chosen, still, light, moving)
        return Samples(develop(light * vignette), before, still.geom, moving)

    def _near(self, still: StillSamples, blobs: Blobs) -> np.ndarray:
        """The share of the room's light that moving things beside still samples leave them:
        float32 (samples, 1, pixels)."""
        count = still.geom.size
        point = still.point.reshape(count, 3).T.astype(f32)
        normal = still.normal.transpose(1, 0, 2).reshape(3, count)
        near = contact_darkening(blobs, point, normal, self._shader.body[still.geom].ravel())
        return near.reshape(len(still.geom), 1, -1)

    def _shade_still(self, samples: range, may: np.ndarray, still: StillSamples) -> None:
        """Take the key light from still samples that something moving shades."""
        numbers = np.repeat(samples, len(may))
        key = still.key[..., may].transpose(1, 0, 2).reshape(3, -1)
        self._shader.shade(key, still.point[:, may].reshape(-1, 3), numbers, ONLY_MOVING)
        still.key[..., may] = key.reshape(3, len(samples), -1).transpose(1, 0, 2)

    def _draw_moving(
        self,
        samples: range,
        pixels: np.ndarray,
        may: np.ndarray,
        still: StillSamples,
        light: np.ndarray,
        moving: np.ndarray,
    ) -> None:
        """Replace samples that see something moving before the still scene: light, geom of
        ``still`` and ``moving``, in place."""
        rays = self._rays.through(samples, pixels[may]).reshape(-1, 3)
        hits = cast(self.model, self.data, self._rays.eye, rays, ONLY_MOVING)
        front = np.flatnonzero(hits.distance < still.distance[:, may].ravel())
        if front.size == 0:
            return
        taken = Hits(hits.geom[front], hits.distance[front], hits.normal[front])
        point = self._rays.eye + rays[front] * taken.distance[:, None]
        blobs = self._shader.blobs([*self._shader.dark_bodies])
        room, key, _ = self._shader.light(taken, point, rays[front], blobs)
        row = front // len(may)
        pixel = may[front % len(may)]
        self._shader.shade(key, point, samples.start + row, EVERYTHING)
        light[row, :, pixel] = (room + key).T
        still.geom[row, pixel] = taken.geom
        moving[row, pixel] = True


def _labels(scene: Scene) -> np.ndarray:
    """uint8 (geoms + 1,): the label of each geom; the last entry, index -1, is for no geom."""
    by_body = np.zeros(scene.model.nbody, np.uint8)
    by_body[list(scene.arm_bodies)] = ARM
    for slot, body in enumerate(scene.object_bodies):
        by_body[body] = FIRST_OBJECT + slot
    return np.append(by_body[scene.model.geom_bodyid], np.uint8(BACKGROUND))


def _vignette(size: int) -> np.ndarray:
    """float32 (pixels,): a lens gives a little less light away from the middle."""
    steps = (np.arange(size, dtype=f32) + f32(0.5)) * f32(2 / size) - 1
    square = steps[:, None] * steps[:, None] + steps[None] * steps[None]
    return (1 - f32(0.075) * square).ravel()
