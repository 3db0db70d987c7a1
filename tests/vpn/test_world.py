"""A world is the model's own rollout, one action at a time; its moments are values."""

from __future__ import annotations

import pytest
import torch

from pixelpush.errors import InputError
from pixelpush.image.noise import SampleNoise
from pixelpush.vpn import build_model
from pixelpush.vpn.world import World, places

SIZE = 16


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    settings = {"channels": 8, "lstm_channels": 8, "decoder_channels": 8, "feature_channels": 8}
    made = build_model("push-ot-small", frame_size=SIZE, coarse_scales=1, **settings).eval()
    with torch.no_grad():
        made.encoder.composition.leave.weight.normal_(std=0.2)
    return made


def given(batch: int = 2, length: int = 6):
    draw = torch.Generator().manual_seed(1)
    frames = torch.randint(0, 256, (batch, 2, 3, SIZE, SIZE), dtype=torch.uint8, generator=draw)
    return frames, *torch.randn(2, batch, length, 5, generator=draw)


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_stepping_is_the_rollout(model, temperature):
    frames, states, actions = given()
    generator = torch.Generator().manual_seed(3)
    out = model.rollout(frames, states[:, :2], actions, generator, temperature, together=2)
    world = World(model, temperature=temperature)
    noise = SampleNoise(torch.Generator().manual_seed(3), 2)
    moment = world.begin(frames, states, actions)
    for time in range(out.frames.shape[1]):
        uniforms = noise.uniforms(model.decoder.uniforms_per_pixel, SIZE, SIZE)
        moment = world.step(moment, actions[:, time + 1], uniforms)
        assert moment.time == time + 2
        torch.testing.assert_close(moment.frame, out.frames[:, time], rtol=0, atol=0)
        torch.testing.assert_close(moment.nats, out.log_prob[:, time])
        torch.testing.assert_close(moment.state, out.states[:, time + 2])


def test_a_moment_is_a_value(model):
    """Going on from a kept moment is the same after other steps were taken from it."""
    frames, states, actions = given()
    world = World(model, "mean")
    kept = world.begin(frames, states, actions, points=torch.tensor([[4, 9]]))
    first = world.step(kept, actions[:, 1])
    for time in range(2, 5):
        world.step(first, actions[:, time])
        world.step(kept, -actions[:, time])
    again = world.step(kept, actions[:, 1])
    torch.testing.assert_close(again.frame, first.frame, rtol=0, atol=0)
    torch.testing.assert_close(again.mass, first.mass, rtol=0, atol=0)


def test_copies_branch_and_do_not_know_of_each_other(model):
    frames, states, actions = given(batch=1)
    world = World(model, "mean")
    moment = world.begin(frames, states, actions, points=torch.tensor([[4, 9]]))
    branches = torch.stack([actions[0, 1], -actions[0, 1], actions[0, 2]])
    together = world.step(moment.copies(3), branches)
    for number, action in enumerate(branches):
        alone = world.step(moment, action[None])
        torch.testing.assert_close(together.frame[number], alone.frame[0], rtol=0, atol=1)
        torch.testing.assert_close(places(together)[number], places(alone)[0])


def test_seen_frames_enter_like_given_ones(model):
    frames, states, actions = given(batch=1)
    world = World(model, "mean")
    at_once = world.begin(frames, states, actions)
    bit_by_bit = world.begin(frames[:, :1], states, actions)
    bit_by_bit = world.see(bit_by_bit, actions[:, 0], frames[:, 1], states[:, 1])
    assert bit_by_bit.time == at_once.time == 1
    after = [world.step(moment, actions[:, 1]) for moment in (at_once, bit_by_bit)]
    torch.testing.assert_close(after[0].frame, after[1].frame, rtol=0, atol=0)


def test_the_mean_is_the_picture_that_the_encoder_composes(model):
    frames, states, actions = given(batch=1)
    world = World(model, "mean")
    moment = world.begin(frames, states, actions)
    vector = model.vectors(states[:, 1], actions[:, 1])
    with torch.no_grad():
        _, _, centre = model.encoder.step(moment.carry.encoder, frames[:, 1], vector)
    stepped = world.step(moment, actions[:, 1])
    assert (stepped.frame.float() - centre).abs().max() <= 0.5
    assert stepped.nats.abs().max() == 0


def test_mistakes_are_one_clear_line(model):
    frames, states, actions = given(batch=1)
    plain = build_model("ot", frame_size=SIZE, channels=4, lstm_channels=4)
    with pytest.raises(InputError, match="composes no picture"):
        World(plain, "mean")
    world = World(plain)
    moment = world.begin(frames, states, actions, points=torch.tensor([[1, 1]]))
    with pytest.raises(InputError, match="cannot follow"):
        world.step(moment, actions[:, 1], torch.rand(1, 4, SIZE, SIZE))
    sampling = World(model)
    with pytest.raises(InputError, match="uniform numbers"):
        sampling.step(sampling.begin(frames, states, actions), actions[:, 1])
    with pytest.raises(InputError, match="actions end too early"):
        world.begin(frames, states, actions[:, :0])
