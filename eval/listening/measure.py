"""Whether a model uses its actions: its nats with the true ones against its nats with false ones.

A model that listens pays for a lie: with the actions of another episode, the recorded future is
less likely. Differences are paired by episode, so that their error is small. A model that does not
see its actions differs by exactly zero."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pixelpush.datasets.episodes import Episode
from pixelpush.errors import InputError
from pixelpush.eval.clips import Scoring, pixel_nats
from pixelpush.eval.statistics import Ratio, ratio
from pixelpush.progress import Advance
from pixelpush.vpn import VideoPixelNetwork

SHIFTED = "shifted"
SHUFFLED = "shuffled"
ZERO = "zero"
ACTIONS = "actions"
STATES = "states"
BOTH = "both"
FIELDS = {ACTIONS: ("actions",), STATES: ("states",), BOTH: ("actions", "states")}
# A difference this many standard errors from zero is believed.
BELIEVED = 3.0


@dataclass(frozen=True)
class Lie:
    """One way to be told something false. way: shifted, shuffled or zero. of: actions, states or
    both. dimension: only this one of the actions; None for all.

    >>> Lie(SHUFFLED, BOTH).name
    'shuffled actions and states'
    """

    way: str
    of: str = ACTIONS
    dimension: int | None = None

    @property
    def name(self) -> str:
        part = "" if self.dimension is None else f" [{self.dimension}]"
        return f"{self.way} {'actions and states' if self.of == BOTH else self.of}{part}"


@dataclass(frozen=True)
class Heard:
    """What one lie costs. cost: nats per sub-pixel above the true actions', with its error over
    episodes. per_frame: the same at each frame after the context. map: float64 (H, W), per pixel's
    sub-pixel, mean over frames. exactly_zero: no pixel changed by a single bit.

    >>> Heard(Lie(ZERO), Ratio(0.5, None), [0.5], np.zeros((8, 8)), exactly_zero=False).lie.name
    'zero actions'
    """

    lie: Lie
    cost: Ratio
    per_frame: list[float]
    map: np.ndarray
    exactly_zero: bool


@dataclass(frozen=True)
class Listening:
    """true: nats per sub-pixel as recorded. heard: what each lie costs.

    >>> Listening(Ratio(2.0, 0.1), [], episodes=4, context=2).true.value
    2.0
    """

    true: Ratio
    heard: list[Heard]
    episodes: int
    context: int

    def of(self, lie: Lie) -> Heard:
        return next(heard for heard in self.heard if heard.lie == lie)


def all_lies(action_dim: int) -> list[Lie]:
    """Every way on every part, then each action dimension alone, shuffled.

    >>> [lie.name for lie in all_lies(5)][-1]
    'shuffled actions [4]'
    """
    ways = [Lie(way, of) for of in (ACTIONS, STATES, BOTH) for way in (SHIFTED, SHUFFLED, ZERO)]
    return [*ways, *(Lie(SHUFFLED, ACTIONS, dimension) for dimension in range(action_dim))]


def listen(
    model: VideoPixelNetwork,
    episodes: Sequence[Episode],
    scoring: Scoring,
    shift: int = 3,
    lies: Sequence[Lie] | None = None,
    progress: Advance | None = None,
) -> Listening:
    """Score the episodes with the truth and under every lie.

    shift: frames by which 'shifted' values are delayed. 'shuffled' takes another episode's values,
    'zero' the training data's mean, which is what the network sees as 0. progress is called after
    every pass over the episodes. Raises InputError for fewer than two episodes.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0)
    >>> listen(model, [], Scoring())
    Traceback (most recent call last):
    pixelpush.errors.InputError: listening compares episodes: give at least two.
    """
    if len(episodes) < 2:
        raise InputError("listening compares episodes: give at least two.")
    if shift < 1:
        raise InputError(f"a shift of {shift} frames changes nothing; give at least 1.")
    true = pixel_nats(model, episodes, scoring)
    subpixels = [nats.size * model.config.colours for nats in true]
    heard = []
    for lie in all_lies(model.config.action_dim) if lies is None else lies:
        told = [tell(model, episodes, index, lie, shift) for index in range(len(episodes))]
        heard.append(
            _compare(lie, true, pixel_nats(model, told, scoring), subpixels, model.config.colours)
        )
        if progress is not None:
            progress(1)
    overall = ratio([float(nats.sum(dtype=np.float64)) for nats in true], subpixels)
    return Listening(overall, heard, len(episodes), scoring.context)


def tell(
    model: VideoPixelNetwork, episodes: Sequence[Episode], index: int, lie: Lie, shift: int
) -> Episode:
    """One episode with its actions or states replaced.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0)
    >>> rows = np.zeros((3, 5), np.float32)
    >>> a = Episode(np.zeros((3, 3, 8, 8), np.uint8), rows, rows, "a")
    >>> b = replace(a, actions=rows + 1)
    >>> float(tell(model, [a, b], 0, Lie(SHUFFLED), shift=1).actions.mean())
    1.0
    """
    episode = episodes[index]
    # Half-way round: never the episode itself, and each one's values are used once.
    other = episodes[(index + max(1, len(episodes) // 2)) % len(episodes)]
    changed = {}
    for field in FIELDS[lie.of]:
        own = getattr(episode, field)
        false = {
            SHIFTED: lambda own=own: np.concatenate((np.repeat(own[:1], shift, 0), own))[
                : len(own)
            ],
            SHUFFLED: lambda field=field, own=own: _as_long(getattr(other, field), len(own)),
            ZERO: lambda field=field, own=own: np.broadcast_to(_mean(model, field), own.shape),
        }[lie.way]()
        if lie.dimension is not None:
            kept = own.copy()
            kept[:, lie.dimension] = false[:, lie.dimension]
            false = kept
        changed[field] = np.ascontiguousarray(false, dtype=np.float32)
    return replace(episode, **changed)


def _mean(model: VideoPixelNetwork, field: str) -> np.ndarray:
    return getattr(model, f"{field[:-1]}_mean").cpu().numpy()


def _as_long(values: np.ndarray, length: int) -> np.ndarray:
    """The first ``length`` rows; the last is repeated where there are fewer."""
    return values[np.minimum(np.arange(length), len(values) - 1)]


def _compare(
    lie: Lie,
    true: list[np.ndarray],
    told: list[np.ndarray],
    subpixels: list[int],
    colours: int,
) -> Heard:
    change = [b.astype(np.float64) - a for a, b in zip(true, told, strict=True)]
    longest = max(len(nats) for nats in change)
    per_frame = []
    for frame in range(longest):
        there = [nats[frame] for nats in change if len(nats) > frame]
        per_frame.append(math.fsum(nats.mean() for nats in there) / len(there) / colours)
    frames = sum(len(nats) for nats in change)
    return Heard(
        lie,
        ratio([float(nats.sum()) for nats in change], subpixels),
        per_frame,
        np.add.reduce([nats.sum(0) for nats in change]) / frames / colours,
        not any(nats.any() for nats in change),
    )


def verdict(found: Listening, name: str) -> str:
    """One line on whether the model listens to its actions.

    It listens where its own actions, delayed, cost it more than ``BELIEVED`` standard errors.
    Another episode's contradict its states, as no clip of the training does: a model that only
    notices contradictions pays for them, and is told so. They decide where nothing was delayed.

    >>> deaf = Heard(Lie(SHUFFLED), Ratio(0.0, 0.0), [0.0], np.zeros((8, 8)), exactly_zero=True)
    >>> verdict(Listening(Ratio(2.0, 0.1), [deaf], episodes=4, context=2), "small")
    'small does not see its actions: no change of them changes a nat.'
    """
    about_actions = [heard for heard in found.heard if heard.lie.of == ACTIONS]
    if all(heard.exactly_zero for heard in about_actions):
        return f"{name} does not see its actions: no change of them changes a nat."
    theirs = found.of(Lie(SHUFFLED))
    late = next((heard for heard in about_actions if heard.lie == Lie(SHIFTED)), None)
    figures = f"{_cost(theirs)} nats per sub-pixel with another episode's"
    if late is not None:
        figures = f"{_cost(late)} nats per sub-pixel with its own, delayed; {_cost(theirs)}"
        figures += " with another episode's"
    decides = theirs if late is None else late
    if _believed(decides) > 0:
        return f"{name} listens to its actions: {figures}."
    if _believed(decides) < 0:
        return f"{name} is misled by its actions: {figures}."
    if _believed(theirs) > 0:
        figures += ", which contradict its states"
    return f"{name} cannot be said to listen to its actions: {figures}."


def _cost(heard: Heard) -> str:
    return f"{heard.cost.value:+.4f} ± {heard.cost.standard_error or math.inf:.4f}"


def _believed(heard: Heard) -> int:
    """1 for a cost that is believed, -1 for a gain that is, else 0."""
    error = BELIEVED * (heard.cost.standard_error or math.inf)
    return int(heard.cost.value > error) - int(heard.cost.value < -error)
