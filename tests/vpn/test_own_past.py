"""Pasts of the model's own making: rollouts from the context."""

import torch
from tiny import tiny_video

from pixelpush.vpn import build_model
from pixelpush.vpn.own_past import OwnPast, own_past


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
    found = model(frames, states, actions, 2, OwnPast())
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


def test_what_is_not_learnt_from_an_own_past_is_counted_and_has_no_gradient():
    model = tiny()
    frames, states, actions = tiny_video(model)
    nothing = torch.ones(frames.shape[0], frames.shape[1], 16, 16, dtype=torch.bool)

    def scored(unlearnt):
        torch.manual_seed(5)
        model.zero_grad()
        found = model(frames, states, actions, 2, OwnPast(unlearnt))
        (found["loss"] - found["state_error"]).backward()
        weights = [p.grad for p in model.decoder.parameters() if p.grad is not None]
        return found, sum(float(gradient.abs().sum()) for gradient in weights)

    whole, gradient = scored(None)
    assert gradient > 0
    masked, none = scored(nothing)
    assert none == 0
    for figure in ("loss", "nats_per_subpixel", "motion_error"):
        torch.testing.assert_close(masked[figure], whole[figure])
    # One pixel that is learnt is enough for a gradient.
    nothing[:, -1, 3, 3] = False
    assert 0 < scored(nothing)[1] < gradient
