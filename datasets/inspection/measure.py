"""What is counted and measured over the episodes of a data set, one at a time."""

from __future__ import annotations

import numpy as np

from pixelpush.datasets.actions import ActionMeasure
from pixelpush.datasets.episodes import Episode, Metadata

# An entry that spreads less than this (metres, radians) shows in no 64-pixel frame.
NEAR_CONSTANT = 1e-4


def near_constant(mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """bool (D,): entries too steady to divide by their deviation.

    Below 1e-4 in the data's own unit, or below what float32 tells apart at their mean.

    >>> near_constant(np.array([0.0, 0.0]), np.array([1e-5, 0.1])).tolist()
    [True, False]
    """
    return deviation <= np.maximum(NEAR_CONSTANT, 1e-6 * np.abs(mean))


class VectorMeasure:
    """Mean, deviation and range of every entry of states or actions.

    >>> measure = VectorMeasure(1)
    >>> measure.add(np.array([[1.0], [3.0]]))
    >>> measure.mean.tolist(), measure.deviation.tolist(), measure.high.tolist()
    ([2.0], [1.0], [3.0])
    """

    def __init__(self, width: int):
        self.count = 0
        self.mean = np.zeros(width)
        self._squares = np.zeros(width)
        self.low = np.full(width, np.inf)
        self.high = np.full(width, -np.inf)

    def add(self, rows: np.ndarray) -> None:
        """Take in rows (T, D); Chan, Golub and LeVeque 1979, equation 2.1.

        >>> measure = VectorMeasure(1)
        >>> measure.add(np.zeros((2, 1)))
        >>> measure.add(np.full((2, 1), 4.0))
        >>> measure.count, measure.mean.tolist()
        (4, [2.0])
        """
        rows = rows.astype(np.float64)
        count = self.count + len(rows)
        # M2 = M2_a + M2_b + gap^2 n_a n_b / n: no difference of large sums, so digits are kept.
        gap = rows.mean(0) - self.mean
        self._squares += ((rows - rows.mean(0)) ** 2).sum(0)
        self._squares += gap**2 * self.count * len(rows) / count
        self.mean += gap * len(rows) / count
        self.count = count
        self.low = np.minimum(self.low, rows.min(0))
        self.high = np.maximum(self.high, rows.max(0))

    @property
    def deviation(self) -> np.ndarray:
        """float64 (D,): the standard deviation of the whole population.

        >>> measure = VectorMeasure(1)
        >>> measure.add(np.array([[0.0], [0.0], [4.0], [4.0]]))
        >>> measure.deviation.tolist()
        [2.0]
        """
        return np.sqrt(self._squares / max(self.count, 1))


class FrameMeasure:
    """Frames that repeat the one before them exactly.

    >>> frames = np.zeros((4, 1, 8, 8), np.uint8)
    >>> frames[3] = 1
    >>> rows = np.zeros((4, 0), np.float32)
    >>> measure = FrameMeasure()
    >>> measure.add(Episode(frames, rows, rows, "a"))
    >>> measure.repeated, measure.pairs, measure.longest
    (2, 3, (3, 'a', 0))
    """

    def __init__(self):
        self.repeated = 0
        self.pairs = 0
        self.longest = (0, "", 0)  # frames alike, episode, first of them

    def add(self, episode: Episode) -> None:
        """Take in an episode's frames.

        >>> rows = np.zeros((2, 0), np.float32)
        >>> measure = FrameMeasure()
        >>> measure.add(Episode(np.zeros((2, 1, 8, 8), np.uint8), rows, rows, "a"))
        >>> measure.repeated
        1
        """
        frames = episode.frames
        same = (frames[1:] == frames[:-1]).reshape(len(frames) - 1, -1).all(axis=1)
        self.pairs += len(same)
        self.repeated += int(same.sum())
        run = 1
        start = 0
        for index, alike in enumerate(same, start=1):
            run, start = (run + 1, start) if alike else (1, index)
            if run > max(1, self.longest[0]):
                self.longest = (run, episode.id, start)


class TimeMeasure:
    """Steps between the recorded times of frames, and the widest gaps.

    >>> rows = np.zeros((4, 0), np.float32)
    >>> times = {"time": np.array([0.0, 0.5, 1.0, 3.0])}
    >>> measure = TimeMeasure()
    >>> measure.add(Episode(np.zeros((4, 1, 8, 8), np.uint8), rows, rows, "a", times))
    >>> measure.usual, measure.gaps()
    (0.5, [('a', 2, 2.0)])
    """

    def __init__(self):
        self.steps: list[np.ndarray] = []
        self._ids: list[str] = []

    def add(self, episode: Episode) -> None:
        """Take in ``extra["time"]``, seconds of each frame, where it is there.

        >>> rows = np.zeros((2, 0), np.float32)
        >>> measure = TimeMeasure()
        >>> measure.add(Episode(np.zeros((2, 1, 8, 8), np.uint8), rows, rows, "without times"))
        >>> measure.steps
        []
        """
        times = episode.extra.get("time")
        if times is not None and len(times) > 1:
            self.steps.append(np.diff(times).astype(np.float32))
            self._ids.append(episode.id)

    @property
    def usual(self) -> float | None:
        """The median step in seconds; None without times.

        >>> TimeMeasure().usual is None
        True
        """
        return float(np.median(np.concatenate(self.steps))) if self.steps else None

    def gaps(self) -> list[tuple[str, int, float]]:
        """(episode, frame before, seconds) of steps over 1.5 usual ones or backwards, widest first.

        >>> rows = np.zeros((4, 0), np.float32)
        >>> times = {"time": np.array([0.0, 1.0, 2.0, 1.5])}
        >>> measure = TimeMeasure()
        >>> measure.add(Episode(np.zeros((4, 1, 8, 8), np.uint8), rows, rows, "a", times))
        >>> measure.gaps()
        [('a', 2, -0.5)]
        """
        usual = self.usual
        if usual is None:
            return []
        found = [
            (identity, int(index), float(steps[index]))
            for identity, steps in zip(self._ids, self.steps, strict=True)
            for index in np.flatnonzero((steps > 1.5 * usual) | (steps <= 0))
        ]
        return sorted(found, key=lambda gap: -abs(gap[2]))


class Measurement:
    """Everything that a page tells of a data set's episodes.

    ``metadata`` gives names of entries where they are known.

    >>> rows = np.zeros((3, 2), np.float32)
    >>> measurement = Measurement()
    >>> measurement.add(Episode(np.zeros((3, 1, 8, 8), np.uint8), rows, rows, "a"))
    >>> measurement.lengths, measurement.states.mean.tolist()
    ([3], [0.0, 0.0])
    """

    def __init__(self, metadata: Metadata | None = None):
        self.metadata = dict(metadata or {})
        self.lengths: list[int] = []
        self.ids: list[str] = []
        self.states: VectorMeasure | None = None
        self.actions: VectorMeasure | None = None
        self.together: ActionMeasure | None = None
        self.frames = FrameMeasure()
        self.times = TimeMeasure()

    def add(self, episode: Episode) -> None:
        """Take in an episode.

        >>> rows = np.zeros((3, 0), np.float32)
        >>> measurement = Measurement()
        >>> measurement.add(Episode(np.zeros((3, 1, 8, 8), np.uint8), rows, rows, "a"))
        >>> measurement.ids
        ['a']
        """
        if self.states is None or self.actions is None or self.together is None:
            self.states = VectorMeasure(episode.states.shape[1])
            self.actions = VectorMeasure(episode.actions.shape[1])
            self.together = ActionMeasure(episode.states.shape[1], episode.actions.shape[1])
        self.lengths.append(len(episode.frames))
        self.ids.append(episode.id)
        self.states.add(episode.states)
        # The last action leads to no frame, and is often made up.
        actions = episode.actions[:-1] if len(episode.actions) > 1 else episode.actions
        self.actions.add(actions)
        self.together.add(episode.states, episode.actions)
        self.frames.add(episode)
        self.times.add(episode)

    def action_kind(self) -> str:
        """What the actions are: pose, delta or other.

        >>> Measurement().action_kind()
        'other'
        """
        return "other" if self.together is None else self.together.kind()
