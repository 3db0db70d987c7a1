"""Pasts of the model's own making: rollouts from the context."""

import torch

from pixelpush.vpn import build_model
from pixelpush.vpn.own_past import own_past
from tests.vpn.tiny import tiny_video


def tiny():
    torch.manual_seed(0)
    return build_model(
        "ot", frame_size=16, channels=8, lstm_channels=8, coarse_scales=0, encoder="layered"
    ).eval()


def test_a_past_is_a_rollout_from_the_context_by_torchs_own_generator():
    model = tiny()
    frames, states, actions = tiny_video(model)
    torch.manual_seed(3)
    past = own_past(model, frames, states, actions, 2)
    assert torch.equal(past[:, :2], frames[:, :2])
    assert not torch.equal(past[:, 2:], frames[:, 2:])
    torch.manual_seed(3)
    assert torch.equal(own_past(model, frames, states, actions, 2), past)
    # Nothing of it knows the true frames after the context.
    later = frames.clone()
    later[:, 2:] ^= 255
    torch.manual_seed(3)
    assert torch.equal(own_past(model, later, states, actions, 2)[:, :-1], past[:, :-1])


def test_a_loss_on_an_own_past_scores_the_true_frames():
    model = tiny()
    frames, states, actions = tiny_video(model)
    torch.manual_seed(5)
    past = own_past(model, frames, states, actions, 2)
    expected = model(frames, states, actions, 2, past)
    torch.manual_seed(5)
    found = model(frames, states, actions, 2, None, None, True)
    torch.testing.assert_close(found["loss"], expected["loss"])


def test_a_past_is_what_the_rollout_would_sample_from_the_same_noise():
    model = tiny()
    frames, states, actions = tiny_video(model)
    torch.manual_seed(7)
    past = own_past(model, frames, states, actions, 2)
    torch.manual_seed(7)
    steps = frames.shape[1] - 3
    noise = [torch.rand(2, model.decoder.uniforms_per_pixel, 16, 16) for _ in range(steps)]
    later = iter(noise)

    def step(carry, action, uniforms, temperature):
        return model.step(carry, action, next(later), temperature)

    out = model.rollout(frames[:, :2], states, actions, steps=steps, step=step)
    assert torch.equal(past[:, 2:-1], out.frames)
