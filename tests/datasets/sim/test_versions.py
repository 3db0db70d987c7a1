"""A run's record of its data tells whether this version of the simulated bin made it."""

from __future__ import annotations

import pytest

from pixelpush.datasets.episodes import identity as content_of
from pixelpush.datasets.sim import generate
from pixelpush.datasets.sim.opening import open_sim
from pixelpush.datasets.sim.versions import of_another_version


def config(training, data="sim:3", size=64):
    return {"data": data, "task": {"model": {"frame_size": size}, "training": training}}


@pytest.mark.parametrize("noise", [True, False])
def test_what_this_version_made_is_known_by_its_record(small_root, noise, monkeypatch):
    recorded = content_of(open_sim("sim", "val", episodes=2, noise=noise, root=small_root))
    assert not of_another_version(config(recorded))
    for other in (
        config(recorded, size=128),
        config(recorded, data="sim-diverse"),
        config({**recorded, "episodes": 3}),
        config({**recorded, "content": "0" * 64}),
    ):
        assert of_another_version(other)
    monkeypatch.setattr(generate, "SCENE_VERSION", generate.SCENE_VERSION + 1)
    assert of_another_version(config(recorded))


def test_other_data_and_runs_without_a_record_are_not_judged():
    assert not of_another_version({})
    assert not of_another_version({"data": "sim"})
    assert not of_another_version(config({"episodes": 2, "content": "0"}, data="bair"))
    assert not of_another_version({"data": "sim", "task": {"splits": []}})
