"""From what is held to actions: how far each entry of the action moves in one frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pixelpush.eval.planning.space import sim_space
from pixelpush.vpn import VideoPixelNetwork

# Share of the spread of all poses that one frame's move has, and of all deltas.
_POSE_STEP, _DELTA_STEP = 0.25, 1.5
_REACH = 2.5  # standard deviations round the mean action
# The simulated bin's pushes (datasets/sim/policy.py): metres and radians a frame at full speed.
_BIN_STEP = np.array([0.03, 0.03, 0.004, 0.03, 0.12], np.float32)


@dataclass(frozen=True)
class Steering:
    """The actions that can be steered.

    lowest, highest, step: float32 (A,). poses: whether an action is the pose to reach, or the move
    itself.

    >>> steering = Steering(np.full(1, -1.0), np.ones(1), np.full(1, 0.25), poses=True)
    >>> float(steering.moved(np.array([0.5]), np.array([1.0]))[0])
    0.75
    """

    lowest: np.ndarray
    highest: np.ndarray
    step: np.ndarray
    poses: bool

    def moved(self, command: np.ndarray, held: np.ndarray) -> np.ndarray:
        """The next action, float32 (A,). held: (A,) in -1..1, full speed one way or the other."""
        move = np.clip(held, -1, 1) * self.step
        action = command + move if self.poses else self.rest(command) + move
        return np.clip(action, self.lowest, self.highest).astype(np.float32)

    def towards(self, command: np.ndarray, target: np.ndarray) -> np.ndarray:
        """The next action on the way to a target, no faster than at full speed."""
        if not self.poses:
            return np.clip(target, self.lowest, self.highest).astype(np.float32)
        return self.moved(command, (target - command) / self.step)

    def rest(self, command: np.ndarray) -> np.ndarray:
        """The action that moves nothing: the same pose again, or no move."""
        return command if self.poses else np.zeros_like(command)


def bin_steering() -> Steering:
    """The simulated bin's actions.

    >>> bin_steering().poses
    True
    """
    space = sim_space()
    return Steering(space.lowest, space.highest, _BIN_STEP, poses=True)


def model_steering(model: VideoPixelNetwork) -> Steering:
    """The actions of a model's data, from its own statistics.

    >>> from pixelpush.vpn import build_model
    >>> model_steering(build_model("ot", frame_size=8, coarse_scales=0)).step.tolist()
    [0.25, 0.25, 0.25, 0.25, 0.25]
    """
    mean, spread = model.action_mean.cpu().numpy(), model.action_std.cpu().numpy()
    poses = model.config.action_kind == "pose"
    step = spread * (_POSE_STEP if poses else _DELTA_STEP)
    return Steering(mean - _REACH * spread, mean + _REACH * spread, step, poses)
