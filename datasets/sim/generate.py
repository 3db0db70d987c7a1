"""One episode of the simulated bin from (laboratory, split, number, size): physics, frames, labels.
A pure function."""

from __future__ import annotations

import functools
import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np

from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.sim.arm import Arm
from pixelpush.datasets.sim.engine import mujoco
from pixelpush.datasets.sim.kinematics import kinematics_of
from pixelpush.datasets.sim.physics import Rollout, simulate
from pixelpush.datasets.sim.scene import Scene, build_scene
from pixelpush.datasets.sim.splits import Filling, episode_draw, filling_of
from pixelpush.datasets.sim.stations import arm_index, arm_of

if TYPE_CHECKING:
    from pixelpush.datasets.sim.labels import Labeller
    from pixelpush.datasets.sim.renderer import Renderer

# Raise it with every change that alters a single byte of any episode; stores of other versions are
# refused.
SCENE_VERSION = 4
# What the bits are those of; tracing.py is another way to them.
RENDERER = "mj_multiRay, 4 to 64 samples"


def identity(laboratory: str, size: int) -> dict[str, str | int]:
    """What decides the bytes of every episode, with a hash of it under "hash".

    >>> sorted(identity("sim", 64))
    ['hash', 'laboratory', 'mujoco', 'renderer', 'scene', 'size']
    >>> identity("sim", 64)["hash"] == identity("sim", 128)["hash"]
    False
    """
    parts = {
        "laboratory": laboratory,
        "scene": SCENE_VERSION,
        "mujoco": mujoco.__version__,
        "renderer": RENDERER,
        "size": size,
    }
    text = json.dumps(parts, sort_keys=True)
    return {**parts, "hash": hashlib.sha256(text.encode()).hexdigest()[:16]}


@functools.lru_cache(maxsize=2)
def _scene(arm: Arm, filling: Filling) -> Scene:
    return build_scene(arm, filling.pool, filling.objects)


@functools.lru_cache(maxsize=2)
def _renderer(arm: Arm, filling: Filling, size: int) -> Renderer:
    # Numba takes a third of a second to load: only where frames are made.
    from pixelpush.datasets.sim.renderer import Renderer

    return Renderer(_scene(arm, filling), size)


@functools.lru_cache(maxsize=2)
def _labeller(arm: Arm, filling: Filling, size: int) -> Labeller:
    from pixelpush.datasets.sim.labels import Labeller

    return Labeller(_scene(arm, filling), size)


def scene_of(laboratory: str, split: str, episode: int) -> Scene:
    """The scene of an episode, before physics; the last ones are kept.

    >>> scene = scene_of("sim", "train", 0)
    >>> len(scene.object_bodies) == len(filling_of("train", 0).objects)
    True
    """
    return _scene(arm_of(laboratory, split, episode), filling_of(split, episode))


def renderer_of(laboratory: str, split: str, episode: int, size: int) -> Renderer:
    """The renderer of an episode's scene; the last ones are kept.

    >>> renderer_of("sim", "train", 0, 64).size
    64
    """
    return _renderer(arm_of(laboratory, split, episode), filling_of(split, episode), size)


def simulate_episode(laboratory: str, split: str, episode: int) -> Rollout:
    """The physics of an episode.

    >>> simulate_episode("sim", "test", 0)
    Traceback (most recent call last):
    pixelpush.errors.InputError: sim: no split 'test'; it has train, val, test-seen, test-novel.
    """
    scene = scene_of(laboratory, split, episode)
    return simulate(scene, kinematics_of(scene.arm), episode_draw(split, episode))


def labeller_of(laboratory: str, split: str, episode: int, size: int) -> Labeller:
    """The labeller of an episode's scene; the last ones are kept.

    >>> labeller_of("sim", "train", 0, 64) is labeller_of("sim", "train", 1, 64)  # of one filling
    True
    """
    return _labeller(arm_of(laboratory, split, episode), filling_of(split, episode), size)


def generate_episode(laboratory: str, split: str, episode: int, size: int = 64) -> Episode:
    """The clean episode: frames uint8 (20, 3, size, size), states and actions float32 (20, 5).

    extra: ``arm_places`` float32 (20, 6, 3), ``object_places`` float32 (20, objects, 3),
    ``object_visible`` float32 (20, objects) and ``object_poses`` float32 (20, objects, 7), see
    labels.py; ``segmentation`` uint8 (20, size, size), 0 background, 1 arm, 2 + k object k;
    ``objects`` int16 (objects,), their numbers in the pool; ``arm`` int16 (), the station.

    >>> generate_episode("sim", "test", 0)
    Traceback (most recent call last):
    pixelpush.errors.InputError: sim: no split 'test'; it has train, val, test-seen, test-novel.
    """
    rollout = simulate_episode(laboratory, split, episode)
    renderer = renderer_of(laboratory, split, episode, size)
    frames, segmentation = renderer.render(rollout.configurations, rollout.moved)
    labeller = labeller_of(laboratory, split, episode, size)
    labels = [labeller.label(configuration) for configuration in rollout.configurations]
    return Episode(
        frames=frames,
        states=rollout.states,
        actions=rollout.actions,
        id=f"{split}-{episode:07d}",
        extra={
            **{name: np.stack([label[name] for label in labels]) for name in labels[0]},
            "segmentation": segmentation,
            **about(laboratory, split, episode),
        },
    )


def about(laboratory: str, split: str, episode: int) -> dict[str, np.ndarray]:
    """What an episode is made of: ``objects`` int16 (objects,), ``arm`` int16 ().

    >>> int(about("sim", "train", 0)["arm"]), int(about("sim", "test-seen", 0)["arm"])
    (0, 10)
    """
    return {
        "objects": np.array(filling_of(split, episode).objects, np.int16),
        "arm": np.array(arm_index(laboratory, split, episode), np.int16),
    }
