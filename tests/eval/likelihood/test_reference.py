"""The reference row: its table, its fit and its scores against direct float64 arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pixelpush.datasets.episodes import Episode
from pixelpush.errors import InputError
from pixelpush.eval.likelihood.reference import Reference, count_pairs, fit_mixture, fit_reference


def episode(frames: np.ndarray, name: str = "e") -> Episode:
    empty = np.zeros((len(frames), 0), np.float32)
    return Episode(frames, empty, empty, name)


def random_reference(seed: int, channels: int = 2) -> Reference:
    draw = np.random.default_rng(seed)
    weights = draw.dirichlet(np.ones(3), channels)
    scales = np.exp(draw.normal(0.5, 1.5, (channels, 3)))
    return Reference(weights, draw.normal(0, 4, (channels, 3)), scales, 2, 1, 1, 0.0)


def direct_probability(reference: Reference, channel: int, previous: int, value: int) -> float:
    """Differences of CDFs, one number at a time."""

    def cdf(edge: float) -> float:
        mixture = zip(
            reference.weights[channel],
            reference.offsets[channel],
            reference.scales[channel],
            strict=True,
        )
        return math.fsum(
            w * 0.5 * (1 + math.tanh((edge - previous - m) / (2 * s))) for w, m, s in mixture
        )

    low = 0.0 if value == 0 else cdf(value - 0.5)
    high = 1.0 if value == 255 else cdf(value + 0.5)
    return high - low


@pytest.mark.parametrize("seed", range(5))
def test_the_256_probabilities_sum_to_one(seed: int):
    np.testing.assert_allclose(
        np.exp(random_reference(seed).table).sum(axis=-1), 1, rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("seed", range(5))
def test_table_equals_differences_of_cdfs(seed: int):
    reference = random_reference(seed)
    draw = np.random.default_rng(seed)
    for previous in (0, 1, 100, 254, 255):
        for value in (0, 1, 255, *draw.integers(0, 256, 8)):
            direct = direct_probability(reference, 1, previous, int(value))
            assert math.exp(reference.table[1, previous, value]) == pytest.approx(
                direct, rel=1e-6, abs=1e-13
            )


def test_narrow_and_wide_scales_stay_finite():
    reference = Reference(
        np.array([[0.5, 0.5]]), np.zeros((1, 2)), np.array([[0.02, 500.0]]), 2, 1, 1, 0.0
    )
    assert np.isfinite(reference.table).all()
    np.testing.assert_allclose(np.exp(reference.table).sum(axis=-1), 1, rtol=0, atol=1e-12)


def test_a_component_without_weight_changes_nothing():
    with_it = Reference(
        np.array([[1.0, 0.0]]), np.zeros((1, 2)), np.array([[2.0, 5.0]]), 2, 1, 1, 0.0
    )
    without = Reference(np.array([[1.0]]), np.zeros((1, 1)), np.array([[2.0]]), 2, 1, 1, 0.0)
    np.testing.assert_array_equal(with_it.table, without.table)


def test_pairs_are_counted_after_the_context_only():
    frames = np.random.default_rng(0).integers(0, 256, (5, 2, 3, 3), dtype=np.uint8)
    counts, predicted = count_pairs([episode(frames)], context=2)
    expected = np.zeros((2, 256, 256), int)
    for time in range(2, 5):
        for channel in range(2):
            for before, after in zip(
                frames[time - 1, channel].flat, frames[time, channel].flat, strict=True
            ):
                expected[channel, before, after] += 1
    assert predicted == 3
    np.testing.assert_array_equal(counts, expected)


def test_scores_equal_a_loop_over_sub_pixels():
    reference = random_reference(1)
    # Small steps around dark, middle and bright: the naive differences of CDFs vanish for large
    # ones.
    base = np.array([3, 128, 252]).reshape(3, 1)
    steps = np.random.default_rng(1).integers(-4, 5, (4, 2, 3, 2))
    frames = np.clip(base + steps, 0, 255).astype(np.uint8)
    assert {0, 255} <= set(frames[2:].ravel().tolist())
    score = reference.score(episode(frames, "only"))
    direct = [0.0, 0.0]
    for index in np.ndindex(2, 2, 3, 2):
        time, channel = index[0] + 2, index[1]
        before, after = frames[(time - 1, *index[1:])], frames[(time, *index[1:])]
        direct[index[0]] -= math.log(
            direct_probability(reference, channel, int(before), int(after))
        )
    assert (score.id, score.frames, score.subpixels) == ("only", 2, 24)
    np.testing.assert_allclose(score.frame_nats, direct, rtol=1e-9)
    assert score.nats == pytest.approx(sum(direct), rel=1e-9)


def test_fit_reports_the_likelihood_of_its_own_table():
    frames = np.random.default_rng(2).integers(0, 256, (6, 3, 8, 8), dtype=np.uint8)
    episodes = [episode(frames), episode(frames[::-1].copy())]
    reference = fit_reference(episodes)
    scores = [reference.score(one) for one in episodes]
    mean = sum(score.nats for score in scores) / sum(score.subpixels for score in scores)
    assert reference.nats_per_subpixel == pytest.approx(mean, rel=1e-9)
    assert (reference.episodes, reference.frames) == (2, 8)
    assert reference.weights.shape == (3, 6)


def test_fit_finds_a_known_mixture():
    """Counts that are a known mixture's probabilities: the fit's likelihood must reach its
    entropy."""
    truth = Reference(
        np.array([[0.7, 0.3]]), np.array([[0.2, -6.0]]), np.array([[1.5, 12.0]]), 2, 1, 1, 0.0
    )
    probability = np.exp(truth.table)
    counts = np.round(probability * 1e7).astype(np.int64)
    entropy = -(counts * truth.table).sum() / counts.sum()
    *_, nats = fit_mixture(counts)
    assert entropy - 1e-4 < nats < entropy + 1e-4


def test_a_still_video_is_nearly_free_and_finite():
    still = np.full((4, 1, 8, 8), 77, np.uint8)
    reference = fit_reference([episode(still)])
    assert 0 <= reference.nats_per_subpixel < 0.01
    moved = still.copy()
    moved[3] = 200
    assert np.isfinite(reference.score(episode(moved)).nats)


def test_nothing_to_fit_and_other_channels_are_refused():
    grey, colour = np.zeros((4, 1, 8, 8), np.uint8), np.zeros((4, 3, 8, 8), np.uint8)
    with pytest.raises(InputError, match="after the context of 2"):
        fit_reference([episode(grey[:2])])
    with pytest.raises(InputError, match="3 colour channels"):
        fit_reference([episode(grey), episode(colour)])
    with pytest.raises(InputError, match="fitted on 1"):
        fit_reference([episode(grey)]).score(episode(colour))
