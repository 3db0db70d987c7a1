"""Pairs of futures that part only by their actions, misses that miss, and margins that know them.

One small set of futures is simulated for the whole file."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "vpn"))
from tiny import tiny_model

from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.sim.generate import generate_episode
from pixelpush.eval.clips import Scoring, pixel_nats
from pixelpush.eval.listening.counterfactuals import (
    FIRST,
    FRAMES,
    MISS,
    MISSED,
    OTHER,
    PUSHED,
    Futures,
    Laboratory,
    Pair,
    read_pairs,
    some_pairs,
)
from pixelpush.eval.listening.following import (
    crossed,
    following_text,
    measure_following,
    target_region,
)
from pixelpush.files import write_json


@pytest.fixture(scope="module")
def futures():
    laboratory = Laboratory("sim")
    return [laboratory.futures(pair) for pair in some_pairs(2)]


def test_the_committed_list_is_long_enough_and_of_both_kinds():
    pairs = read_pairs()
    assert len(pairs) >= 200
    assert len(set(pairs)) == len(pairs)
    assert sum(pair.kind == MISS for pair in pairs) >= 80
    assert {pair.kind for pair in pairs} == {MISS, OTHER}


def test_futures_part_only_after_the_context(futures):
    for pair in futures:
        shared = FIRST + 1
        np.testing.assert_array_equal(pair.own.frames[:shared], pair.other.frames[:shared])
        np.testing.assert_array_equal(pair.own.states[:shared], pair.other.states[:shared])
        assert (pair.own.frames[-1] != pair.other.frames[-1]).any()
        assert not np.array_equal(pair.own.actions, pair.other.actions)


def test_the_own_future_is_the_recorded_episode(futures):
    pair = futures[0]
    recorded = generate_episode("sim", pair.pair.split, pair.pair.episode)
    np.testing.assert_array_equal(pair.own.states, recorded.states)
    np.testing.assert_array_equal(pair.own.extra["object_poses"], recorded.extra["object_poses"])


def test_a_miss_leaves_alone_what_the_push_moves():
    laboratory = Laboratory("sim", render=False)
    for pair in [pair for pair in read_pairs() if pair.kind == MISS][:2]:
        own = laboratory.own_actions(pair.split, pair.episode)
        hit = laboratory.distances(pair.split, pair.episode, own)
        missed = laboratory.distances(pair.split, pair.episode, laboratory.other_actions(pair))
        assert hit[pair.target] > PUSHED
        assert missed[pair.target] <= MISSED


def test_regions_show_the_pushed_object_and_no_arm(futures):
    for pair in (pair for pair in futures if pair.pair.kind == MISS):
        region = target_region(pair)
        for episode in (pair.own, pair.other):
            assert not (episode.extra["segmentation"][-1][region] == 1).any()


def test_margins_are_the_nats_of_the_crossed_lists(futures, tmp_path):
    model = tiny_model("ot", size=64, state_dim=5, action_dim=5)
    scoring = Scoring(context=2)
    report = measure_following(model, futures, scoring, samples=2)
    expected = []
    for pair in (pair for pair in futures if pair.pair.kind == MISS):
        own, other = pixel_nats(model, [pair.own, pair.other], scoring)
        own_false, other_false = pixel_nats(model, crossed(pair), scoring)
        expected += [(own_false - own).sum() / own.size, (other_false - other).sum() / own.size]
    expected = np.array(expected) / 3
    assert report.pairs == {OTHER: 1, MISS: 1}
    found = report.margin_nats_per_subpixel[MISS].mean
    assert found == pytest.approx(expected.mean(), rel=1e-2, abs=1e-6)
    assert report.followed[MISS] == np.mean(expected > 0)
    # This model has never learnt anything: its margins are small, and are reported all the same.
    assert np.abs(expected).max() > 0
    assert set(report.followed) == {OTHER, MISS}
    assert "margin" in following_text(report, "tiny")
    write_json(tmp_path / "following.json", asdict(report))
    assert len(futures[0].own.frames) == FRAMES


class Believer:
    """A model with known outputs: it predicts the hit, or what the actions lead to, with certainty,
    and pays a nat for each level that it is off by."""

    config = SimpleNamespace(colours=3)

    def __init__(self, futures: Futures, optimist: bool):
        self.futures = futures
        self.optimist = optimist

    def eval(self) -> None: ...

    def expected(self, actions: torch.Tensor) -> torch.Tensor:
        """(B, T, C, H, W): told 1, the push hits."""
        own, other = (torch.from_numpy(f.frames) for f in (self.futures.own, self.futures.other))
        told = [own if self.optimist or a[-1, 0] == 1 else other for a in actions]
        return torch.stack(told)

    def log_prob(self, frames, states, actions, context):
        return -(frames.float() - self.expected(actions).float()).abs().sum(2)[:, context:]

    def rollout(self, frames, states, actions, generator):
        return SimpleNamespace(frames=self.expected(actions)[:, frames.shape[1] :])


@pytest.mark.parametrize("optimist", [True, False])
def test_an_optimist_is_told_from_one_who_follows(optimist):
    """The object, at the left, goes to the right when hit and stays when missed."""
    segmentation = np.zeros((2, 4, 8, 8), np.int64)
    segmentation[:, :3, :, :2] = segmentation[1, 3, :, :2] = 2
    segmentation[0, 3, :, 6:] = 2
    hit, miss = (
        Episode(
            np.repeat((labels * 100).astype(np.uint8)[:, None], 3, 1),
            np.zeros((4, 1), np.float32),
            np.full((4, 1), action, np.float32),
            "told",
            {"segmentation": labels},
        )
        for labels, action in zip(segmentation, (1, 0), strict=True)
    )
    both = Futures(Pair("val", 0, MISS, target=0), hit, miss)
    report = measure_following(Believer(both, optimist), [both], Scoring(), samples=3)
    found = report.optimism
    assert found.samples == 3
    assert found.looks_hit_when_hit.mean == 1
    assert found.looks_hit_when_missed.mean == float(optimist)
    # Half of the region's pixels are 200 levels off, one way or the other: all are.
    assert found.nats_per_subpixel_against_hit.mean == (-200 if optimist else 200)
    assert report.followed[MISS] == (0 if optimist else 1)
