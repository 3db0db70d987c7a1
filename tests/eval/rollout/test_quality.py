"""PSNR and SSIM against their definitions, and the best of N."""

from __future__ import annotations

import numpy as np
import pytest

from pixelpush.errors import InputError
from pixelpush.eval.rollout.quality import episode_quality, psnr, ssim, summarise_quality


def pictures(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def test_psnr_of_known_errors():
    truth = np.full((2, 3, 8, 8), 100, np.uint8)
    np.testing.assert_allclose(psnr(truth, truth + 1), 20 * np.log10(255))
    np.testing.assert_allclose(psnr(truth, truth - 10), 20 * np.log10(25.5))
    assert np.isfinite(psnr(truth, truth)).all()
    assert (psnr(truth, truth) > psnr(truth, truth + 1)).all()


def similar_pictures() -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairs alike and unalike, flat and dark, square and not, in colour and grey."""
    noise = pictures(3, 16, 20, seed=1)
    alike = np.clip(noise.astype(int) + pictures(3, 16, 20, seed=2) // 32, 0, 255).astype(np.uint8)
    flat = np.full((1, 7, 9), 3, np.uint8)
    return [(pictures(3, 16, 20), noise), (noise, alike), (flat, flat + 2), (flat, flat)]


@pytest.mark.parametrize("pair", similar_pictures(), ids=["unalike", "alike", "flat", "equal"])
def test_psnr_and_ssim_are_scikit_images(pair):
    metrics = pytest.importorskip("skimage.metrics")
    truth, frames = pair
    if (truth != frames).any():
        expected = metrics.peak_signal_noise_ratio(truth, frames, data_range=255)
        assert psnr(truth, frames) == pytest.approx(expected)
    expected = metrics.structural_similarity(truth, frames, channel_axis=0, data_range=255)
    assert ssim(truth, frames) == pytest.approx(expected, abs=1e-12)
    several = ssim(np.stack([truth, frames]), np.stack([frames, frames]))
    np.testing.assert_allclose(several, [expected, 1], atol=1e-12)


def test_ssim_needs_a_window():
    with pytest.raises(InputError, match="at least 7"):
        ssim(pictures(1, 3, 4, 4), pictures(1, 3, 4, 4))


def test_best_of_n_is_the_best_over_the_horizon():
    truth = pictures(4, 3, 16, 16)
    samples = np.stack([pictures(4, 3, 16, 16, seed=1), truth, pictures(4, 3, 16, 16, seed=2)])
    samples[1, 0] = 0  # the best sample is bad at first: it is chosen for the whole
    found = episode_quality(truth[:2], truth, samples)
    for name, measure in (("psnr", psnr), ("ssim", ssim)):
        assert found[name].best_sample == 1
        np.testing.assert_allclose(found[name].best, measure(truth, samples[1]))
        each = np.stack([measure(truth, sample) for sample in samples])
        np.testing.assert_allclose(found[name].mean, each.mean(axis=0))
        copied = np.stack([truth[1]] * 4)
        np.testing.assert_allclose(found[name].copy, measure(truth, copied))


def test_summary_is_the_mean_over_episodes():
    episodes = []
    for seed in range(3):
        truth = pictures(2, 3, 16, 16, seed=seed)
        episodes.append(episode_quality(truth, truth, pictures(2, 2, 3, 16, 16, seed=9 + seed)))
    summary = summarise_quality(episodes, samples=2)
    best = summary.measures["psnr"]["best"]
    assert summary.to_json()["psnr"]["best"]["by_step"] == best.by_step
    values = np.stack([episode["psnr"].best for episode in episodes])
    np.testing.assert_allclose(best.by_step, values.mean(axis=0))
    np.testing.assert_allclose(best.standard_error_by_step, values.std(axis=0, ddof=1) / 3**0.5)
    assert best.mean == pytest.approx(values.mean())
    short = episode_quality(
        pictures(2, 3, 16, 16), pictures(1, 3, 16, 16), pictures(2, 1, 3, 16, 16)
    )
    with pytest.raises(InputError, match="one length"):
        summarise_quality([episodes[0], short], samples=2)
