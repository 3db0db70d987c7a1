"""Pasts of the model's own making: one step from the truth, with strays that stay."""

import torch

from pixelpush.vpn import build_model
from pixelpush.vpn.own_past import leave_strays, own_past
from tests.vpn.tiny import tiny_video


def tiny():
    torch.manual_seed(0)
    return build_model(
        "ot", frame_size=16, channels=8, lstm_channels=8, coarse_scales=0, encoder="layered"
    ).eval()


def test_a_past_is_sampled_from_the_true_past_and_by_torchs_own_generator():
    model = tiny()
    frames, states, actions = tiny_video(model)
    torch.manual_seed(3)
    past = own_past(model, frames, states, actions, 2)
    assert torch.equal(past[:, :2], frames[:, :2])
    assert not torch.equal(past[:, 2:], frames[:, 2:])
    torch.manual_seed(3)
    assert torch.equal(own_past(model, frames, states, actions, 2), past)
    # The first sampled frame knows the context alone.
    later = frames.clone()
    later[:, 2:] ^= 255
    torch.manual_seed(3)
    assert torch.equal(own_past(model, later, states, actions, 2)[:, 2], past[:, 2])


def test_strays_stay_for_some_frames_until_the_truth_changes():
    torch.manual_seed(0)
    true = torch.full((1, 12, 1, 40, 40), 50, dtype=torch.uint8)
    true[:, 6:] = 200
    samples = true.clone()
    samples[:, 2, :, :20] = 90  # half of the third frame is strays
    past = leave_strays(samples, true)
    assert torch.equal(past[..., 20:, :], true[..., 20:, :])
    stray = (past[..., :20, :] == 90).float().mean(dim=(0, 2, 3, 4))
    assert stray[:3].tolist() == [0, 0, 1]
    assert torch.all(stray[3:6] < stray[2:5])  # they fade
    assert stray[5] > 0.3
    assert not stray[6:].any()


def test_a_stray_gives_way_to_the_next():
    true = torch.full((1, 3, 1, 8, 8), 50, dtype=torch.uint8)
    samples = true.clone()
    samples[:, 0] = 90
    samples[:, 1] = 20
    assert leave_strays(samples, true)[:, 1].unique().tolist() == [20]


def test_a_loss_on_an_own_past_scores_the_true_frames():
    model = tiny()
    frames, states, actions = tiny_video(model)
    torch.manual_seed(5)
    past = own_past(model, frames, states, actions, 2)
    expected = model(frames, states, actions, 2, past)
    torch.manual_seed(5)
    found = model(frames, states, actions, 2, None, None, True)
    torch.testing.assert_close(found["loss"], expected["loss"])
