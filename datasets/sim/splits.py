"""The splits: which objects an episode has, and its random numbers; the same in every laboratory.
Every choice is a pure function of (split, episode)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pixelpush.datasets.sim.draw import Draw
from pixelpush.datasets.sim.names import check_split, default_others
from pixelpush.datasets.sim.objects import POOL_SIZES
from pixelpush.errors import InputError

Pool = Literal["seen", "novel"]

# Episodes of a split that the manifest speaks of; any number may be asked for, episode i is always
# the same.
DEFAULT_EPISODES = {"train": 5000, "val": 256, "test-seen": 256, "test-novel": 256}
FIRST_TRAINING = 64  # of train, where none are prepared and no number is given
SIZES = (64, 128, 256)
FEWEST_OBJECTS = 8
MOST_OBJECTS = 15
# Two episodes share a station and a choice of objects, and with it a compiled model.
EPISODES_PER_FILLING = 2


@dataclass(frozen=True)
class Filling:
    """What lies in the bin: numbers of objects in a pool.

    >>> Filling("seen", (3, 7)).objects
    (3, 7)
    """

    pool: Pool
    objects: tuple[int, ...]


def check_size(size: int) -> None:
    """Refuse with an InputError a size of frames that is not made.

    >>> check_size(100)
    Traceback (most recent call last):
    pixelpush.errors.InputError: sim: frames are 64, 128, 256 pixels high and wide, not 100.
    """
    if size not in SIZES:
        raise InputError(
            f"sim: frames are {', '.join(map(str, SIZES))} pixels high and wide, not {size}."
        )


def check_episodes(split: str, episodes: int) -> None:
    """Refuse with an InputError an unknown split, or a number of episodes that it cannot have.

    >>> check_episodes("train", 0)
    Traceback (most recent call last):
    pixelpush.errors.InputError: sim/train: episodes must be 1 to 10000000, not 0.
    """
    check_split(split)
    if not 1 <= episodes <= 10_000_000:
        raise InputError(f"sim/{split}: episodes must be 1 to 10000000, not {episodes}.")


def first_episodes(split: str) -> int:
    """How many episodes are made where none are prepared and no number is given.

    >>> first_episodes("train"), first_episodes("val")
    (64, 16)
    """
    return FIRST_TRAINING if split == "train" else default_others(FIRST_TRAINING)


def filling_of(split: str, episode: int) -> Filling:
    """Pool and objects of an episode.

    >>> filling_of("train", 0) == filling_of("train", 1), filling_of("test-novel", 0).pool
    (True, 'novel')
    """
    check_split(split)
    number = episode // EPISODES_PER_FILLING
    draw = Draw("filling", split, number)
    pool: Pool = "novel" if split == "test-novel" else "seen"
    count = FEWEST_OBJECTS + draw.integer(MOST_OBJECTS - FEWEST_OBJECTS + 1)
    objects = tuple(draw.order(POOL_SIZES[pool])[:count])
    return Filling(pool, objects)


def episode_draw(split: str, episode: int) -> Draw:
    """The random numbers of an episode's physics.

    >>> episode_draw("train", 0).uniform() == episode_draw("train", 1).uniform()
    False
    """
    return Draw("episode", split, episode)
