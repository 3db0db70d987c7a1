"""From an episode's configurations to area-filtered frames. No OpenGL.

A pixel's level is the mean of the developed levels of samples spread over its area, each with a
point of the lamp of its own: smooth edges and soft shadows for one shadow ray a sample. So a
frame is the area average of the same frame at a larger size, as recorded frames are.

What never moves is lit once an episode. In a frame, only pixels that something moving may cover or
shade are looked at again: with a few samples, and with more where these disagree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pixelpush.datasets.sim.arm import JOINTS
from pixelpush.datasets.sim.blobs import contact_darkening
from pixelpush.datasets.sim.culling import MovingSpheres, Probes, View
from pixelpush.datasets.sim.drawing import Drawing
from pixelpush.datasets.sim.engine import mujoco
from pixelpush.datasets.sim.lighting import develop
from pixelpush.datasets.sim.moving import Moving
from pixelpush.datasets.sim.rays import PixelRays, RayCaster
from pixelpush.datasets.sim.samples import most
from pixelpush.datasets.sim.scene import Scene
from pixelpush.datasets.sim.shading import LAMP_RADIUS, Shader
from pixelpush.datasets.sim.still import StillScene

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
    all of them everywhere, which is slow and for comparison.

    >>> from pixelpush.datasets.sim.arm import ARMS
    >>> from pixelpush.datasets.sim.scene import build_scene
    >>> scene = build_scene(ARMS[0], "seen", (0,))
    >>> renderer = Renderer(scene, 8)
    >>> frame, label = renderer.frame(mujoco.MjData(scene.model).qpos, np.array([False]))
    >>> frame.shape, frame.dtype, ARM in label
    ((3, 8, 8), dtype('uint8'), True)
    """

    def __init__(self, scene: Scene, size: int, bounds: tuple[float, ...] = ROUGH):
        self.scene = scene
        self.size = size
        self.model = scene.model
        self.data = mujoco.MjData(scene.model)
        self._view = View(scene.arm, size)
        self._caster = RayCaster(self.model, self.data)
        self._shader = Shader(scene, self.data, self._caster)
        self._label = _labels(scene)
        self._vignette = _vignette(size)
        self._bounds = bounds
        self._still = StillScene(
            PixelRays(scene.arm, size),
            self._caster,
            self._shader,
            self._vignette,
            SAMPLES,
            bounds[-1],
        )
        self._rest: np.ndarray | None = None  # places of what stands still, zeros for what moves

    def render(
        self, configurations: np.ndarray, moved: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Frames, uint8 (T, 3, N, N), and labels, uint8 (T, N, N), of configurations.

        configurations: float64 (T, nq). moved: bool (T, objects), which objects have left their
        first place by then."""
        made = [self.frame(*moment) for moment in zip(configurations, moved, strict=True)]
        return np.stack([frame for frame, _ in made]), np.stack([label for _, label in made])

    def frame(self, configuration: np.ndarray, moved: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A frame, uint8 (3, N, N), and its labels, uint8 (N, N).

        A pure function of the arguments, of which ``render`` takes several."""
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
        moving = np.zeros(self.model.nbody, bool)
        moving[list(self.scene.arm_bodies[1:])] = True  # the arm's base stands still
        moving[list(self.scene.object_bodies)] = moved
        self._moving = Moving(self.model, moving)
        dark = self._shader.dark_bodies
        self._moving_dark = [body for body in dark if moving[body]]
        blobs = self._shader.blobs([body for body in dark if not moving[body]])
        still = self._still
        still.relight(pixels, ~moving, blobs)
        self._unmoved = self._levels(np.arange(self.size * self.size), f32(1))
        self._still_label = most(self._label[still.geom])
        mixed = (still.geom != still.geom[0]).any(axis=0)
        lamp = self._shader.lamp_points.mean(0)
        self._probes = Probes(still.point[: SAMPLES[0]], still.lit, mixed, lamp, LAMP_RADIUS)

    def _touched(self, started: np.ndarray) -> np.ndarray:
        """bool (pixels,): what the objects that start to move have covered, shaded and darkened
        in the current pose."""
        bodies = [self.scene.object_bodies[slot] for slot in np.flatnonzero(started)]
        where = self._spheres(bodies)
        points = self._still.point
        everywhere = np.ones(points.shape[1], bool)
        lamp = self._shader.lamp_points.mean(0)
        probes = Probes(points, everywhere, everywhere, lamp, LAMP_RADIUS)
        covered = self._view.may_cover(*where) | probes.may_shade(*where)
        return covered | self._still.beside(self._shader.blobs(bodies))

    def _spheres(self, bodies: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Centres, float64 (n, 3), and radii of spheres that hold bodies in the current pose."""
        spheres = MovingSpheres(self.model, np.flatnonzero(np.isin(self.model.geom_bodyid, bodies)))
        return spheres.centres(self.data), spheres.radius

    def _frame(self) -> tuple[np.ndarray, np.ndarray]:
        """Levels, float32 (3, pixels), and labels, uint8 (pixels,), of the current pose."""
        still = self._still
        shader = self._shader
        blobs = shader.blobs(self._moving_dark)
        first = still.first_point, still.first_normal, shader.body.take(still.geom[0])
        left = contact_darkening(blobs, *first)
        dark = np.flatnonzero(left != 1)
        unmoved = self._unmoved.copy()
        unmoved[:, dark] = self._levels(dark, left.take(dark))
        levels = unmoved.copy()
        label = self._still_label.copy()
        reach = self._moving.reach(self.data, self._view, self._probes)
        drawing = Drawing(
            still,
            shader,
            self._caster,
            self._vignette,
            reach,
            moving_blobs=blobs,
            blobs=shader.blobs(shader.dark_bodies),
        )
        pixels = reach.pixels()
        have = None
        for start, stop, bound in zip(
            (0, *SAMPLES), SAMPLES, (*self._bounds, np.inf), strict=False
        ):
            have = drawing.look(range(start, stop), pixels, have)
            levels[:, pixels] = have.mean(unmoved[:, pixels])
            label[pixels] = most(self._label[have.geom])
            rough = have.rough(bound, edges_only=start > 0 <= bound)
            if start == 0:
                rough |= self._outlines(pixels, have.geom[0])[pixels]
            chosen = np.flatnonzero(rough)
            pixels = pixels[chosen]
            have = have.of(chosen)
        return levels, label

    def _levels(self, pixels: np.ndarray, left: np.ndarray | np.float32) -> np.ndarray:
        """Levels, float32 (3, n), of pixels of the still scene.

        left: float32 (n,) or one for all, the share of the room's light that what moves leaves."""
        room, key, uneven = (
            part.take(pixels, axis=1)
            for part in (self._still.room, self._still.key, self._still.unevenness)
        )
        light = (room * left + key) * self._vignette.take(pixels)
        return np.clip(develop(light) + uneven, 0, 255)

    def _outlines(self, pixels: np.ndarray, geom: np.ndarray) -> np.ndarray:
        """bool, of all pixels: where a pixel beside one sees another geom, so that an edge may
        pass between its few samples. geom: the first sample's, of ``pixels``."""
        seen = self._still.geom[0].copy()
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
