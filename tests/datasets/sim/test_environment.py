"""The environment replays episodes to the byte, and goes on from a snapshot as if nothing had
happened."""

from __future__ import annotations

import copy
import pickle

import mujoco
import numpy as np
import pytest

from pixelpush.datasets.sim.environment import Observation, SimulatedBin
from pixelpush.datasets.sim.generate import (
    generate_episode,
    scene_of,
    simulate_episode,
)
from pixelpush.datasets.sim.opening import open_sim
from pixelpush.datasets.sim.renderer import Renderer
from pixelpush.errors import InputError

_WHOLE = ("objects", "arm")  # labels without a time axis


def same(a: Observation, b: Observation) -> None:
    assert a.time == b.time
    np.testing.assert_array_equal(a.state, b.state)
    np.testing.assert_array_equal(a.frame, b.frame)
    assert set(a.labels) == set(b.labels)
    for name, array in a.labels.items():
        np.testing.assert_array_equal(array, b.labels[name])


SEEN = (0, 1, 9, 14, 19)  # times at which replays are drawn


def replay(bin, episode, split, number, seen=SEEN):
    """The observations that the actions of an episode lead to, drawn at some times."""
    found = [bin.reset(split, number)]
    for time, action in enumerate(episode.actions[:-1], start=1):
        bin.render = time in seen
        found.append(bin.step(action))
    bin.render = True
    return found


def drawn(observations):
    """The frames that were drawn."""
    return [observations[time].frame for time in SEEN]


@pytest.mark.parametrize(
    ("laboratory", "split", "number"),
    [("sim", "test-novel", 0), ("sim-diverse", "train", 4)],
)
def test_a_replay_has_the_bytes_of_the_episode(laboratory, split, number, episode):
    of_sim = laboratory == "sim"
    recorded = episode(split, number) if of_sim else generate_episode(laboratory, split, number)
    seen = replay(SimulatedBin(laboratory, noise=False), recorded, split, number)
    np.testing.assert_array_equal(drawn(seen), recorded.frames[list(SEEN)])
    np.testing.assert_array_equal([each.state for each in seen], recorded.states)
    assert seen[0].state.dtype == np.float32
    for name, array in recorded.extra.items():
        if name in _WHOLE:
            np.testing.assert_array_equal(seen[0].labels[name], array)
            continue
        times = SEEN if name == "segmentation" else range(20)
        found = [seen[time].labels[name] for time in times]
        np.testing.assert_array_equal(found, array[list(times)])
        assert seen[-1].labels[name].dtype == array.dtype
    assert set(seen[0].labels) == set(recorded.extra)


def test_a_replay_has_the_noise_of_the_stored_episode(small_root):
    stored = open_sim("sim", "val", episodes=3, root=small_root)[2]
    seen = replay(SimulatedBin("sim"), stored, "val", 2)
    np.testing.assert_array_equal(drawn(seen), stored.frames[list(SEEN)])
    floor = [seen[time].labels["noise_floor"] for time in SEEN]
    np.testing.assert_array_equal(floor, stored.extra["noise_floor"][list(SEEN)])


def test_the_same_bytes_twice_from_one_snapshot(episode):
    """In the same bin and in a fresh one; while objects sleep and are woken."""
    actions = episode("val", 0).actions
    bin = SimulatedBin("sim")
    bin.reset("val", 0)
    for action in actions[:4]:
        bin.step(action)
    snapshot = bin.snapshot()
    asleep = snapshot.moment.physics.tree_asleep
    assert (asleep >= 0).any()
    rest = [bin.step(action) for action in actions[4:9]]
    for other in (bin, SimulatedBin("sim")):
        kept = other.restore(snapshot)
        assert kept.time == 4
        for action, expected in zip(actions[4:9], rest, strict=True):
            same(other.step(action), expected)


def test_a_frame_does_not_depend_on_how_the_renderer_came_to_it(episode):
    """Frames of a fresh renderer, for each time alone, equal those of one that saw all before."""
    recorded = episode("train", 2)
    rollout = simulate_episode("sim", "train", 2)
    for time in (7, 19):
        fresh = Renderer(scene_of("sim", "train", 2), 64)
        frame, label = fresh.frame(rollout.configurations[time], rollout.moved[time])
        np.testing.assert_array_equal(frame, recorded.frames[time])
        np.testing.assert_array_equal(label, recorded.extra["segmentation"][time])


def test_two_sizes_of_one_episode_do_not_disturb_each_other(episode):
    recorded = episode("val", 0)
    small = SimulatedBin("sim", noise=False)
    large = SimulatedBin("sim", size=128, noise=False)
    small.reset("val", 0)
    large.reset("test-seen", 0)  # fills what is kept of the last scenes
    large.reset("val", 0)
    for time, action in enumerate(recorded.actions[:2]):
        np.testing.assert_array_equal(small.step(action).frame, recorded.frames[time + 1])
        larger = large.step(action).frame.reshape(3, 64, 2, 64, 2).astype(float).mean(axis=(2, 4))
        assert np.abs(larger - recorded.frames[time + 1]).mean() < 2


def test_a_snapshot_branches(episode):
    """Other actions from the same snapshot lead elsewhere, and do not disturb it."""
    actions = episode("val", 0).actions
    bin = SimulatedBin("sim", render=False)
    bin.reset("val", 0)
    snapshot = bin.snapshot()
    first = bin.step(actions[0])
    bin.restore(snapshot)
    still = bin.step(np.clip(actions[0] + 0.02, bin.lowest, bin.highest))
    assert np.abs(still.state - first.state).max() > 0.005
    bin.restore(snapshot)
    np.testing.assert_array_equal(bin.step(actions[0]).state, first.state)
    assert first.frame is None
    assert "segmentation" not in first.labels


def test_restoring_the_state_vector_alone_would_not_do():
    """Why a snapshot is a whole copy: MuJoCo's own state vectors do not say which objects sleep."""
    bin = SimulatedBin("sim", render=False)
    bin.reset("val", 0)
    data = bin.snapshot().moment.physics
    model = data.model
    kind = mujoco.mjtState.mjSTATE_INTEGRATION
    state = np.empty(mujoco.mj_stateSize(model, kind))
    mujoco.mj_getState(model, data, state, kind)
    fresh = mujoco.MjData(model)
    mujoco.mj_setState(model, fresh, state, kind)
    assert not np.array_equal(fresh.tree_asleep, data.tree_asleep)
    np.testing.assert_array_equal(copy.copy(data).tree_asleep, data.tree_asleep)


def test_a_snapshot_refuses_a_pickle_which_would_forget_sleep():
    bin = SimulatedBin("sim", render=False)
    bin.reset("val", 0)
    with pytest.raises(TypeError, match="replay the actions"):
        pickle.dumps(bin.snapshot())


def test_one_may_go_on_after_the_last_frame(episode):
    bin = SimulatedBin("sim")
    replay(bin, episode("val", 0), "val", 0, seen=())
    after = bin.step(episode("val", 0).actions[-1])
    assert after.time == 20
    assert after.frame.shape == (3, 64, 64)


def test_mistakes_are_one_clear_line():
    bin = SimulatedBin("sim", render=False)
    with pytest.raises(InputError, match="call reset"):
        bin.step(np.zeros(5))
    with pytest.raises(InputError, match="no simulated laboratory 'lab'"):
        SimulatedBin("lab")
    with pytest.raises(InputError, match="no split 'test'"):
        bin.reset("test")
    bin.reset("val", 0)
    with pytest.raises(InputError, match=r"5 numbers are needed.*\(4,\)"):
        bin.step(np.zeros(4))
    for bad in (np.full(5, np.nan), np.array([0, 0, 0.3, 0, 0])):
        with pytest.raises(InputError, match="outside"):
            bin.step(bad)
    with pytest.raises(InputError, match="snapshot of sim cannot be restored in sim-diverse"):
        SimulatedBin("sim-diverse").restore(bin.snapshot())
