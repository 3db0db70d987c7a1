"""Counterfactual futures: the same start under other actions, simulated.

Each pair of the committed list begins as an episode of the simulated bin does. One future follows
the episode's own actions, the other one other actions: another episode's motion, or the same push
moved aside by just so much that it misses what it pushed. Nothing but the actions differs, so a
model's nats of each future under both lists say whether it follows, and by how much."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.sim.environment import Observation, SimulatedBin, Snapshot
from pixelpush.datasets.sim.generate import simulate_episode
from pixelpush.files import read_json

PAIRS = Path(__file__).parent / "counterfactual_pairs.json"
OTHER = "other"
MISS = "miss"
FRAMES = 20
# Both futures share the context: they part from this action on.
FIRST = 1
# Metres: an object that was pushed went further than the one, one that was missed less than the
# other.
PUSHED = 0.02
MISSED = 0.002
# How far aside a push is moved in the search for one that just misses: metres, nearest first.
_ASIDE = (0.02, 0.03, 0.04, 0.05, 0.06, 0.08)
_DIRECTIONS = 8


@dataclass(frozen=True)
class Pair:
    """One start and its other actions. kind: 'other' takes the motion of episode ``other`` of the
    same split; 'miss' moves the push by ``aside`` (x, y) metres, so that ``target``, the object
    that the own actions push furthest, stays where it is.

    >>> Pair("val", 0, OTHER, other=3).aside
    (0.0, 0.0)
    """

    split: str
    episode: int
    kind: str
    other: int = -1
    aside: tuple[float, float] = (0.0, 0.0)
    target: int = -1


@dataclass(frozen=True)
class Futures:
    """Both futures of a pair. own, other: Episode with ``segmentation`` and ``object_poses`` in
    extra; their first FIRST + 1 frames are the same.

    >>> rows = np.zeros((3, 5), np.float32)
    >>> still = Episode(np.zeros((3, 3, 8, 8), np.uint8), rows, rows, "still")
    >>> Futures(Pair("val", 0, OTHER, other=3), own=still, other=still).pair.kind
    'other'
    """

    pair: Pair
    own: Episode
    other: Episode


def read_pairs(path: Path = PAIRS) -> list[Pair]:
    """The committed list.

    >>> read_pairs()[0].kind
    'miss'
    """
    return [Pair(**{**item, "aside": tuple(item["aside"])}) for item in read_json(path)]


def some_pairs(count: int) -> list[Pair]:
    """The first ``count`` of the list, half of them misses as far as there are.

    >>> [pair.kind for pair in some_pairs(3)]
    ['miss', 'miss', 'other']
    """
    pairs = read_pairs()
    misses = [pair for pair in pairs if pair.kind == MISS][: (count + 1) // 2]
    others = [pair for pair in pairs if pair.kind == OTHER]
    return [*misses, *others[: count - len(misses)]]


def pairs_json(pairs: Sequence[Pair]) -> str:
    """The list as JSON, a line a pair.

    >>> pairs_json(read_pairs()) == PAIRS.read_text()
    True
    """
    return "[\n" + ",\n".join(json.dumps(asdict(pair)) for pair in pairs) + "\n]\n"


class Laboratory:
    """Replays pairs in one simulated laboratory. size: of the frames; render=False for physics
    alone.

    >>> Laboratory(size=16)
    Traceback (most recent call last):
    pixelpush.errors.InputError: sim: frames are 64, 128, 256 pixels high and wide, not 16.
    """

    def __init__(self, name: str = "sim", size: int = 64, render: bool = True):
        self._bin = SimulatedBin(name, size=size, render=render)
        self._begun: tuple[tuple[str, int], Snapshot] | None = None
        self._actions = functools.lru_cache(maxsize=4)(
            lambda split, episode: simulate_episode(name, split, episode).actions
        )

    def own_actions(self, split: str, episode: int) -> np.ndarray:
        """float32 (FRAMES, 5): the actions of a recorded episode."""
        return self._actions(split, episode)

    def _begin(self, split: str, episode: int) -> Observation:
        """The bin at an episode's start; settling is simulated once for several futures."""
        if self._begun is None or self._begun[0] != (split, episode):
            self._bin.reset(split, episode)
            self._begun = ((split, episode), self._bin.snapshot())
        return self._bin.restore(self._begun[1])

    def other_actions(self, pair: Pair) -> np.ndarray:
        """float32 (FRAMES, 5): what is commanded instead."""
        own = self.own_actions(pair.split, pair.episode)
        if pair.kind == OTHER:
            # The motion, not the poses: the hand goes on from where it is.
            theirs = self.own_actions(pair.split, pair.other)
            changed = own[FIRST] + theirs - theirs[FIRST]
        else:
            steps = np.clip((np.arange(FRAMES) - FIRST + 1) / 2, 0, 1)
            changed = own.copy()
            changed[:, :2] += steps[:, None] * np.array(pair.aside)
        changed = np.clip(changed, self._bin.lowest, self._bin.highest).astype(np.float32)
        changed[:FIRST] = own[:FIRST]
        return changed

    def futures(self, pair: Pair) -> Futures:
        """Simulate both."""
        own = self.own_actions(pair.split, pair.episode)
        return Futures(
            pair, self._run(pair, own, "own"), self._run(pair, self.other_actions(pair), "other")
        )

    def _run(self, pair: Pair, actions: np.ndarray, name: str) -> Episode:
        seen = [self._begin(pair.split, pair.episode)]
        seen += [self._bin.step(action) for action in actions[: FRAMES - 1]]
        return Episode(
            np.stack([_frame(moment) for moment in seen]),
            np.stack([moment.state for moment in seen]).astype(np.float32),
            actions,
            f"{pair.split}-{pair.episode:07d}-{pair.kind}-{name}",
            {
                field: np.stack([moment.labels[field] for moment in seen])
                for field in ("segmentation", "object_poses")
            },
        )

    def distances(
        self, split: str, episode: int, actions: np.ndarray, watched: int | None = None
    ) -> np.ndarray:
        """Metres (objects,) that every object went after the context. Ends early once the object
        ``watched`` has gone further than MISSED."""
        self._begin(split, episode)
        start = np.zeros(0)
        furthest = np.zeros(0)
        for time, action in enumerate(actions[: FRAMES - 1]):
            places = self._bin.step(action).labels["object_poses"][:, :2]
            if time < FIRST:
                start = places
                furthest = np.zeros(len(places))
            furthest = np.maximum(furthest, np.hypot(*(places - start).T))
            if watched is not None and furthest[watched] > MISSED:
                break
        return furthest

    def near_miss(self, split: str, episode: int) -> Pair | None:
        """The push of an episode moved aside by the least that leaves the pushed object alone; None
        where the episode pushes nothing, or nothing tried misses."""
        went = self.distances(split, episode, self.own_actions(split, episode))
        target = int(went.argmax())
        if went[target] <= PUSHED:
            return None
        for distance in _ASIDE:
            for turn in range(_DIRECTIONS):
                angle = 2 * np.pi * turn / _DIRECTIONS
                x = distance * float(np.cos(angle))
                y = distance * float(np.sin(angle))
                pair = Pair(split, episode, MISS, -1, (round(x, 6), round(y, 6)), target)
                actions = self.other_actions(pair)
                if self.distances(split, episode, actions, target)[target] <= MISSED:
                    return pair
        return None


def _frame(moment: Observation) -> np.ndarray:
    assert moment.frame is not None, "futures need a laboratory that renders"
    return moment.frame
