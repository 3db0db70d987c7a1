"""What a data set is to the rest of the project: a sequence of episodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np

from pixelpush.errors import InputError

# What a source says about its data: JSON values by name, of which recording.py tells what the
# program reads. The others are the source's own, and kept as they are.
Metadata: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Episode:
    """One recorded or simulated episode of T frames.

    frames: uint8 (T, C, H, W). states: float32 (T, S). actions: float32 (T, A); ``actions[t]`` was
    commanded at frame t and leads to frame t+1. S or A may be 0. ``extra`` holds per-episode arrays
    for evaluation (the simulator's object poses, segmentation, noise entropy, ...). Disagreeing
    shapes are refused here, quoting both.

    >>> rows = np.zeros((2, 5), np.float32)
    >>> Episode(np.zeros((2, 3, 8, 8), np.uint8), rows, rows[:1], "a")
    Traceback (most recent call last):
    pixelpush.errors.InputError: episode a: actions (1, 5) and frames (2, 3, 8, 8) differ in length.
    """

    frames: np.ndarray
    states: np.ndarray
    actions: np.ndarray
    id: str
    extra: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self):
        if self.frames.dtype != np.uint8 or self.frames.ndim != 4:
            raise InputError(
                f"episode {self.id}: frames must be uint8 (T, C, H, W), got {self.frames.dtype} "
                f"{self.frames.shape}."
            )
        for name, array in (("states", self.states), ("actions", self.actions)):
            if array.dtype != np.float32 or array.ndim != 2:
                raise InputError(
                    f"episode {self.id}: {name} must be float32 (T, D), got {array.dtype} "
                    f"{array.shape}."
                )
            if len(array) != len(self.frames):
                raise InputError(
                    f"episode {self.id}: {name} {array.shape} and frames {self.frames.shape} "
                    "differ in length."
                )
            if not np.isfinite(array).all():
                row = int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])
                raise InputError(
                    f"episode {self.id}: {name} has a non-finite value at frame {row}; correct "
                    "it, or leave the episode out."
                )


class EpisodeDataset(Protocol):
    """A split: random access by index, nothing mutable. Reading an index is a pure function.

    >>> from pixelpush.datasets import open_dataset
    >>> open_dataset.__annotations__["return"]
    'EpisodeDataset'
    """

    name: str  # for people, e.g. "sim/test-novel"

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Episode: ...


class Prefix:
    """The first ``count`` episodes of a split, or all where it has fewer.

    >>> rows = np.zeros((1, 0), np.float32)
    >>> episodes = [Episode(np.zeros((1, 3, 8, 8), np.uint8), rows, rows, name) for name in "abc"]
    >>> [episode.id for episode in Prefix(episodes, 2)]
    ['a', 'b']
    """

    def __init__(self, episodes: EpisodeDataset, count: int):
        self._whole = episodes
        self._count = min(count, len(episodes))
        self.name = getattr(episodes, "name", "in memory")

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Episode:
        if not 0 <= index < self._count:
            raise IndexError(index)
        return self._whole[index]


def identity(episodes: EpisodeDataset) -> dict[str, int | str]:
    """What a split is: its number of episodes and its content hash, or its name where it has none.

    >>> identity([])
    {'episodes': 0, 'content': 'in memory'}
    """
    digest = getattr(episodes, "content_sha256", None)
    return {"episodes": len(episodes), "content": digest or getattr(episodes, "name", "in memory")}
