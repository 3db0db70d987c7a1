"""What a push is: a few straight segments of the hand, in the action space of the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pixelpush.datasets.sim.policy import HIGHEST, LOWEST
from pixelpush.errors import InputError
from pixelpush.vpn import VideoConfig, VideoPixelNetwork

# One step of a recorded pose, as a share of the spread of all poses: the same share that the
# networks see scaled to order one (vpn/model.py).
_STEP = 0.25
# Bounds of an unknown action space, in standard deviations round its mean.
_REACH = 2.5


@dataclass(frozen=True)
class PushSpace:
    """Actions that push: the first two entries move the hand over the table, the others stay.

    lowest, highest: float32 (A,), bounds of an action. slowest, fastest: length of the move of one
    frame, in the data's units. poses: whether an action is the pose to reach (a move is then added
    to the last one commanded) or the move itself.

    >>> space = sim_space()
    >>> pushes = space.actions(np.array([[[0.03, 0.0]]]), np.zeros(5, np.float32), frames=4)
    >>> pushes[0, :, 0].astype(float).round(2).tolist()
    [0.03, 0.06, 0.09, 0.12]
    """

    lowest: np.ndarray
    highest: np.ndarray
    slowest: float
    fastest: float
    poses: bool = True

    def moves(self, segments: np.ndarray) -> np.ndarray:
        """Bring moves (..., 2) to a length between ``slowest`` and ``fastest``."""
        length = np.linalg.norm(segments, axis=-1, keepdims=True)
        wanted = np.clip(length, self.slowest, self.fastest)
        return segments * (wanted / np.maximum(length, 1e-12))

    def actions(self, segments: np.ndarray, start: np.ndarray, frames: int) -> np.ndarray:
        """Actions float32 (N, K * frames, A) of N candidates of K segments, (N, K, 2).

        A segment is the move of one of its ``frames`` frames. start: (A,), the last action
        commanded. Poses stop at the bounds."""
        moves = np.repeat(self.moves(segments), frames, axis=1)
        actions = np.repeat(
            np.broadcast_to(start, (len(moves), 1, len(start))), moves.shape[1], axis=1
        ).astype(np.float64)
        if not self.poses:
            actions[..., :2] = moves
            return self.bounded(actions)
        pose = np.broadcast_to(start[:2], (len(moves), 2)).astype(np.float64)
        for time in range(moves.shape[1]):
            # Bound by bound, so that a push along a wall goes on along it.
            pose = np.clip(pose + moves[:, time], self.lowest[:2], self.highest[:2])
            actions[:, time, :2] = pose
        return self.bounded(actions)

    def bounded(self, actions: np.ndarray) -> np.ndarray:
        """Bring actions (..., A) within the bounds."""
        return np.clip(actions.astype(np.float32), self.lowest, self.highest)


def sim_space() -> PushSpace:
    """Return the pushes of the simulated bin's data: 18 to 35 mm a frame.

    >>> sim_space().fastest
    0.035
    """
    lowest = LOWEST.astype(np.float32)
    return PushSpace(lowest, HIGHEST.astype(np.float32), slowest=0.018, fastest=0.035)


def model_space(model: VideoPixelNetwork) -> PushSpace:
    """Return the pushes of whatever data a model was trained on, from its own statistics.

    Raises InputError where actions have fewer than two entries, or are neither poses nor moves.

    >>> from pixelpush.vpn import build_model
    >>> model_space(build_model("ot", frame_size=8, coarse_scales=0, action_kind="delta")).poses
    False
    """
    config: VideoConfig = model.config
    if config.action_dim < 2 or config.action_kind == "other":
        raise InputError(
            f"this model's actions ({config.action_dim} numbers, kind {config.action_kind!r}) do "
            "not say how they move a hand over a table; pushes cannot be planned in them."
        )
    poses = config.action_kind == "pose"
    mean = model.action_mean.cpu().numpy()
    spread = model.action_std.cpu().numpy()
    step = float(spread[:2].mean()) * (_STEP if poses else 1.0)
    return PushSpace(mean - _REACH * spread, mean + _REACH * spread, 0.5 * step, 1.25 * step, poses)
