"""One frame being drawn: its samples, lit as the moving things let them be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pixelpush.datasets.sim.blobs import Blobs, contact_darkening
from pixelpush.datasets.sim.lighting import develop
from pixelpush.datasets.sim.moving import Reach, Seen, nearest
from pixelpush.datasets.sim.rays import RayCaster
from pixelpush.datasets.sim.samples import Samples
from pixelpush.datasets.sim.shading import Shader
from pixelpush.datasets.sim.still import StillScene
from pixelpush.datasets.sim.still_view import StillView

f32 = np.float32


@dataclass(frozen=True)
class Drawing:
    """A frame of the still scene and of what moves before it.

    vignette: float32 (pixels,). reach: where what moves may be seen and throw a shadow.
    moving_blobs: of what moves; blobs: of everything.

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
    >>> reach = Reach(arm, seen, ~seen)
    >>> drawing = Drawing(still, shader, caster, even, reach, blobs, blobs)
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

    def look(self, samples: range, pixels: np.ndarray, have: Samples | None) -> Samples:
        """``have``, the samples before ``samples`` of the same pixels, and these."""
        view = StillView(self.still, samples, pixels)
        seen = nearest(self.caster, self.reach, self.still.rays.eye, view)
        geom = view.geom
        geom.ravel()[seen.numbers] = seen.hits.geom
        moving = np.zeros(geom.shape, bool)
        moving.ravel()[seen.numbers] = True
        shaded = self._shaded(view, ~moving)
        sees: np.ndarray = np.asarray(moving.any(axis=0))
        if have is not None:
            sees_already = have.moving.any(axis=0)
            self._complete(have, samples.start, pixels, np.flatnonzero(sees & ~sees_already))
            sees = np.logical_or(sees, sees_already)
        levels = np.zeros((3, *geom.shape), f32)
        still = np.flatnonzero(~moving & (shaded | sees))
        _put(levels, still, self._still_levels(view, still, shaded, sees))
        _put(levels, seen.numbers, self._moving_levels(view, seen))
        more = Samples(levels, geom, moving, shaded)
        return more if have is None else have.joined(more)

    def _complete(self, have: Samples, count: int, pixels: np.ndarray, new: np.ndarray) -> None:
        """Give earlier samples their levels, in place, where something moving is seen only now."""
        view = StillView(self.still, range(count), pixels.take(new))
        every = np.arange(count * len(new))
        sees = np.ones(len(new), bool)
        found = self._still_levels(view, every, have.shaded.take(new, axis=1), sees)
        have.levels[..., new] = found.reshape(3, count, -1)

    def _shaded(self, view: StillView, still: np.ndarray) -> np.ndarray:
        """bool (samples, pixels): where moving things hide the lamp. still: bool, where nothing
        moving is seen."""
        shaded = np.zeros(still.shape, bool)
        maybe = np.flatnonzero(still & self.reach.shaded.take(view.pixels))
        maybe = maybe.take(np.flatnonzero(view.lit(maybe)))
        number = view.samples.start + maybe // max(1, len(view.pixels))
        hidden = self.shader.hidden(view.points(maybe), number, self.reach.bodies)
        shaded.ravel()[maybe] = hidden
        return shaded

    def _still_levels(
        self, view: StillView, numbers: np.ndarray, shaded: np.ndarray, sees: np.ndarray
    ) -> np.ndarray:
        """Levels, float32 (3, n), of samples that see the still scene, as ``Samples`` has them.

        numbers: int (n,), as the view counts them. shaded: bool (samples, pixels). sees: bool
        (pixels,), where something moves."""
        pixel = numbers % max(1, len(view.pixels))
        part = view.of(numbers)
        vignette = self.vignette.take(view.pixels.take(pixel))
        point = np.ascontiguousarray(part.point.T.astype(f32))
        body = self.shader.body.take(part.geom)
        room = part.room * contact_darkening(self.moving_blobs, point, part.normal, body)
        key = part.key * ~shaded.ravel().take(numbers)
        found = develop((room + key) * vignette)
        # Where no sample of a pixel sees something moving, its levels are the change that shade
        # makes: the unshaded pixel is known from the still scene.
        only = np.flatnonzero(~sees.take(pixel))
        unshaded = room.take(only, axis=1) + part.key.take(only, axis=1)
        before = develop(unshaded * vignette.take(only))
        for colour in range(3):
            found[colour, only] -= before[colour]
        return found

    def _moving_levels(self, view: StillView, seen: Seen) -> np.ndarray:
        """Levels, float32 (3, n), of the samples that see something moving."""
        count = max(1, len(view.pixels))
        point = self.still.rays.eye + seen.rays * seen.hits.distance[:, None]
        room, key, _ = self.shader.light(seen.hits, point, seen.rays, self.blobs)
        sample = view.samples.start + seen.numbers // count
        self.shader.shade(key, point, sample, self.caster.everything)
        pixel = view.pixels.take(seen.numbers % count)
        return develop((room + key) * self.vignette.take(pixel))


def _put(levels: np.ndarray, numbers: np.ndarray, found: np.ndarray) -> None:
    """Put levels, float32 (3, n), in their places, int (n,), of float32 (3, samples, pixels)."""
    for to, colour in zip(levels, found, strict=True):
        to.ravel()[numbers] = colour
