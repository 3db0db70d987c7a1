"""One frame being drawn: its samples, lit as the moving things let them be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pixelpush.datasets.sim.blobs import Blobs, contact_darkening
from pixelpush.datasets.sim.lighting import develop
from pixelpush.datasets.sim.moving import Reach, nearest
from pixelpush.datasets.sim.rays import Hits, RayCaster
from pixelpush.datasets.sim.samples import Samples
from pixelpush.datasets.sim.shading import Shader
from pixelpush.datasets.sim.still import StillScene, StillView

f32 = np.float32


@dataclass(frozen=True)
class Drawing:
    """A frame of the still scene and of what moves before it.

    vignette: float32 (pixels,). reach: where what moves may be seen and throw a shadow.
    moving_blobs: of what moves; blobs: of everything. arm: bool (bodies,), the arm's; top: metres,
    the height over which nothing else reaches.

    >>> import mujoco
    >>> from pixelpush.datasets.sim.arm import ARMS
    >>> from pixelpush.datasets.sim.rays import PixelRays
    >>> from pixelpush.datasets.sim.scene import build_scene
    >>> scene = build_scene(ARMS[0], "seen", (0,))
    >>> data = mujoco.MjData(scene.model)
    >>> mujoco.mj_forward(scene.model, data)
    >>> caster = RayCaster(scene.model, data)
    >>> shader = Shader(scene, data, caster)
    >>> even = np.ones(64, f32)
    >>> still = StillScene(PixelRays(scene.arm, 8), caster, shader, even, (4, 16, 64), bound=14.0)
    >>> blobs = shader.blobs(shader.dark_bodies)
    >>> arm = np.isin(np.arange(scene.model.nbody), scene.arm_bodies)
    >>> still.relight(np.arange(64), ~arm, blobs)
    >>> seen = np.ones(64, bool)  # the arm moves, and may be seen in every pixel
    >>> reach = Reach(arm, ~seen, [(arm, seen)])
    >>> drawing = Drawing(still, shader, caster, even, reach, blobs, blobs, arm, top=1.0)
    >>> samples = drawing.look(range(4), np.arange(64), have=None)
    >>> samples.levels.shape, bool(samples.moving.any()), bool(samples.moving.all())
    ((3, 4, 64), True, False)
    """

    still: StillScene
    shader: Shader
    caster: RayCaster
    vignette: np.ndarray
    reach: Reach
    moving_blobs: Blobs
    blobs: Blobs
    arm: np.ndarray
    top: float

    def look(self, samples: range, pixels: np.ndarray, have: Samples | None) -> Samples:
        """``have``, the samples before ``samples`` of the same pixels, and these."""
        view = StillView(self.still, samples, pixels)
        eye = self.still.rays.eye
        hits = nearest(self.caster, self.reach, eye, view.rays, pixels, view.distance)
        moving = hits.geom >= 0
        shaded = self._shaded(view, ~moving)
        sees: np.ndarray = np.asarray(moving.any(axis=0))
        if have is not None:
            sees_already = have.moving.any(axis=0)
            self._complete(have, samples.start, pixels, np.flatnonzero(sees & ~sees_already))
            sees = np.logical_or(sees, sees_already)
        levels = self._still_levels(view, ~moving, shaded, sees)
        self._draw_moving(levels, view, hits)
        more = Samples(levels, np.where(moving, hits.geom, view.geom), moving, shaded)
        return more if have is None else have.joined(more)

    def _complete(self, have: Samples, count: int, pixels: np.ndarray, new: np.ndarray) -> None:
        """Give earlier samples their levels, in place, where something moving is seen only now."""
        view = StillView(self.still, range(count), pixels[new])
        chosen = np.ones((count, len(new)), bool)
        sees = np.ones(len(new), bool)
        have.levels[..., new] = self._still_levels(view, chosen, have.shaded[:, new], sees)

    def _shaded(self, view: StillView, still: np.ndarray) -> np.ndarray:
        """bool (samples, pixels): where moving things hide the lamp. still: bool, where nothing
        moving is seen."""
        sample, pixel = np.nonzero(still & self.reach.shaded[view.pixels] & view.lit)
        number = view.samples.start + sample
        shaded = np.zeros(still.shape, bool)
        shaded[sample, pixel] = self.shader.hidden(
            view.points(sample, pixel), number, self.reach.bodies
        )
        return shaded

    def _still_levels(
        self, view: StillView, still: np.ndarray, shaded: np.ndarray, sees: np.ndarray
    ) -> np.ndarray:
        """Levels of the samples that see the still scene, as ``Samples`` has them, else zeros.

        still, shaded: bool (samples, pixels). sees: bool (pixels,), where something moves."""
        levels = np.zeros((3, *still.shape), f32)
        sample, pixel = np.nonzero(still & (shaded | sees))
        part = view.of(sample, pixel)
        vignette = self.vignette[view.pixels[pixel]]
        point = part.point.T.astype(f32)
        body = self.shader.body[part.geom]
        room = part.room * contact_darkening(self.moving_blobs, point, part.normal, body)
        key = np.where(shaded[sample, pixel], 0, part.key)
        found = develop((room + key) * vignette)
        only = np.flatnonzero(~sees[pixel])
        found[:, only] -= develop((room[:, only] + part.key[:, only]) * vignette[only])
        levels[:, sample, pixel] = found
        return levels

    def _draw_moving(self, levels: np.ndarray, view: StillView, hits: Hits) -> None:
        """Put in the levels of samples that see something moving."""
        sample, pixel = np.nonzero(hits.geom >= 0)
        rays = view.rays[sample, pixel]
        at = sample, pixel
        taken = Hits(hits.geom[at], hits.distance[at], hits.normal[at])
        point = self.still.rays.eye + rays * taken.distance[:, None]
        room, key, _ = self.shader.light(taken, point, rays, self.blobs)
        self._shade(key, point, view.samples.start + sample)
        levels[:, sample, pixel] = develop((room + key) * self.vignette[view.pixels[pixel]])

    def _shade(self, key: np.ndarray, point: np.ndarray, sample: np.ndarray) -> None:
        """Take the key light, float32 (3, n), in place, from points that anything hides from it."""
        # The lamp is above, so only the arm can shade points above all else.
        above = point[:, 2] > self.top
        for some, bodies in ((above, self.arm), (~above, self.caster.everything)):
            chosen = np.flatnonzero(some & (key[0] > 0))
            hidden = self.shader.hidden(point[chosen], sample[chosen], bodies)
            key[:, chosen[hidden]] = 0
