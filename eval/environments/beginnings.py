"""How an episode of an environment begins: two frames of the bin, of a store, or of a user."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pixelpush.datasets import is_simulated, open_dataset
from pixelpush.datasets.sim.names import check_split, parse_name
from pixelpush.errors import InputError
from pixelpush.eval.planning.bin import PushingBin
from pixelpush.eval.planning.space import sim_space

CONTEXT = 2  # frames that are given
OPTIONS = ("episode", "split", "frames", "states", "actions", "point", "goal")


@dataclass(frozen=True)
class Beginning:
    """Frames uint8 (T, C, H, W), states float32 (T, S) and actions (T - 1, A) that led from frame
    to frame. name: for people.

    >>> rows = np.zeros((2, 5), np.float32)
    >>> Beginning(np.zeros((2, 3, 8, 8), np.uint8), rows, rows[1:], "black").copy().name
    'black'
    """

    frames: np.ndarray
    states: np.ndarray
    actions: np.ndarray
    name: str

    def copy(self) -> Beginning:
        """The same in arrays of its own."""
        return Beginning(self.frames.copy(), self.states.copy(), self.actions.copy(), self.name)


@dataclass(frozen=True)
class Goal:
    """A point of the last given frame and where it shall go: column and row of both.

    >>> Goal(point=np.array([3, 4]), goal=np.array([5, 6])).goal.tolist()
    [5, 6]
    """

    point: np.ndarray
    goal: np.ndarray


def begin_bin(laboratory: str, split: str, episode: int, size: int) -> tuple[PushingBin, Beginning]:
    """The simulated bin at an episode's beginning, after one step with the hand at rest.

    A model needs two frames to predict from. The bin goes on from the second. Raises InputError
    for an unknown split and a number below 0.

    >>> begin_bin("sim", "val", -1, size=64)
    Traceback (most recent call last):
    pixelpush.errors.InputError: episode -1: episodes are counted from 0.
    """
    check_split(split)
    _check_number(episode)
    bin = PushingBin(laboratory, split, episode, size)
    bin.step(_hold(bin))
    return bin, _bin_beginning(laboratory, split, episode, size).copy()


def _hold(bin: PushingBin) -> np.ndarray:
    """The action that leaves the hand where it is."""
    return sim_space().bounded(bin.command)


# Resets come back to the same episodes. Drawing their two frames is the slowest part of a reset.
@functools.lru_cache(maxsize=256)
def _bin_beginning(laboratory: str, split: str, episode: int, size: int) -> Beginning:
    bin = PushingBin(laboratory, split, episode, size)
    frames = [bin.frame()]
    states = [bin.state()]
    hold = _hold(bin)
    bin.step(hold)
    frames.append(bin.frame())
    states.append(bin.state())
    name = f"{laboratory}/{split} {episode}"
    return Beginning(np.stack(frames), np.stack(states), hold[None], name)


def find_beginning(data: str, split: str, episode: int, size: int) -> Beginning:
    """The beginning of an episode: of the simulated bin, or of a prepared data set.

    >>> find_beginning("sim", "val", -1, size=64)
    Traceback (most recent call last):
    pixelpush.errors.InputError: episode -1: episodes are counted from 0.
    """
    _check_number(episode)
    if is_simulated(data):
        check_split(split)
        return _bin_beginning(parse_name(data)[0], split, episode, size).copy()
    episodes = open_dataset(data, split)
    if episode >= len(episodes):
        raise InputError(
            f"episode {episode}: {episodes.name} has episodes 0 to {len(episodes) - 1}."
        )
    recorded = episodes[episode]
    if len(recorded.frames) < CONTEXT:
        raise InputError(f"episode {recorded.id}: {len(recorded.frames)} frames, {CONTEXT} needed.")
    return Beginning(
        recorded.frames[:CONTEXT],
        recorded.states[:CONTEXT],
        recorded.actions[: CONTEXT - 1],
        recorded.id,
    )


def _check_number(episode: int) -> None:
    if episode < 0:
        raise InputError(f"episode {episode}: episodes are counted from 0.")


def given_beginning(options: Mapping[str, Any]) -> Beginning:
    """The beginning that a caller gives: frames, states, and the actions between them.

    >>> given_beginning({"frames": np.zeros((2, 3, 8, 8), np.uint8)}).actions.shape
    (1, 0)
    >>> given_beginning({"frames": np.zeros((3, 8, 8))})
    Traceback (most recent call last):
    pixelpush.errors.InputError: options frames: uint8 (T, C, H, W) is needed, got float64 (3, ...
    """
    frames = np.asarray(options["frames"])
    if frames.dtype != np.uint8 or frames.ndim != 4:
        raise InputError(
            f"options frames: uint8 (T, C, H, W) is needed, got {frames.dtype} {frames.shape}."
        )
    empty = np.zeros((len(frames), 0), np.float32)
    states = np.asarray(options.get("states", empty), np.float32)
    actions = np.asarray(options.get("actions", empty[1:]), np.float32)
    return Beginning(frames, states, actions[: len(frames) - 1], "given frames")


def check_options(options: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Refuse options of ``reset`` that are unknown or incomplete.

    >>> check_options({"episode": 3})
    {'episode': 3}
    >>> check_options({"episod": 3})
    Traceback (most recent call last):
    pixelpush.errors.InputError: reset: unknown option 'episod'; the options are episode, ...
    """
    given = options or {}
    unknown = sorted(set(given) - set(OPTIONS))
    if unknown:
        raise InputError(
            f"reset: unknown option {unknown[0]!r}; the options are {', '.join(OPTIONS)}."
        )
    if ("point" in given) != ("goal" in given):
        raise InputError("reset: give point and goal together, each a column and a row.")
    return given


def goal_of(options: Mapping[str, Any]) -> Goal | None:
    """The goal in the options of ``reset``, if there is one.

    >>> goal_of({"point": (3, 4), "goal": (5, 6)}).point.tolist()
    [3.0, 4.0]
    >>> goal_of({}) is None
    True
    """
    if "point" not in options:
        return None
    point, goal = (np.asarray(options[name], np.float32) for name in ("point", "goal"))
    if point.shape != (2,) or goal.shape != (2,):
        raise InputError("reset: point and goal are a column and a row each.")
    return Goal(point, goal)
