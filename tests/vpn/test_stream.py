"""Streaming gives what scoring the whole video gives, frame by frame, and needs no later one."""

from __future__ import annotations

import pytest
import torch
from tiny import KINDS, tiny_model, tiny_video

from pixelpush.errors import InputError


@pytest.mark.parametrize("context", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_the_stream_is_the_likelihood(kind, context):
    model = tiny_model(kind)
    video = tiny_video(model, length=6)
    with torch.no_grad():
        expected = -model.log_prob(*video, context=context)
    streamed = list(model.score_stream(*video, context=context))
    assert len(streamed) == 6 - context
    torch.testing.assert_close(torch.stack(streamed, 1), expected, atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("settings", [{"motion": True}, {"encoder": "layered"}])
def test_motion_layers_and_relative_actions_stream_too(settings):
    model = tiny_model("ot", relative_action=True, state_dim=3, **settings)
    video = tiny_video(model, length=7)
    with torch.no_grad():
        expected = -model.log_prob(*video)
    streamed = torch.stack(list(model.score_stream(*video)), 1)
    torch.testing.assert_close(streamed, expected, atol=1e-4, rtol=1e-5)


def test_a_camera_is_read_one_frame_at_a_time():
    model = tiny_model("ot")
    frames, states, actions = tiny_video(model, 1, 6)
    read = 0

    def camera():
        nonlocal read
        for frame in frames.unbind(1):
            read += 1
            yield frame

    stream = model.score_stream(camera(), states.unbind(1), actions.unbind(1))
    for expected in (3, 4, 5, 6):
        next(stream)
        assert read == expected
    with pytest.raises(StopIteration):
        next(stream)


def test_a_frames_own_action_does_not_change_its_nats():
    model = tiny_model("ot")
    frames, states, actions = tiny_video(model, 1, 4)
    before = list(model.score_stream(frames, states, actions))
    actions[:, 3] += 5
    after = list(model.score_stream(frames, states, actions))
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("broken", ["size", "dtype", "state", "batch", "context"])
def test_wrong_input_is_refused(broken):
    model = tiny_model("ot")
    frames, states, actions = ([*x.unbind(1)] for x in tiny_video(model, 2, 4))
    if broken == "size":
        frames[2] = frames[2][..., :4]
    if broken == "dtype":
        frames[2] = frames[2].float()
    if broken == "state":
        states[1] = states[1][:, :1]
    if broken == "batch":
        frames[3], states[3], actions[3] = frames[3][:1], states[3][:1], actions[3][:1]
    with pytest.raises(InputError):
        list(model.score_stream(frames, states, actions, context=0 if broken == "context" else 2))
