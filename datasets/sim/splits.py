"""The splits: which arm and which objects an episode has. Every choice is a pure function of
(split, episode)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pixelpush.datasets.sim.arm import HELD_OUT, TRAINING_ARMS
from pixelpush.datasets.sim.draw import Draw
from pixelpush.datasets.sim.objects import POOL_SIZES
from pixelpush.errors import InputError

Pool = Literal["seen", "novel"]

# Episodes of a split unless told otherwise; any number may be asked for, episode i is always the
# same.
DEFAULT_EPISODES = {"train": 5000, "val": 256, "test-seen": 256, "test-novel": 256}
SIZES = (64, 128, 256)
FEWEST_OBJECTS, MOST_OBJECTS = 8, 15
EPISODES_PER_FILLING = (
    2  # two episodes share an arm and a choice of objects, and with it a compiled model
)


@dataclass(frozen=True)
class Filling:
    """What a compiled model is made of."""

    arm: int
    pool: Pool
    objects: tuple[int, ...]


def check_split(split: str) -> None:
    if split not in DEFAULT_EPISODES:
        raise InputError(f"sim: no split {split!r}; it has {', '.join(DEFAULT_EPISODES)}.")


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


def filling_of(split: str, episode: int) -> Filling:
    """Arm, pool and objects of an episode. Training arms take turns; the test splits have the
    held-out arm."""
    check_split(split)
    number = episode // EPISODES_PER_FILLING
    draw = Draw("filling", split, number)
    pool: Pool = "novel" if split == "test-novel" else "seen"
    count = FEWEST_OBJECTS + draw.integer(MOST_OBJECTS - FEWEST_OBJECTS + 1)
    objects = tuple(draw.order(POOL_SIZES[pool])[:count])
    arm = number % len(TRAINING_ARMS) if split in ("train", "val") else HELD_OUT
    return Filling(arm, pool, objects)


def episode_draw(split: str, episode: int) -> Draw:
    """The random numbers of an episode's physics."""
    return Draw("episode", split, episode)
