"""The committed tasks are those that their seeds draw, and they can be done."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pixelpush.datasets.sim.environment import SimulatedBin
from pixelpush.datasets.sim.policy import HIGHEST
from pixelpush.errors import InputError
from pixelpush.eval.planning.bin import PushingBin
from pixelpush.eval.planning.tasks import SPLITS, SUCCESS, draw_tasks, read_tasks


@pytest.mark.parametrize("split", SPLITS)
def test_the_list_is_what_its_seeds_draw(split):
    drawn = list(itertools.islice(draw_tasks(split), 2))
    assert drawn == read_tasks(split)[:2]


@pytest.mark.parametrize("split", SPLITS)
def test_there_are_fifty_and_no_two_share_an_episode(split):
    tasks = read_tasks(split)
    assert [task.number for task in tasks] == list(range(50))
    assert len({task.episode for task in tasks}) == 50
    for task in tasks:
        assert 2 * SUCCESS <= task.distance <= 0.14 + 1e-6
        assert np.abs(task.goal).max() < HIGHEST[0]


def test_another_split_has_none():
    with pytest.raises(InputError, match="no planning tasks for split 'train'"):
        read_tasks("train")


def test_the_bin_is_the_simulated_bin():
    """The same states, frames, noise and places, step by step, and after going back."""
    bin = PushingBin("sim", "test-novel", 3)
    real = SimulatedBin("sim")
    seen = real.reset("test-novel", 3)
    np.testing.assert_array_equal(bin.frame(), seen.frame)
    right = np.array([0.02, 0, 0, 0, 0])
    actions = [bin.command + n * right for n in range(1, 4)]
    kept = bin.moment()
    for action in actions:
        clipped = np.clip(action, real.lowest, real.highest).astype(np.float32)
        bin.step(clipped)
        seen = real.step(clipped)
    np.testing.assert_array_equal(bin.frame(), seen.frame)
    np.testing.assert_array_equal(bin.state(), seen.state)
    poses = seen.labels["object_poses"]
    np.testing.assert_allclose(bin.places(), poses[:, :3], rtol=1e-6)
    np.testing.assert_allclose(bin.pixel(bin.place(1)), seen.labels["object_places"][1], atol=0.01)
    bin.restore(kept)
    assert bin.time == 0
    again = real.reset("test-novel", 3)
    np.testing.assert_array_equal(bin.frame(), again.frame)


def test_a_goals_picture_shows_the_object_there():
    task = read_tasks("val")[0]
    bin = PushingBin("sim", task.split, task.episode)
    before = bin.frame().astype(int)
    goal = bin.frame_with(task.slot, np.array(task.goal)).astype(int)
    changed = np.abs(goal - before).max(axis=0) > 12
    for place in (task.start, task.goal):
        height = bin.place(task.slot)[2]
        column, row = bin.pixel(np.array([*place, height]))[:2].round().astype(int)
        assert changed[row - 1 : row + 2, column - 1 : column + 2].any()
    assert changed.mean() < 0.2
    np.testing.assert_array_equal(bin.frame(), before)
