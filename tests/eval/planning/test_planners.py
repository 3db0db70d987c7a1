"""Searches find what is cheap; pushes stay within what the data have."""

from __future__ import annotations

import numpy as np
import pytest

from pixelpush.errors import InputError
from pixelpush.eval.planning.planners import search
from pixelpush.eval.planning.settings import ControlSettings, PlannerSettings
from pixelpush.eval.planning.space import PushSpace, model_space, sim_space
from pixelpush.vpn import build_model

GOAL = np.array([3.0, -2.0, 0.5])


def bowl(candidates: np.ndarray) -> np.ndarray:
    return ((candidates - GOAL) ** 2).sum(axis=1)


@pytest.mark.parametrize("planner", ["cem", "mppi"])
def test_a_search_comes_near_the_bottom_of_a_bowl(planner):
    settings = PlannerSettings(planner, candidates=200, iterations=10, elites=20)
    found = search(bowl, np.zeros(3), np.full(3, 3.0), settings, np.random.default_rng(0))
    assert found.cost < 0.02
    np.testing.assert_allclose(found.best, GOAL, atol=0.2)
    means = found.costs.mean(axis=1)
    assert means[-1] < means[0] / 20
    assert found.cost == found.costs.min()


@pytest.mark.parametrize("planner", ["cem", "mppi"])
def test_more_iterations_beat_as_many_candidates_at_once(planner):
    """Refitting is worth something: the same number of candidates, in one draw, is worse."""

    def mean_cost(iterations: int) -> float:
        settings = PlannerSettings(planner, candidates=240 // iterations, iterations=iterations)
        draws = (np.random.default_rng(seed) for seed in range(20))
        starts = np.zeros(3), np.full(3, 3.0)
        return float(np.mean([search(bowl, *starts, settings, draw).cost for draw in draws]))

    assert mean_cost(6) < mean_cost(1) / 2


def test_where_all_costs_are_equal_the_first_candidate_is_taken():
    settings = PlannerSettings(candidates=8)
    found = search(
        lambda c: np.ones(len(c)), np.zeros(2), np.ones(2), settings, np.random.default_rng(5)
    )
    first = np.random.default_rng(5).standard_normal((8, 2))[0]
    np.testing.assert_array_equal(found.best, first)


def test_a_cost_that_is_not_finite_is_refused():
    with pytest.raises(InputError, match="not finite"):
        search(
            lambda c: np.full(len(c), np.nan),
            np.zeros(1),
            np.ones(1),
            PlannerSettings(),
            np.random.default_rng(0),
        )


def test_settings_out_of_range_are_refused():
    with pytest.raises(InputError, match="at most as many"):
        PlannerSettings(candidates=3, elites=4)
    with pytest.raises(InputError, match="iterations must be between"):
        PlannerSettings(iterations=0)
    with pytest.raises(InputError, match="replan must be between"):
        ControlSettings(replan=0)


def test_pushes_have_the_speeds_and_bounds_of_the_data():
    space = sim_space()
    segments = np.random.default_rng(0).normal(0, 0.05, (50, 3, 2))
    start = np.array([0.1, 0, 0.03, 0.1, -0.5], np.float32)
    actions = space.actions(segments, start, frames=4)
    assert actions.shape == (50, 12, 5)
    assert actions.dtype == np.float32
    assert ((actions >= space.lowest) & (actions <= space.highest)).all()
    np.testing.assert_allclose(actions[..., 2:], np.broadcast_to(start[2:], (50, 12, 3)))
    inside = (np.abs(actions[..., :2]) < 0.1999).all(axis=(1, 2))
    steps = np.diff(np.concatenate([np.broadcast_to(start, (50, 1, 5)), actions], axis=1), axis=1)
    speed = np.linalg.norm(steps[inside][..., :2], axis=-1)
    assert inside.any()
    assert speed.min() > 0.0179
    assert speed.max() < 0.0351


def test_a_push_along_a_wall_goes_on_along_it():
    space = sim_space()
    start = np.array([0.199, 0, 0.03, 0, 0], np.float32)
    actions = space.actions(np.array([[[0.02, 0.02]]]), start, frames=3)
    np.testing.assert_allclose(actions[0, :, 0], 0.2, rtol=1e-6)
    assert (np.diff(actions[0, :, 1]) > 0.015).all()


def test_actions_that_are_moves_are_not_added_up():
    space = PushSpace(np.full(2, -1.0), np.ones(2), slowest=0.1, fastest=0.5, poses=False)
    actions = space.actions(np.array([[[0.3, 0.0]]]), np.full(2, 0.9), frames=3)
    np.testing.assert_allclose(actions[0], [[0.3, 0]] * 3)


def test_a_models_own_space():
    model = build_model("ot", frame_size=8, coarse_scales=0, action_kind="pose")
    model.action_std.fill_(0.1)
    space = model_space(model)
    assert space.poses
    assert 0.01 < space.slowest < space.fastest < 0.05
    with pytest.raises(InputError, match="pushes cannot be planned"):
        model_space(build_model("ot", frame_size=8, coarse_scales=0, action_kind="other"))
