"""Totals and counts apart, the standard error over episodes, the curve over frames, the noise
floor."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelpush.datasets.episodes import Episode
from pixelpush.errors import InputError
from pixelpush.eval.likelihood.metrics import Scores
from pixelpush.eval.statistics import episode_floor, frame_curve, ratio
from pixelpush.vpn.scoring import EpisodeScore

VALUES = st.lists(st.floats(0.1, 5), min_size=2, max_size=20)


def score(name: str, frame_nats: list[float], pixels: int = 12) -> EpisodeScore:
    return EpisodeScore(
        name, math.fsum(frame_nats), len(frame_nats) * pixels, len(frame_nats), tuple(frame_nats)
    )


@given(VALUES)
def test_equal_lengths_give_the_usual_mean_and_error(values: list[float]):
    found = ratio([value * 100 for value in values], [100] * len(values))
    assert found.value == pytest.approx(np.mean(values))
    assert found.standard_error == pytest.approx(
        np.std(values, ddof=1) / math.sqrt(len(values)), abs=1e-9
    )


def test_longer_episodes_weigh_more():
    assert ratio([10.0, 300.0], [10, 100]).value == pytest.approx(310 / 110)


def test_error_of_unequal_lengths_covers_the_truth():
    """Over many draws, the value is off by about the error it states (a false failure: below
    1e-6)."""
    draw = np.random.default_rng(0)
    standardised = []
    for _ in range(2000):
        counts = draw.integers(50, 150, 60)
        found = ratio(list(counts * draw.normal(2, 0.3, 60)), [int(count) for count in counts])
        assert found.standard_error is not None
        standardised.append((found.value - 2) / found.standard_error)
    assert np.std(standardised) == pytest.approx(1, abs=0.1)


def test_a_single_episode_has_no_error():
    assert ratio([3.0], [2]).standard_error is None


@given(VALUES)
def test_paired_difference_forgets_what_both_share(values: list[float]):
    scores = [score(str(i), [value * 12]) for i, value in enumerate(values)]
    given = Scores(
        nats=[s.nats for s in scores],
        subpixels=[s.subpixels for s in scores],
        frames=[s.frames for s in scores],
    )
    found = given.above([s.nats - 0.25 * s.subpixels for s in scores])
    assert found is not None
    assert found.value == pytest.approx(0.25)
    assert found.standard_error == pytest.approx(0, abs=1e-7)


def test_curve_counts_only_the_episodes_that_reach_a_frame():
    curve = frame_curve([score("a", [12.0, 24.0]), score("b", [36.0])], context=2)
    assert [(p.frame, p.nats_per_subpixel, p.episodes) for p in curve] == [(2, 2.0, 2), (3, 2.0, 1)]


def test_floor_counts_exactly_the_predicted_frames():
    frames = np.zeros((4, 3, 2, 2), np.uint8)
    empty = np.zeros((4, 0), np.float32)
    floor = np.array([100, 100, 1.5, 0.5], np.float32)
    assert episode_floor(Episode(frames, empty, empty, "e", {"noise_floor": floor}), 2) == 2.0 * 12
    assert episode_floor(Episode(frames, empty, empty, "e"), 2) is None
    for bad in (floor[:3], np.full(4, np.nan, np.float32)):
        with pytest.raises(InputError, match="noise_floor"):
            episode_floor(Episode(frames, empty, empty, "e", {"noise_floor": bad}), 2)
