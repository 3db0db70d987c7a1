"""One episode of the simulated bin from (split, number, size): physics, frames, labels. A pure
function."""

from __future__ import annotations

import functools
import hashlib
import json

import numpy as np

from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.sim.arm import JOINTS
from pixelpush.datasets.sim.kinematics import kinematics_of
from pixelpush.datasets.sim.physics import Rollout, simulate
from pixelpush.datasets.sim.renderer import Renderer
from pixelpush.datasets.sim.scene import Scene, build_scene
from pixelpush.datasets.sim.splits import Filling, episode_draw, filling_of

# Raise it with every change that alters a single byte of any episode; stores of other versions are
# refused.
SCENE_VERSION = 3
RENDERER = "mj_multiRay, 4 samples"

# An object whose pose numbers (metres, quaternion) never change by more than this lies still,
# exactly.
STILL_TOLERANCE = 5e-4


def identity(size: int) -> dict[str, str | int]:
    """What decides the bytes of every episode, with a hash of it under "hash"."""
    import mujoco

    parts = {
        "scene": SCENE_VERSION,
        "mujoco": mujoco.__version__,
        "renderer": RENDERER,
        "size": size,
    }
    text = json.dumps(parts, sort_keys=True)
    return {**parts, "hash": hashlib.sha256(text.encode()).hexdigest()[:16]}


@functools.lru_cache(maxsize=2)
def _scene(filling: Filling) -> Scene:
    return build_scene(filling.arm, filling.pool, filling.objects)


@functools.lru_cache(maxsize=2)
def _renderer(filling: Filling, size: int) -> Renderer:
    return Renderer(_scene(filling), size)


def simulate_episode(split: str, episode: int) -> tuple[Rollout, np.ndarray]:
    """The physics of an episode, and which objects moved, bool (objects,); those that did not lie
    exactly still."""
    filling = filling_of(split, episode)
    rollout = simulate(_scene(filling), kinematics_of(filling.arm), episode_draw(split, episode))
    poses = rollout.configurations[:, JOINTS:].reshape(
        len(rollout.configurations), len(filling.objects), 7
    )
    moved = np.abs(poses - poses[:1]).max(axis=(0, 2)) > STILL_TOLERANCE
    poses[:, ~moved] = poses[:1, ~moved]
    return rollout, moved


def generate_episode(split: str, episode: int, size: int = 64) -> Episode:
    """The clean episode: frames uint8 (20, 3, size, size), states and actions float32 (20, 5).

    extra: ``object_poses`` float32 (20, objects, 7), place and quaternion; ``segmentation`` uint8
    (20, size, size), 0 background, 1 arm, 2 + k object k; ``objects`` int16 (objects,), their
    numbers in the pool; ``arm`` int16 ()."""
    filling = filling_of(split, episode)
    rollout, moved = simulate_episode(split, episode)
    frames, labels = _renderer(filling, size).render(rollout.configurations, moved)
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
            "arm": np.array(filling.arm, np.int16),
        },
    )
