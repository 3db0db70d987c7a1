"""Every frame after the context is scored exactly once, whatever the batch size and the episodes'
lengths."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from stand_in import DEVICE, stand_in
from torch import nn

from pixelpush.datasets.episodes import Episode
from pixelpush.errors import InputError
from pixelpush.vpn.scoring import score_episodes, scoring_windows, total_score


class Copier(nn.Module):
    """log p of a frame given the one before: minus the absolute difference. Known, and blind to
    everything else."""

    def log_prob(self, frames, states, actions, context=2):
        values = frames.float()
        return -(values[:, context:] - values[:, context - 1 : -1]).abs().sum(2)


def episode(number: int, length: int) -> Episode:
    draw = np.random.default_rng(number)
    frames = draw.integers(0, 256, (length, 3, 4, 4), dtype=np.uint8)
    return Episode(
        frames, np.zeros((length, 2), np.float32), np.zeros((length, 1), np.float32), f"e{number}"
    )


def direct(one: Episode, context: int) -> float:
    values = one.frames.astype(np.float64)
    return float(np.abs(values[context:] - values[context - 1 : -1]).sum())


@given(st.integers(1, 400), st.integers(0, 5), st.integers(1, 40))
def test_windows_predict_every_frame_once(length: int, context: int, step: int):
    if length <= context:
        with pytest.raises(InputError, match="nothing to predict"):
            scoring_windows(length, context + step, context)
        return
    windows = scoring_windows(length, context + step, context)
    predicted = [frame for window in windows for frame in window[context:]]
    assert predicted == list(range(context, length))
    assert all(window.start >= 0 and window.stop <= length for window in windows)
    assert all(context < len(window) <= context + step for window in windows)


def test_windows_by_hand():
    assert scoring_windows(20, 20, 2) == [range(20)]
    assert scoring_windows(45, 20, 2) == [range(20), range(18, 38), range(36, 45)]
    assert scoring_windows(21, 20, 2) == [range(20), range(18, 21)]
    with pytest.raises(InputError, match="predict nothing"):
        scoring_windows(20, 2, 2)


@pytest.mark.parametrize("batch_size", [1, 2, 3, 50])
def test_scores_are_exact_and_in_order(batch_size: int):
    episodes = [episode(n, length) for n, length in enumerate([3, 30, 20, 5, 47, 20, 20])]
    done = []
    scores = score_episodes(
        Copier(),
        episodes,
        context=2,
        clip_frames=20,
        batch_size=batch_size,
        progress=lambda count, *_: done.append(count),
    )
    assert [score.id for score in scores] == [one.id for one in episodes]
    assert [score.nats for score in scores] == [direct(one, 2) for one in episodes]
    assert [score.frames for score in scores] == [len(one.frames) - 2 for one in episodes]
    assert [score.subpixels for score in scores] == [(len(one.frames) - 2) * 48 for one in episodes]
    assert all(math.fsum(score.frame_nats) == score.nats for score in scores)
    assert sum(done) == len(episodes)
    assert total_score(scores) == (
        sum(direct(one, 2) for one in episodes),
        sum(score.subpixels for score in scores),
    )


def test_mode_is_restored_and_no_gradient_is_kept():
    model = Copier().train()
    seen = []
    model.log_prob = lambda *a, **k: (
        seen.append((model.training, torch.is_grad_enabled())) or Copier.log_prob(model, *a, **k)
    )
    score_episodes(model, [episode(0, 5)])
    assert seen == [(False, False)]
    assert model.training


def test_bad_input_is_one_clear_line():
    with pytest.raises(InputError, match="no episode"):
        score_episodes(Copier(), [])
    with pytest.raises(InputError, match="episode e7: 2 frames"):
        score_episodes(Copier(), [episode(1, 9), episode(7, 2)])
    with pytest.raises(InputError, match="precision 'half'"):
        score_episodes(Copier(), [episode(1, 9)], precision="half")
    for size in (0, -1):
        with pytest.raises(InputError, match=f"batch_size.* at least 1, got {size}"):
            score_episodes(Copier(), [episode(1, 9)], batch_size=size)
    broken = Copier()
    broken.log_prob = lambda frames, *a, **k: torch.full((len(frames), 1, 4, 4), math.nan)
    with pytest.raises(InputError, match=r"episode e3: .*not finite"):
        score_episodes(broken, [episode(3, 3)])


def test_scores_need_no_float64_on_the_device():
    """Apple's GPUs have none."""
    split = [episode(1, 5), episode(2, 5)]
    expected = score_episodes(Copier(), split, clip_frames=4)
    with stand_in():
        assert score_episodes(Copier(), split, clip_frames=4, device=DEVICE) == expected
