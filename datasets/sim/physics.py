"""One episode of pushing: objects are dropped and settle, then the hand follows commands for twenty
frames."""

from __future__ import annotations

import math
from dataclasses import dataclass

import mujoco
import numpy as np

from pixelpush.datasets.sim.arm import JOINTS
from pixelpush.datasets.sim.draw import Draw
from pixelpush.datasets.sim.kinematics import Kinematics, tool_pose
from pixelpush.datasets.sim.policy import Pusher, start_pose
from pixelpush.datasets.sim.rotations import IDENTITY, X90, about, compose
from pixelpush.datasets.sim.scene import TIME_STEP, Scene

FRAMES = 20
FRAMES_PER_SECOND = 5
STEPS = round(1 / FRAMES_PER_SECOND / TIME_STEP)  # of physics a frame
SETTLE_STEPS = round(0.9 / TIME_STEP)
_CONTROL = 8  # steps between two joint targets
_ARRIVE = (
    0.65  # the command is interpolated over this share of a frame; the rest is for catching up
)
_CELLS = 4  # objects are dropped over a grid of so many cells a side
_PITCH = 0.11  # metres between cells


@dataclass(frozen=True)
class Rollout:
    """joints: float64 (T, nq), the whole configuration. states, actions: float32 (T, 5). The
    arrays' T is FRAMES."""

    configurations: np.ndarray
    states: np.ndarray
    actions: np.ndarray


def simulate(scene: Scene, kinematics: Kinematics, draw: Draw) -> Rollout:
    """Drop the objects, let them settle, push for FRAMES frames. A pure function of the scene and
    the draw."""
    model, count = scene.model, len(scene.object_bodies)
    data = mujoco.MjData(model)
    site = model.site("tool").id
    command = start_pose(draw)
    joints = kinematics.solve(kinematics.home, command, 100)
    data.qpos[:JOINTS] = joints
    data.ctrl[:] = joints
    _drop(data, count, command, draw)
    mujoco.mj_step(model, data, SETTLE_STEPS)
    data.qvel[:] = 0
    data.time = 0
    pusher = Pusher(draw, count)
    configurations = np.empty((FRAMES, model.nq))
    states, actions = np.empty((FRAMES, 5), np.float32), np.empty((FRAMES, 5), np.float32)
    for frame in range(FRAMES):
        mujoco.mj_kinematics(model, data)
        configurations[frame] = data.qpos
        states[frame] = tool_pose(data, site)
        target = pusher.next_command(command, data.xpos[list(scene.object_bodies), :2])
        actions[frame] = target
        if frame + 1 < FRAMES:
            joints = _follow(model, data, kinematics, joints, command, target)
        command = target
    return Rollout(configurations, states, actions)


def _drop(data: mujoco.MjData, count: int, hand: np.ndarray, draw: Draw) -> None:
    """Put the objects over grid cells that the hand leaves free, in random order, turned at
    random."""
    middle = (_CELLS - 1) / 2
    cells = [
        ((i - middle) * _PITCH, (j - middle) * _PITCH) for i in range(_CELLS) for j in range(_CELLS)
    ]
    free = [cell for cell in cells if math.hypot(cell[0] - hand[0], cell[1] - hand[1]) > 0.085]
    order = draw.order(len(free))
    for slot in range(count):
        x, y = free[order[slot % len(free)]]
        layer = slot // len(free)
        start = JOINTS + 7 * slot
        data.qpos[start : start + 3] = [
            x + draw.uniform(-0.02, 0.02),
            y + draw.uniform(-0.02, 0.02),
            0.05 + 0.06 * layer,
        ]
        tipped = X90 if draw.uniform() < 0.25 else IDENTITY
        data.qpos[start + 3 : start + 7] = compose(
            about((0, 0, 1), draw.uniform(-math.pi, math.pi)), tipped
        )


def _follow(
    model: mujoco.MjModel,
    data: mujoco.MjData,
    kinematics: Kinematics,
    joints: np.ndarray,
    start: np.ndarray,
    target: np.ndarray,
) -> np.ndarray:
    """A frame of physics while the command moves from ``start`` to ``target``; returns the last
    joint target."""
    for step in range(0, STEPS, _CONTROL):
        part = min(1.0, (step + _CONTROL) / (_ARRIVE * STEPS))
        joints = kinematics.solve(joints, start + part * (target - start), 2)
        data.ctrl[:] = joints
        mujoco.mj_step(model, data, _CONTROL)
    return joints
