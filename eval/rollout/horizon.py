"""What a rollout of a recorded episode is given: how many frames, which actions, which states, and
how much of the truth is known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixelpush.datasets.episodes import Episode
from pixelpush.errors import InputError
from pixelpush.eval.rollout.context_folder import read_vectors
from pixelpush.eval.rollout.settings import RolloutSettings

# Without --steps a rollout is as long as the papers': 18 predicted frames, or what the episode has.
USUAL_STEPS = 18


@dataclass(frozen=True)
class Horizon:
    """A planned rollout.

    steps: frames to sample. actions: float32 (context + steps - 1 or more, A). states: float32, the
    given ones (>= context, S). known: how many of the sampled frames have a recorded truth.

    >>> Horizon(2, np.zeros((3, 4)), np.zeros((2, 5)), known=2).steps
    2
    """

    steps: int
    actions: np.ndarray
    states: np.ndarray
    known: int


def plan_horizon(
    episode: Episode, context: int, settings: RolloutSettings, own_actions: np.ndarray | None = None
) -> Horizon:
    """Plan the rollout of an episode after ``context`` given frames.

    own_actions: float32 (n, A) in the place of the recorded ones, the first leading to the first
    sampled frame; what then happens is not recorded, so there is no truth and states are predicted.
    Raises InputError for an episode that is too short, and for more frames than there are actions
    unless ``settings.beyond`` says where they come from.

    >>> rows = np.zeros((5, 2), np.float32)
    >>> episode = Episode(np.zeros((5, 3, 8, 8), np.uint8), rows, rows, "a")
    >>> plan_horizon(episode, 2, RolloutSettings()).steps
    3
    >>> plan_horizon(episode, 2, RolloutSettings(steps=6, beyond="hold")).known
    3
    """
    recorded = len(episode.frames)
    if recorded - context < 1:
        raise InputError(
            f"episode {episode.id}: {recorded} frames leave nothing to predict after a context "
            f"of {context}."
        )
    # Action t leads from frame t to frame t + 1.
    future = episode.actions[context - 1 : recorded - 1] if own_actions is None else own_actions
    usual = USUAL_STEPS if own_actions is None else len(future)
    steps = settings.steps or min(len(future), usual)
    future = _reaching(episode.id, future, steps, settings.beyond)
    actions = np.concatenate([episode.actions[: context - 1], future[:steps]])
    if own_actions is not None:
        return Horizon(steps, actions, episode.states[:context], known=0)
    known = min(steps, recorded - context)
    if known == steps:
        actions = episode.actions[: context + steps]
    recorded_states = settings.states == "recorded"
    states = episode.states[: context + known] if recorded_states else episode.states[:context]
    return Horizon(steps, actions, states, known)


def _reaching(name: str, actions: np.ndarray, steps: int, beyond: str) -> np.ndarray:
    """``steps`` actions or more, of which the first are ``actions``."""
    if steps <= len(actions):
        return actions
    if beyond == "hold":
        return np.concatenate([actions, np.repeat(actions[-1:], steps - len(actions), axis=0)])
    if beyond == "loop":
        return np.tile(actions, (-(-steps // len(actions)), 1))
    raise InputError(
        f"episode {name}: --steps {steps}, but there are actions for {len(actions)} frames: "
        f"{steps - len(actions)} are missing. --beyond hold repeats the last one, --beyond loop "
        "begins again with the first."
    )


def read_actions(path: Path, width: int) -> np.ndarray:
    """The actions of a CSV file, float32 (n, width), a row each below a line of column names.

    Raises InputError for a file that is not there, is empty or has another number of columns.

    >>> read_actions(Path("actions.csv"), 0)
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: actions.csv: this model takes no actions; leave --actions out.
    """
    if not width:
        raise InputError(f"{path}: this model takes no actions; leave --actions out.")
    actions = read_vectors(path, width, "action")
    if len(actions) == 0:
        raise InputError(f"{path}: no row of actions below the line of column names.")
    return actions
