"""One episode of the simulated bin from (laboratory, split, number, size): physics, frames, labels.
A pure function."""

from __future__ import annotations

import functools
import hashlib
import json

import numpy as np

from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.sim.arm import JOINTS, Arm
from pixelpush.datasets.sim.kinematics import kinematics_of
from pixelpush.datasets.sim.physics import Rollout, simulate
from pixelpush.datasets.sim.renderer import Renderer
from pixelpush.datasets.sim.scene import Scene, build_scene
from pixelpush.datasets.sim.splits import Filling, episode_draw, filling_of
from pixelpush.datasets.sim.stations import arm_index, arm_of

# Raise it with every change that alters a single byte of any episode; stores of other versions are
# refused.
SCENE_VERSION = 4
RENDERER = "mj_multiRay, 4 to 64 samples"


def identity(laboratory: str, size: int) -> dict[str, str | int]:
    """What decides the bytes of every episode, with a hash of it under "hash"."""
    import mujoco

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
    return Renderer(_scene(arm, filling), size)


def scene_of(laboratory: str, split: str, episode: int) -> Scene:
    """The scene of an episode, before physics; the last ones are kept."""
    return _scene(arm_of(laboratory, split, episode), filling_of(split, episode))


def renderer_of(laboratory: str, split: str, episode: int, size: int) -> Renderer:
    """The renderer of an episode's scene; the last ones are kept."""
    return _renderer(arm_of(laboratory, split, episode), filling_of(split, episode), size)


def simulate_episode(laboratory: str, split: str, episode: int) -> Rollout:
    """The physics of an episode."""
    scene = scene_of(laboratory, split, episode)
    return simulate(scene, kinematics_of(scene.arm), episode_draw(split, episode))


def generate_episode(laboratory: str, split: str, episode: int, size: int = 64) -> Episode:
    """The clean episode: frames uint8 (20, 3, size, size), states and actions float32 (20, 5).

    extra: ``object_poses`` float32 (20, objects, 7), place and quaternion; ``segmentation`` uint8
    (20, size, size), 0 background, 1 arm, 2 + k object k; ``objects`` int16 (objects,), their
    numbers in the pool; ``arm`` int16 ()."""
    filling = filling_of(split, episode)
    rollout = simulate_episode(laboratory, split, episode)
    renderer = renderer_of(laboratory, split, episode, size)
    frames, labels = renderer.render(rollout.configurations, rollout.moved)
    poses = rollout.configurations[:, JOINTS:].reshape(len(frames), len(filling.objects), 7)
    return Episode(
        frames=frames,
        states=rollout.states,
        actions=rollout.actions,
        id=f"{split}-{episode:07d}",
        extra={
            "object_poses": poses.astype(np.float32),
            "segmentation": labels,
            "objects": np.array(filling.objects, np.int16),
            "arm": np.array(arm_index(laboratory, split, episode), np.int16),
        },
    )
