"""What actions are, by measurement, and how they are composed at a lower rate."""

from __future__ import annotations

import numpy as np
import pytest

from pixelpush.datasets.actions import ActionMeasure, Correlation
from pixelpush.datasets.rates import compose, nearest_rows, ways
from pixelpush.errors import InputError


def walk(seed, length=60, width=3, centre=0.3, step=0.01):
    """A robot that goes about: states (T, width)."""
    steps = np.random.default_rng(seed).normal(size=(length, width)) * step
    return centre + np.cumsum(steps, axis=0)


def measured(states, actions, episodes=4):
    measure = ActionMeasure(states(0).shape[1], actions(states(0)).shape[1])
    for seed in range(episodes):
        measure.add(states(seed), actions(states(seed)))
    return measure


def next_state(states):
    return np.concatenate([states[1:], states[-1:]])


def change(states):
    return np.concatenate([np.diff(states, axis=0), np.zeros((1, states.shape[1]))])


def test_correlation_is_numpys():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 2)), rng.normal(size=(50, 3))
    y[:, 0] += x[:, 1]
    found = Correlation(2, 3)
    found.add(x[:20], y[:20])
    found.add(x[20:], y[20:])
    np.testing.assert_allclose(found.value(), np.corrcoef(x.T, y.T)[:2, 2:], atol=1e-12)


@pytest.mark.parametrize(
    ("actions", "kind"),
    [
        (next_state, "pose"),
        (lambda s: next_state(s) + 0.002 * np.sin(np.arange(len(s)))[:, None], "pose"),
        (lambda s: next_state(next_state(s)), "pose"),
        (change, "delta"),
        (lambda s: 50 * change(s), "delta"),
        (lambda s: change(s) + 0.004 * np.cos(np.arange(len(s)))[:, None], "delta"),
        (lambda s: np.random.default_rng(9).normal(size=s.shape), "other"),
        (lambda s: np.zeros_like(s), "other"),
    ],
)
def test_kinds(actions, kind):
    assert measured(walk, actions).kind() == kind


def test_a_joint_that_only_trembles_is_still_a_pose():
    """Its command stays by its state; noise alone would look like a delta."""

    def states(seed):
        moving = walk(seed)
        moving[:, 2] = -0.56 + 1e-4 * np.random.default_rng(seed).normal(size=len(moving))
        return moving

    def actions(s):
        out = next_state(s)
        out[:, 2] = -0.56 + 0.5 * change(s)[:, 2]
        return out

    assert measured(states, actions).kinds() == ["pose", "pose", "pose"]


def test_other_widths_are_matched_by_correlation():
    assert measured(walk, lambda s: change(s)[:, :2]).kind() == "delta"
    assert measured(walk, lambda s: np.c_[next_state(s), np.zeros(len(s))]).kind() == "pose"
    assert ActionMeasure(0, 4).kind() == "other"
    assert ActionMeasure(0, 4).lag() is None


@pytest.mark.parametrize("lag", [1, 2, 5])
@pytest.mark.parametrize("kind", ["pose", "delta"])
def test_lag(lag, kind):
    def actions(s):
        ahead = np.concatenate([s[lag:], np.repeat(s[-1:], lag, axis=0)])
        before = np.concatenate([s[lag - 1 :], np.repeat(s[-1:], lag - 1, axis=0)])
        return ahead if kind == "pose" else ahead - before

    found = measured(walk, actions, episodes=12)
    assert found.kind() == kind
    assert found.lag().frames == lag
    assert found.lag().correlation > 0.9


def test_composition():
    actions = np.arange(14.0).reshape(7, 2)
    rows = np.array([0, 3, 6])
    np.testing.assert_array_equal(
        compose(actions, rows, ["last", "sum"]), [[4, 9], [10, 27], [12, 13]]
    )
    np.testing.assert_array_equal(compose(actions, rows, ["first"] * 2), actions[rows])
    # One frame a row: whatever the way, an action is its own.
    for way in ("last", "sum", "first"):
        np.testing.assert_array_equal(compose(actions, np.arange(7), [way] * 2), actions)


def test_summed_deltas_lead_from_kept_state_to_kept_state():
    states = walk(3, length=31)
    kept = np.arange(0, 31, 3)
    composed = compose(change(states), kept, ways("auto", measured(walk, change), 3))
    np.testing.assert_allclose(states[kept[:-1]] + composed[:-1], states[kept[1:]], atol=1e-12)
    poses = compose(next_state(states), kept, ways("auto", measured(walk, next_state), 3))
    np.testing.assert_array_equal(poses[:-1], states[kept[1:]])


def test_nearest_rows():
    rows = nearest_rows(np.array([0.0, 0.1, 0.21]), np.arange(10) / 30, "t.csv")
    np.testing.assert_array_equal(rows, [0, 3, 6])
    with pytest.raises(InputError, match=r"t\.csv: frame 1 at 0\.900 s has no row"):
        nearest_rows(np.array([0.0, 0.9]), np.arange(10) / 30, "t.csv")
    with pytest.raises(InputError, match=r"t\.csv, row 3: its time is not after"):
        nearest_rows(np.array([0.0]), np.array([0.0, 0.2, 0.1]), "t.csv")
