"""Moving the last frame by a flow."""

from __future__ import annotations

import pytest
import torch
from stand_in import DEVICE, held, stand_in
from tiny import tiny_model, tiny_video

from pixelpush.errors import InputError
from pixelpush.vpn.motion import Motion, ReproducibleSample, _sampled, warp


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


def test_the_reproducible_backward_pass_is_autograds():
    """Places inside, between, on and far beyond the border."""
    generator = torch.Generator().manual_seed(0)
    frame = torch.randn(2, 3, 5, 7, dtype=torch.float64, generator=generator)
    places = torch.empty(2, 4, 6, 2, dtype=torch.float64).uniform_(-1.5, 1.5, generator=generator)
    places[0, 0, 0] = 0.0  # exactly on a pixel
    upstream = torch.randn(2, 3, 4, 6, dtype=torch.float64, generator=generator)
    found = []
    for sample in (_sampled, ReproducibleSample.apply):
        inputs = frame.clone().requires_grad_(), places.clone().requires_grad_()
        sampled = sample(*inputs)
        sampled.backward(upstream)
        found.append((sampled.detach(), *(tensor.grad for tensor in inputs)))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("settings", [{"motion": True}, {"encoder": "layered"}])
def test_deterministic_training_and_sampling_use_only_what_a_gpu_can_repeat(settings, reproducible):
    model = tiny_model("ot", distribution="softmax", **settings)
    video = tiny_video(model, length=4)
    model(*video)["loss"].backward()
    with stand_in() as watch:
        there = tiny_model("ot", distribution="softmax", **settings).to(DEVICE)
        video = [tensor.to(DEVICE) for tensor in video]
        there(*video)["loss"].backward()
        there.rollout(video[0][:, :2], video[1], video[2])
        assert not watch.reads
    for one, other in zip(model.parameters(), there.parameters(), strict=True):
        if one.grad is not None:
            torch.testing.assert_close(held(other.grad), one.grad, rtol=1e-4, atol=1e-4)
