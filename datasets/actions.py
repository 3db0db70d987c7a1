"""Measures what actions are: poses like the state, deltas of it, or something else; and their lag.

Correlations are summed over episodes, so that nothing but sums is kept. A pose correlates with the
next state itself, a delta with the state's change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

KINDS = ("pose", "delta", "other")
# Lags looked at, in frames: action t against what the state did up to frame t + lag.
LAGS = range(0, 9)
# A correlation below this says nothing.
WEAK = 0.2
# Pairs of state and action entries beyond this are not looked at.
_MAX_PAIRS = 1 << 14


class Correlation:
    """Pearson correlation of every column of x (N, A) with every one of y (N, S), by sums.

    >>> measured = Correlation(1, 1)
    >>> measured.add(np.array([[1.0], [2.0], [3.0]]), np.array([[2.0], [4.0], [6.0]]))
    >>> measured.value().round(3).tolist()
    [[1.0]]
    """

    def __init__(self, first: int, second: int):
        self.count = 0
        self._x = np.zeros(first)
        self._y = np.zeros(second)
        self._xx = np.zeros(first)
        self._yy = np.zeros(second)
        self._xy = np.zeros((first, second))

    def add(self, x: np.ndarray, y: np.ndarray) -> None:
        """Take in rows, float64.

        >>> correlation = Correlation(1, 1)
        >>> correlation.add(np.zeros((5, 1)), np.zeros((5, 1)))
        >>> correlation.count
        5
        """
        self.count += len(x)
        self._x += x.sum(0)
        self._y += y.sum(0)
        self._xx += np.square(x).sum(0)
        self._yy += np.square(y).sum(0)
        self._xy += x.T @ y

    def value(self) -> np.ndarray:
        """float64 (A, S); 0 where either does not vary, and before three rows.

        >>> correlation = Correlation(1, 1)
        >>> correlation.add(np.ones((5, 1)), np.arange(5.0)[:, None])
        >>> correlation.value().tolist()
        [[0.0]]
        """
        if self.count < 3:
            return np.zeros_like(self._xy)
        n = self.count
        # n var(x) = sum x^2 - (sum x)^2 / n; n cov(x, y) = sum xy - sum x sum y / n.
        x = np.maximum(self._xx - self._x**2 / n, 0)
        y = np.maximum(self._yy - self._y**2 / n, 0)
        varies = np.outer(x > 1e-9 * self._xx, y > 1e-9 * self._yy) & (np.outer(x, y) > 0)
        scale = np.sqrt(np.where(varies, np.outer(x, y), 1))
        return np.where(varies, (self._xy - np.outer(self._x, self._y) / n) / scale, 0.0)


@dataclass(frozen=True)
class Lag:
    """The lag at which action and state go together best: frames, and their correlation there.

    >>> Lag(frames=1, correlation=0.9).frames
    1
    """

    frames: int
    correlation: float


class ActionMeasure:
    """Takes episodes one at a time and says what their actions are.

    >>> states = np.cumsum(np.random.default_rng(0).normal(size=(50, 2)), axis=0)
    >>> measure = ActionMeasure(2, 2)
    >>> measure.add(states, np.concatenate([states[1:], states[-1:]]))
    >>> measure.kind()
    'pose'
    """

    def __init__(self, state_dim: int, action_dim: int):
        self.matched = state_dim == action_dim
        self._usable = 0 < state_dim * action_dim <= _MAX_PAIRS
        self._origin: tuple[np.ndarray, np.ndarray] | None = None
        self._apart = np.zeros(action_dim)  # summed squares of action minus next state
        self._size = np.zeros(action_dim)  # and of the action
        shape = (action_dim, state_dim)
        self._level = Correlation(*shape)
        self._delta = [Correlation(*shape) for _ in LAGS]
        self._motion = [Correlation(*shape) for _ in LAGS]

    def add(self, states: np.ndarray, actions: np.ndarray) -> None:
        """Take in an episode: states (T, S), actions (T, A).

        >>> measure = ActionMeasure(2, 2)
        >>> measure.add(np.zeros((5, 2)), np.zeros((5, 2)))
        >>> measure.kinds()
        ['constant', 'constant']
        """
        if not self._usable or len(states) < 3:
            return
        if self.matched:
            self._apart += np.square(actions[:-1].astype(float) - states[1:]).sum(0)
            self._size += np.square(actions[:-1].astype(float)).sum(0)
        # Sums of squares lose digits far from 0.
        self._origin = self._origin or (states[0].astype(float), actions[0].astype(float))
        states = states.astype(np.float64) - self._origin[0]
        actions = actions.astype(np.float64) - self._origin[1]
        self._level.add(actions[:-1], states[1:])
        for lag, delta, motion in zip(LAGS, self._delta, self._motion, strict=True):
            # Change of the state that ends at frame t + lag, against action t.
            last = len(states) - lag
            begin = 1 if lag == 0 else 0
            if last - begin >= 2:
                times = np.arange(begin, last)
                change = states[times + lag] - states[times + lag - 1]
                delta.add(actions[times], change)
                # The action's own change; the first action has none.
                motion.add(np.diff(actions[times], axis=0), change[1:])

    def kinds(self) -> list[str]:
        """Of each action entry: pose, delta, other or constant.

        >>> moves = np.random.default_rng(0).normal(size=(50, 1))
        >>> measure = ActionMeasure(1, 1)
        >>> measure.add(np.cumsum(moves, axis=0) - moves, moves)
        >>> measure.kinds()
        ['delta']
        """
        level = self._best(self._level.value())
        delta = self._best(np.max(np.abs([c.value() for c in self._delta]), axis=0))
        varies = self._varies()
        # An entry that stays close to its state is a pose, even where both barely move.
        beside = self._apart < 0.1 * self._size
        found = []
        for entry in range(len(level)):
            if not varies[entry]:
                found.append("constant")
            elif beside[entry] or level[entry] > max(0.5, delta[entry]):
                found.append("pose")
            elif delta[entry] > WEAK:
                found.append("delta")
            else:
                found.append("other")
        return found

    def kind(self) -> str:
        """Of the action as a whole: what most of its entries are.

        >>> noise = np.random.default_rng(0).normal(size=(2, 400, 1))
        >>> measure = ActionMeasure(1, 1)
        >>> measure.add(noise[0], noise[1])
        >>> measure.kind()
        'other'
        """
        if not self._usable:
            return "other"
        votes = [kind for kind in self.kinds() if kind != "constant"]
        return max(KINDS, key=votes.count) if votes else "other"

    def lag(self) -> Lag | None:
        """The lag of the largest correlation; None where action and state do not go together.

        >>> moves = np.random.default_rng(0).normal(size=(60, 1))
        >>> states = np.cumsum(moves, axis=0) - moves  # state t + 1 is state t + action t
        >>> measure = ActionMeasure(1, 1)
        >>> measure.add(states, moves)
        >>> measure.lag().frames
        1
        """
        if not self._usable:
            return None
        delta = self.kind() == "delta"
        tables = [c.value() for c in (self._delta if delta else self._motion)]
        curves = np.array([self._best(np.abs(table)) for table in tables])  # (lags, A)
        clear = curves.max(axis=0) > WEAK
        if not clear.any():
            return None
        mean = curves[:, clear].mean(axis=1)
        best = int(np.argmax(mean))
        return Lag(LAGS[best], float(mean[best]))

    def _best(self, table: np.ndarray) -> np.ndarray:
        """(A,): each action entry with its own state entry, or the one it goes with best."""
        if self.matched:
            return np.diagonal(table).copy()
        return np.abs(table).max(axis=1) if table.size else np.zeros(table.shape[0])

    def _varies(self) -> np.ndarray:
        # Only entries that vary correlate with anything: themselves is the surest partner.
        x = self._level._x
        xx = self._level._xx
        n = max(self._level.count, 1)
        return np.maximum(xx - x**2 / n, 0) > 1e-12 * np.maximum(xx, 1e-12)
