"""The splits: which objects an episode has, and its random numbers; the same in every laboratory.
Every choice is a pure function of (split, episode)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pixelpush.datasets.sim.draw import Draw
from pixelpush.datasets.sim.names import check_split
from pixelpush.datasets.sim.objects import POOL_SIZES
from pixelpush.errors import InputError

Pool = Literal["seen", "novel"]

# Episodes of a split that the manifest speaks of; any number may be asked for, episode i is always
# the same.
DEFAULT_EPISODES = {"train": 5000, "val": 256, "test-seen": 256, "test-novel": 256}
SIZES = (64, 128, 256)
FEWEST_OBJECTS, MOST_OBJECTS = 8, 15
# Two episodes share a station and a choice of objects, and with it a compiled model.
EPISODES_PER_FILLING = 2


@dataclass(frozen=True)
class Filling:
    """What lies in the bin: numbers of objects in a pool."""

    pool: Pool
    objects: tuple[int, ...]


def check_size(size: int) -> None:
    if size not in SIZES:
        raise InputError(
            f"sim: frames are {', '.join(map(str, SIZES))} pixels high and wide, not {size}."
        )


def check_episodes(split: str, episodes: int | None) -> int:
    """The number of episodes asked for, or the split's own."""
    check_split(split)
    episodes = DEFAULT_EPISODES[split] if episodes is None else episodes
    if not 1 <= episodes <= 10_000_000:
        raise InputError(f"sim/{split}: episodes must be 1 to 10000000, not {episodes}.")
    return episodes


def default_others(training: int) -> int:
    """Episodes of val, test-seen and test-novel each, beside so many of train: a tenth, at least
    16, at most 256.

    >>> default_others(60), default_others(1000), default_others(5000)
    (16, 100, 256)
    """
    return min(256, max(16, training // 10))


def filling_of(split: str, episode: int) -> Filling:
    """Pool and objects of an episode."""
    check_split(split)
    number = episode // EPISODES_PER_FILLING
    draw = Draw("filling", split, number)
    pool: Pool = "novel" if split == "test-novel" else "seen"
    count = FEWEST_OBJECTS + draw.integer(MOST_OBJECTS - FEWEST_OBJECTS + 1)
    objects = tuple(draw.order(POOL_SIZES[pool])[:count])
    return Filling(pool, objects)


def episode_draw(split: str, episode: int) -> Draw:
    """The random numbers of an episode's physics."""
    return Draw("episode", split, episode)
