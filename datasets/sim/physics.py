"""One episode of pushing: objects are dropped and settle, then the hand follows commands for twenty
frames."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import numpy as np

from pixelpush.datasets.sim.arm import JOINTS
from pixelpush.datasets.sim.draw import Draw
from pixelpush.datasets.sim.engine import mujoco
from pixelpush.datasets.sim.kinematics import Kinematics, tool_pose
from pixelpush.datasets.sim.policy import Pusher, start_pose
from pixelpush.datasets.sim.rotations import IDENTITY, X90, about, compose
from pixelpush.datasets.sim.scene import TIME_STEP, Scene

FRAMES = 20
FRAMES_PER_SECOND = 5
STEPS = round(1 / FRAMES_PER_SECOND / TIME_STEP)  # of physics a frame
SETTLE_STEPS = round(0.9 / TIME_STEP)
_CONTROL = 8  # steps between two joint targets
# The command is interpolated over this share of a frame; in the rest the arm catches up.
_ARRIVE = 0.65
_CELLS = 4  # objects are dropped over a grid of this many cells a side
_PITCH = 0.11  # metres between cells
# An object whose pose numbers (metres, quaternion) never change by more than this lies still,
# exactly.
STILL_TOLERANCE = 5e-4


@dataclass(frozen=True)
class Rollout:
    """An episode's physics, T = FRAMES.

    configurations: float64 (T, nq). moved: bool (T, objects), which objects had left their first
    place by then. states, actions: float32 (T, 5).

    >>> rows = np.zeros((FRAMES, 5), np.float32)
    >>> Rollout(np.zeros((FRAMES, 14)), np.zeros((FRAMES, 1), bool), rows, rows).states.shape
    (20, 5)
    """

    configurations: np.ndarray
    moved: np.ndarray
    states: np.ndarray
    actions: np.ndarray


@dataclass(frozen=True)
class Moment:
    """The full state of a ``Pushing``: what ``Pushing.restore`` goes on from, to the byte.

    >>> from pixelpush.datasets.sim.arm import ARMS
    >>> from pixelpush.datasets.sim.kinematics import kinematics_of
    >>> from pixelpush.datasets.sim.scene import build_scene
    >>> scene = build_scene(ARMS[0], "seen", (0,))
    >>> pushing = Pushing(scene, kinematics_of(scene.arm), Draw("example"))
    >>> start = pushing.moment()
    >>> pushing.step(pushing.command.astype(np.float32))
    >>> pushing.restore(start)
    >>> bool((pushing.command == start.command).all())
    True
    """

    physics: mujoco.MjData
    joints: np.ndarray
    command: np.ndarray
    first: np.ndarray
    moved: np.ndarray

    def __reduce__(self) -> str:
        raise TypeError(
            "a moment of the simulated bin cannot be pickled: MuJoCo's pickle forgets what sleeps; "
            "reset the bin and replay the actions."
        )


class Pushing:
    """A scene in motion: objects are dropped and settle, then each step is a frame of physics.

    configuration: float64 (nq,), joints and poses, where an object that never left its first place
    by more than STILL_TOLERANCE has exactly that place. moved: bool (objects,), which objects did.

    >>> from pixelpush.datasets.sim.arm import ARMS
    >>> from pixelpush.datasets.sim.kinematics import kinematics_of
    >>> from pixelpush.datasets.sim.scene import build_scene
    >>> scene = build_scene(ARMS[0], "seen", (0,))
    >>> pushing = Pushing(scene, kinematics_of(scene.arm), Draw("example"))
    >>> pushing.state().shape, pushing.object_places().shape, pushing.moved.tolist()
    ((5,), (1, 2), [False])
    """

    def __init__(self, scene: Scene, kinematics: Kinematics, draw: Draw):
        self._model = scene.model
        self._kinematics = kinematics
        self._bodies = list(scene.object_bodies)
        self._tool = scene.model.site("tool").id
        self._data = data = mujoco.MjData(scene.model)
        self.command = start_pose(draw)
        self._joints = kinematics.solve(kinematics.home, self.command, 100)
        data.qpos[:JOINTS] = self._joints
        data.ctrl[:] = self._joints
        _drop(data, len(self._bodies), self.command, draw)
        mujoco.mj_step(self._model, data, SETTLE_STEPS)
        data.qvel[:] = 0
        data.time = 0
        self._first = self._poses(data.qpos).copy()
        self.moved = np.zeros(len(self._bodies), bool)
        self._look()

    def step(self, command: np.ndarray) -> None:
        """Run a frame of physics, while the command moves from the last one to ``command``.

        command: float32 (5,)."""
        # What an episode records is float32: its replay must be given the same numbers.
        target = command.astype(np.float64)
        for step in range(0, STEPS, _CONTROL):
            part = min(1.0, (step + _CONTROL) / (_ARRIVE * STEPS))
            pose = self.command + part * (target - self.command)
            self._joints = self._kinematics.solve(self._joints, pose, 2)
            self._data.ctrl[:] = self._joints
            mujoco.mj_step(self._model, self._data, _CONTROL)
        self.command = target
        self._look()

    def state(self) -> np.ndarray:
        """float32 (5,): x, y, z in metres, pitch, yaw in radians of the finger's tip."""
        return tool_pose(self._data, self._tool).astype(np.float32)

    def object_places(self) -> np.ndarray:
        """float64 (objects, 2): x and y in metres."""
        return self._data.xpos[self._bodies, :2]

    def moment(self) -> Moment:
        """A copy of the full state; later steps do not change it. ``restore`` goes back to it."""
        # A whole copy of MuJoCo's data: its state vectors leave out which objects sleep.
        return Moment(
            copy.copy(self._data), self._joints, self.command, self._first, self.moved.copy()
        )

    def restore(self, moment: Moment) -> None:
        """Go back to a moment of this scene."""
        self._data = copy.copy(moment.physics)
        self._joints = moment.joints
        self.command = moment.command
        self._first = moment.first
        self.moved = moment.moved.copy()
        self._look()

    def _poses(self, configuration: np.ndarray) -> np.ndarray:
        return configuration[JOINTS:].reshape(-1, 7)

    def _look(self) -> None:
        """Bring places and ``configuration`` up to date."""
        mujoco.mj_kinematics(self._model, self._data)
        self.configuration = self._data.qpos.copy()
        poses = self._poses(self.configuration)
        self.moved |= np.abs(poses - self._first).max(axis=1) > STILL_TOLERANCE
        poses[~self.moved] = self._first[~self.moved]


def simulate(scene: Scene, kinematics: Kinematics, draw: Draw) -> Rollout:
    """Drop the objects, let them settle, push for FRAMES frames.

    A pure function of the scene and the draw.

    >>> from pixelpush.datasets.sim.arm import ARMS
    >>> from pixelpush.datasets.sim.kinematics import kinematics_of
    >>> from pixelpush.datasets.sim.scene import build_scene
    >>> scene = build_scene(ARMS[0], "seen", (0,))
    >>> rollout = simulate(scene, kinematics_of(scene.arm), Draw("example"))
    >>> rollout.configurations.shape, rollout.moved.shape  # 7 joints and a pose of 7 numbers
    ((20, 14), (20, 1))
    """
    count = len(scene.object_bodies)
    pushing = Pushing(scene, kinematics, draw)
    pusher = Pusher(draw, count)
    configurations = np.empty((FRAMES, scene.model.nq))
    moved = np.empty((FRAMES, count), bool)
    states = np.empty((FRAMES, 5), np.float32)
    actions = np.empty((FRAMES, 5), np.float32)
    for frame in range(FRAMES):
        configurations[frame] = pushing.configuration
        moved[frame] = pushing.moved
        states[frame] = pushing.state()
        actions[frame] = pusher.next_command(pushing.command, pushing.object_places())
        if frame + 1 < FRAMES:
            pushing.step(actions[frame])
    return Rollout(configurations, moved, states, actions)


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
