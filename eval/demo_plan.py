"""The amounts of data, training and samples in a demo."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """How much of everything. episodes: of each split. clips: to train on, for at most this many
    minutes. samples: of each episode; rollouts: episodes of each station. large: pixels at which
    the first future is drawn too, 0 for none. preset: what is trained where nothing is shipped.

    >>> Plan("tiny", {"train": 2, "val": 1}, 4, 0.1, 2, 8, 1, 1).preset
    'push-ot-small'
    """

    name: str
    episodes: dict[str, int]
    clips: int
    minutes: float
    batch_size: int
    clip_frames: int
    samples: int
    rollouts: int
    large: int = 0
    preset: str = "push-ot-small"
