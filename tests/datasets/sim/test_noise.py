"""The sensor noise has exactly the distribution it claims, and the floor is its entropy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelpush.datasets.sim.noise import (
    ENTROPY,
    PROBABILITY,
    REACH,
    SIGMA,
    _read,
    add_noise,
    noise_floor,
    noise_key,
)


def test_rows_are_renormalised_gaussians():
    np.testing.assert_allclose(PROBABILITY.sum(axis=1), 1, atol=1e-14)
    for x in (0, 3, 128, 255):
        support = np.flatnonzero(PROBABILITY[x])
        assert support[0] == max(0, x - REACH)
        assert support[-1] == min(255, x + REACH)
        ratio = PROBABILITY[x, support] / PROBABILITY[x, x]
        np.testing.assert_allclose(
            ratio, np.exp(-((support - x) ** 2) / (2 * SIGMA**2)), rtol=1e-12
        )


def test_entropy_of_the_middle_is_the_discrete_gaussian_s_and_less_at_the_ends():
    # H = log Z + E[d^2] / (2 sigma^2), summed in another order than the module does.
    weight = {d: math.exp(-(d * d) / (2 * SIGMA**2)) for d in range(-30, 31)}
    total = sum(weight.values())
    variance = sum(d * d * w for d, w in weight.items()) / total
    expected = math.log(total) + variance / (2 * SIGMA**2)
    assert ENTROPY[128] == pytest.approx(expected, abs=1e-12)
    assert ENTROPY[128] == pytest.approx(0.514872, abs=1e-6)
    assert ENTROPY[0] == pytest.approx(ENTROPY[255], abs=1e-12)
    assert ENTROPY[0] < ENTROPY[1] < ENTROPY[128]


@pytest.mark.parametrize("x", [0, 1, 7, 8, 128, 247, 248, 254, 255])
def test_inverse_cdf_gives_each_level_its_share_of_the_unit_interval(x):
    # An even grid of draws: each level's count is its probability to one part in the grid.
    grid = (np.arange(200_000) + 0.5) / 200_000
    read = _read(np.full(grid.size, x, np.uint8), grid)
    share = np.bincount(read, minlength=256) / grid.size
    np.testing.assert_allclose(share, PROBABILITY[x], atol=1.01 / grid.size)


def test_empirical_code_length_is_the_floor_within_its_standard_error():
    """Odds of a false failure: 4 standard errors, 1 in 16,000, once: the draws are fixed."""
    ramp = np.tile(np.arange(256, dtype=np.uint8), 3 * 64).reshape(1, 3, 64, 256)
    ends = np.tile(np.array([0, 255, 1, 254], np.uint8), 3 * 64 * 64).reshape(1, 3, 64, 256)
    clean = np.concatenate([ramp, ends])
    copies = np.stack([add_noise(clean, key) for key in range(40)])
    lengths = -np.log(PROBABILITY[np.broadcast_to(clean, copies.shape), copies])
    for frame, floor in enumerate(noise_floor(clean)):
        values = lengths[:, frame].ravel()
        error = values.std() / math.sqrt(values.size)
        assert abs(values.mean() - floor) < 4 * error
        assert error < 2e-3


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**64 - 1), st.integers(0, 5), st.integers(1, 6))
def test_a_part_reads_as_in_the_whole(key, start, length):
    clean = np.random.default_rng(1).integers(0, 256, (12, 3, 4, 5), dtype=np.uint8)
    whole = add_noise(clean, key)
    np.testing.assert_array_equal(
        add_noise(clean[start : start + length], key, start), whole[start : start + length]
    )
    np.testing.assert_array_equal(add_noise(clean, key), whole)


def test_streams_differ_by_episode_frame_and_split():
    clean = np.full((2, 3, 8, 8), 100, np.uint8)
    noisy = [
        add_noise(clean, noise_key(split, number))
        for split in ("train", "val")
        for number in (0, 1)
    ]
    frames = [frame.tobytes() for copy in noisy for frame in copy]
    assert len(set(frames)) == len(frames)


def test_floor_of_frames():
    frames = np.stack([np.full((3, 2, 2), 0, np.uint8), np.full((3, 2, 2), 128, np.uint8)])
    frames[1, 0] = 0
    floor = noise_floor(frames)
    assert floor.dtype == np.float32
    np.testing.assert_allclose(
        floor, [ENTROPY[0], (4 * ENTROPY[0] + 8 * ENTROPY[128]) / 12], rtol=1e-6
    )
