"""Which robot and station an episode has, in each laboratory."""

from __future__ import annotations

from pixelpush.datasets.sim.arm import ARMS, HELD_OUT, TRAINING_ARMS, Arm
from pixelpush.datasets.sim.names import LABORATORIES
from pixelpush.datasets.sim.splits import EPISODES_PER_FILLING

__all__ = ["LABORATORIES", "arm_index", "arm_of"]


def arm_of(laboratory: str, split: str, episode: int) -> Arm:
    """The robot and station of an episode; alike within a filling, but for the camera in
    sim-cameras."""
    return ARMS[arm_index(laboratory, split, episode)]


def arm_index(laboratory: str, split: str, episode: int) -> int:
    """0 to 9: the training station or robot; 10: the held-out one."""
    if split not in ("train", "val"):
        return HELD_OUT
    return episode // EPISODES_PER_FILLING % len(TRAINING_ARMS)
