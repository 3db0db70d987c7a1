"""Moving the last frame by a flow."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from tiny import tiny_model, tiny_video

from pixelpush.errors import InputError
from pixelpush.vpn.motion import Motion, warp


def test_whole_steps_of_flow_shift_the_frame():
    frame = torch.rand(2, 3, 6, 8)
    flow = torch.zeros(2, 2, 6, 8)
    torch.testing.assert_close(warp(frame, flow), frame)
    flow[:, 0], flow[:, 1] = 2.0, -1.0  # each pixel reads two columns to its right, one row above
    torch.testing.assert_close(warp(frame, flow)[:, :, 1:, :6], frame[:, :, :-1, 2:])


def test_half_a_step_is_the_mean_of_two_pixels():
    frame = torch.rand(1, 1, 4, 4)
    flow = torch.zeros(1, 2, 4, 4)
    flow[:, 0] = 0.5
    torch.testing.assert_close(warp(frame, flow)[..., :3], (frame[..., :3] + frame[..., 1:]) / 2)


def test_a_new_motion_lays_half_of_the_frame_over_the_mean():
    motion = Motion(4, patch=2)
    frame, mean = torch.full((1, 3, 8, 8), 100.0), torch.full((1, 3, 8, 8), 50.0)
    torch.testing.assert_close(
        motion(torch.randn(1, 4, 4, 4), frame, mean), torch.full((1, 3, 8, 8), 75.0)
    )


def test_the_future_alone_moves():
    model = tiny_model("ot", motion=True)
    frames, states, actions = tiny_video(model, batch=1)
    with torch.no_grad():
        before = model.log_prob(frames, states, actions)[0]
        changed = frames.clone()
        changed[0, 3, 0, 4, 4] ^= 128
        moved = (model.log_prob(changed, states, actions)[0] != before).flatten(1).any(1)
    assert moved.tolist() == [False, True, True]


def test_motion_needs_a_centre():
    with pytest.raises(InputError, match="centred"):
        tiny_model("ot", motion=True, centred=False)


def test_the_loss_is_the_likelihood_and_the_errors_of_motion_and_state():
    model = tiny_model("ot", motion=True, motion_weight=0.25)
    video = tiny_video(model)
    with torch.no_grad():
        found = model(*video)
        nats = -model.log_prob(*video).mean() / 3
    torch.testing.assert_close(found["nats_per_subpixel"], nats)
    assert found["motion_error"] > 1
    assert found["state_error"] > 0.01
    torch.testing.assert_close(
        found["loss"], nats + found["state_error"] + 0.25 * found["motion_error"]
    )
