"""Rollouts rendered larger."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from pixelpush.errors import InputError
from pixelpush.eval.rollout.super_resolution import load_upscalers, super_resolve
from pixelpush.eval.rollout.video import RolloutVideo
from pixelpush.training.seeding import derived_seed
from pixelpush.vpn import build_upscaler, save_model, upscale_video


@pytest.fixture(scope="module")
def chain(tmp_path_factory) -> list[str]:
    """Saved upscalers to 16 and to 32 pixels."""
    folder: Path = tmp_path_factory.mktemp("upscalers")
    for size in (16, 32):
        save_model(build_upscaler(size, channels=4, blocks=1, components=2), folder / str(size))
    return [str(folder / "16"), str(folder / "32")]


def small_video(samples: int = 2, steps: int = 3) -> RolloutVideo:
    draw = np.random.default_rng(0)

    def pictures(*shape: int) -> np.ndarray:
        return draw.integers(0, 256, (*shape, 3, 8, 8), dtype=np.uint8)

    heat, actions = np.ones((steps, 8, 8), np.float32), np.zeros((steps + 2, 2), np.float32)
    truth = pictures(steps)
    return RolloutVideo(
        "title",
        pictures(2),
        truth,
        pictures(samples, steps),
        heat,
        "surprise",
        heat[:, 0, 0],
        actions,
        actions,
    )


def test_every_picture_grows_alike_and_samples_keep_their_own_seeds(chain):
    upscalers = load_upscalers(chain, 8, 32, "cpu")
    video = small_video()
    large = super_resolve(video, upscalers, None, seed=1, number=5, device="cpu")
    assert large.samples.shape == (2, 3, 3, 32, 32)
    assert large.given.shape == (2, 3, 32, 32)
    assert large.heat.shape == (3, 32, 32)
    assert large.truth is None
    again = super_resolve(video, upscalers, None, seed=1, number=5, device="cpu")
    other = super_resolve(video, upscalers, None, seed=2, number=5, device="cpu")
    assert np.array_equal(large.samples, again.samples)
    assert not np.array_equal(large.samples, other.samples)


def test_an_enlarged_context_is_not_remembered(chain):
    """Without large frames detail has to grow; the blocks of an enlarged one would stay."""
    upscalers = load_upscalers(chain, 8, 32, "cpu")
    video = small_video()
    large = super_resolve(video, upscalers, None, seed=1, number=5, device="cpu")
    streams = [
        torch.Generator().manual_seed(derived_seed(1, "upscale", 5, sample)) for sample in range(2)
    ]
    alone = upscale_video(upscalers, torch.from_numpy(video.samples), None, streams)
    assert np.array_equal(large.samples, alone.numpy())


def test_the_rollouts_temperature_is_the_upscalers_too(chain):
    """At 0 no seed matters: every sub-pixel is the likeliest one."""
    given = small_video(), load_upscalers(chain, 8, 32, "cpu"), None
    one = super_resolve(*given, seed=1, number=5, device="cpu", temperature=0.0)
    other = super_resolve(*given, seed=2, number=5, device="cpu", temperature=0.0)
    assert np.array_equal(one.samples, other.samples)


def test_a_large_recording_starts_the_chain_and_is_the_truth_row(chain):
    recording = np.random.default_rng(1).integers(0, 256, (5, 3, 32, 32), dtype=np.uint8)
    large = super_resolve(
        small_video(), load_upscalers(chain, 8, 32, "cpu"), recording, 1, 5, "cpu"
    )
    assert np.array_equal(large.given, recording[:2])
    assert large.truth is not None
    assert np.array_equal(large.truth, recording[2:])


@pytest.mark.parametrize(
    ("size", "target", "message"),
    [
        (8, 8, "doubled"),
        (8, 24, "doubled"),
        (8, 16, "needs 1 upscalers"),
        (16, 64, "renders 16 pixels"),
    ],
)
def test_chains_that_do_not_fit_are_refused(chain, size, target, message):
    with pytest.raises(InputError, match=message):
        load_upscalers(chain, size, target, "cpu")


def test_no_upscaling_loads_nothing():
    assert load_upscalers((), 64, 0, "cpu") == []
