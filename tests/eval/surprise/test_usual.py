"""p-values that mean what they say, thresholds that hold, and a ROC by the definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelpush.errors import InputError
from pixelpush.eval.clips import Scoring
from pixelpush.eval.surprise.usual import clip_places, detection, learn_usual, roc_curve

SCORING = Scoring(context=2, clip_frames=8)


def calm_nats(seed: int, episodes: int = 80, frames: int = 12, size: int = 8) -> list[np.ndarray]:
    """Nats that are larger at a clip's start and louder at the picture's left."""
    draw = np.random.default_rng(seed)
    level = 3 + 2 / (1 + clip_places(frames, SCORING))[:, None, None]
    loud = np.linspace(2, 0.5, size)
    return [
        (level + loud * draw.standard_normal((frames, size, size))).astype(np.float32)
        for _ in range(episodes)
    ]


def test_places_count_from_each_clips_context():
    assert clip_places(12, SCORING).tolist() == [0, 1, 2, 3, 4, 5] * 2
    assert clip_places(8, SCORING).tolist() == [0, 1, 2, 3, 4, 5, 0, 1]


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_calm_frames_alarm_as_often_as_stated(seed):
    usual = learn_usual(calm_nats(seed, 80), 3, SCORING, regions=4)
    others = [f for nats in calm_nats(seed + 1, 60) for f in usual.score(nats)]
    p_values = np.array([frame.p_value for frame in others])
    assert p_values.min() > 0
    assert p_values.max() <= 1
    # 720 frames: five standard deviations of a share of 0.1, and 480 that learnt it.
    for rate in (0.02, 0.1, 0.5):
        slack = 5 * np.sqrt(rate * (1 - rate) * (1 / 720 + 1 / 480))
        assert abs((p_values <= rate).mean() - rate) < slack
        alarms = np.array([frame.score > usual.threshold(rate) for frame in others])
        np.testing.assert_array_equal(alarms, p_values <= rate)


def test_a_troubled_region_is_found_where_it_is():
    usual = learn_usual(calm_nats(0), 3, SCORING, regions=4)
    troubled = calm_nats(1, 1)[0]
    troubled[5, 4:6, 6:8] += 12
    frames = usual.score(troubled)
    assert max(range(12), key=lambda index: frames[index].score) == 5
    assert frames[5].strangest == (2, 3)
    assert frames[5].frame == 7
    assert frames[5].p_value == pytest.approx(1 / 481)
    assert frames[5].nats == pytest.approx(troubled[5].mean() / 3, rel=1e-5)


def test_the_start_of_a_clip_is_no_surprise():
    usual = learn_usual(calm_nats(0), 3, SCORING, regions=4)
    frames = usual.score(calm_nats(2, 1)[0])
    assert abs(np.mean([f.score for f in frames[:1]]) - np.mean([f.score for f in frames])) < 2


@settings(max_examples=50, deadline=None)
@given(
    calm=st.lists(st.integers(0, 8), min_size=1, max_size=30),
    troubled=st.lists(st.integers(0, 8), min_size=1, max_size=30),
    threshold=st.integers(0, 8),
)
def test_the_area_is_the_odds_and_the_curve_encloses_it(calm, troubled, threshold):
    calm, troubled = np.array(calm, float), np.array(troubled, float)
    found = detection(calm, troubled, threshold)
    pairs = troubled[:, None] - calm
    odds = ((pairs > 0) + 0.5 * (pairs == 0)).mean()
    assert found.auc == pytest.approx(odds)
    assert found.caught == pytest.approx(np.mean(troubled > threshold))
    alarms, caught = roc_curve(calm, troubled)
    assert (alarms[0], caught[0], alarms[-1], caught[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(caught, alarms) == pytest.approx(odds)


def test_too_little_validation_is_refused():
    usual = learn_usual(calm_nats(0, 4), 3, SCORING, regions=4)
    with pytest.raises(InputError, match=r"cannot support a false-alarm rate of 0\.01"):
        usual.threshold(0.01)
    with pytest.raises(InputError, match="at least 20 frames of 2 episodes are needed"):
        learn_usual(calm_nats(0, 1), 3, SCORING)
    with pytest.raises(InputError, match="does not divide"):
        learn_usual(calm_nats(0, 4), 3, SCORING, regions=3)
