"""Figures of sampled futures: of the truth itself, of a copy, and poses that are read."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pixelpush.eval.rollout.figures import measure_futures, summarise_figures
from pixelpush.eval.rollout.pose import pose_error


class Brightness(torch.nn.Module):
    """Reads x, in centimetres, from the mean level."""

    def forward(self, frames):
        level = frames.float().mean((1, 2, 3))
        return torch.stack([level / 100, *[torch.zeros_like(level)] * 4], dim=1)


def episode() -> tuple[np.ndarray, np.ndarray]:
    levels = np.arange(20, dtype=np.uint8) * 10
    frames = np.broadcast_to(levels[:, None, None, None], (20, 3, 16, 16)).copy()
    states = np.zeros((20, 5), np.float32)
    states[:, 0] = levels / 100
    return frames, states


def test_the_truth_is_perfect_and_a_copy_is_measured_as_one():
    frames, states = episode()
    perfect = measure_futures(frames, states, frames[None, 2:], {}, 2, Brightness())
    copied = np.broadcast_to(frames[1], frames[2:].shape)[None].copy()
    copy = measure_futures(frames, states, copied, {}, 2, Brightness())
    summary = summarise_figures([perfect])
    assert summary.frames.psnr > 80
    assert summary.frames.moving_psnr > 80
    assert summary.psnr_error is None
    assert summary.objects is None
    assert [reading.frame for reading in summary.poses] == [3, 8, 13, 19]
    assert all(reading.centimetres == 0 for reading in summary.poses)
    both = summarise_figures([perfect, copy])
    assert copy.frames.psnr == pytest.approx(copy.frames.copy_psnr)
    assert both.frames.psnr == pytest.approx((perfect.frames.psnr + copy.frames.psnr) / 2)
    # The copy stays at 0.1 m while the arm goes on by 0.1 m a frame; the mean of the two.
    assert both.poses[1].centimetres == pytest.approx(70 / 2, abs=1e-3)
    assert both.poses[1].true_centimetres == 0


def test_where_nothing_moves_there_is_no_figure_of_what_moves():
    still = np.full((6, 3, 16, 16), 9, np.uint8)
    found = measure_futures(still, np.zeros((6, 5), np.float32), still[None, 2:], {}, 2)
    assert summarise_figures([found, found]).frames.moving_psnr is None


def test_angles_are_compared_around_the_circle():
    true = torch.zeros(1, 5)
    true[0, -1] = 3.1
    read = torch.zeros(1, 5)
    read[0, -1] = -3.1
    assert pose_error(read, true).radians == pytest.approx(2 * np.pi - 6.2, abs=1e-4)
