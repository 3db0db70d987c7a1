"""Byte-equal round trips of every kind of model, and code lengths equal to the likelihood."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tiny import KINDS, tiny_model, tiny_video
from tiny_images import CONDITIONED, random_condition, random_images, tiny_image_model
from tiny_images import KINDS as IMAGE_KINDS

from pixelpush.datasets import open_dataset
from pixelpush.datasets.episodes import Episode
from pixelpush.errors import InputError
from pixelpush.eval.coding.entropy import Decoder, Encoder
from pixelpush.eval.coding.episodes import CodedEpisode, decode_episode, encode_episode
from pixelpush.eval.coding.images import decode_images, encode_images
from pixelpush.vpn import load_model

# The coder ends on whole words, and every level costs 2^-24 of the mass.
END_BYTES = 12


def assert_as_long_as_it_must_be(coded: CodedEpisode) -> None:
    """Within a thousandth of the ideal length, from both sides, and never dearer than the nats, but
    for what tables in float32 cost: 0.00002 nats a sub-pixel (docs/likelihood.md)."""
    code_bytes, nats, least_bits = coded.code_bytes, coded.nats, coded.least_bits
    assert code_bytes <= nats / math.log(2) / 8 * 1.001 + END_BYTES
    assert abs(code_bytes - least_bits / 8) <= least_bits / 8 * 0.001 + END_BYTES
    assert least_bits <= (nats + 2e-5 * coded.subpixels) / math.log(2) + 1e-3


def tiny_episode(model, length=5, seed=0) -> Episode:
    frames, states, actions = (x[0].numpy() for x in tiny_video(model, 1, length, seed))
    return Episode(frames, states, actions, f"episode-{seed}")


def assert_round_trip(model, episode, context=2, clip_frames=20) -> None:
    coded = encode_episode(model, episode, context, clip_frames)
    decoded = decode_episode(model, coded.sections, "test")
    assert decoded.id == episode.id
    for name in ("frames", "states", "actions"):
        np.testing.assert_array_equal(getattr(decoded, name), getattr(episode, name))
    assert_as_long_as_it_must_be(coded)


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("distribution", ["logistic", "softmax"])
def test_every_video_kind_returns_the_bytes(kind, distribution, centred):
    distribution = f"independent-{distribution}" if kind == "baseline" else distribution
    model = tiny_model(kind, distribution=distribution, centred=centred)
    assert_round_trip(model, tiny_episode(model))


@pytest.mark.parametrize("kind", KINDS)
def test_a_layered_encoder_returns_the_bytes(kind):
    model = tiny_model(kind, encoder="layered")
    assert_round_trip(model, tiny_episode(model, 7), clip_frames=5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_coded_nats_are_the_models(kind):
    model = tiny_model(kind)
    episode = tiny_episode(model, 6)
    tensors = (torch.from_numpy(x)[None] for x in (episode.frames, episode.states, episode.actions))
    expected = -model.log_prob(*tensors).double().sum().item()
    coded = encode_episode(model, episode)
    assert coded.nats == pytest.approx(expected, abs=1e-4 * 4 * 64)
    assert coded.subpixels == 4 * 3 * 64


@pytest.mark.parametrize("kind", IMAGE_KINDS)
@pytest.mark.parametrize("settings_", [{}, CONDITIONED], ids=["convlstm", "conditioned"])
def test_every_image_kind_returns_the_bytes(kind, settings_):
    model = tiny_image_model(kind, **settings_)
    images = random_images(model, 2)
    condition = random_condition(2) if settings_ else None
    sections, nats = encode_images(model, images.numpy(), condition)
    np.testing.assert_array_equal(decode_images(model, sections, "test"), images.numpy())
    assert nats == pytest.approx(-model.log_prob(images, condition).double().sum().item(), rel=1e-5)
    assert len(sections[-1]) <= nats / math.log(2) / 8 * 1.001 + END_BYTES


def test_binary_pixels_cost_their_nats_and_grey_ones_can_be_coded():
    model = tiny_image_model("gated-pixelcnn", distribution="bernoulli", colours=1)
    images = random_images(model, 4)
    sections, nats = encode_images(model, images.numpy())
    assert len(sections[-1]) <= nats / math.log(2) / 8 * 1.001 + END_BYTES
    images[0, 0, 3, 3] = 77  # off the model's support: dear, but exact
    sections, nats = encode_images(model, images.numpy())
    assert nats == math.inf
    np.testing.assert_array_equal(decode_images(model, sections, "test"), images.numpy())


@settings(max_examples=12, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    length=st.integers(2, 9),
    context=st.integers(1, 3),
    more=st.integers(1, 6),
    size=st.sampled_from([4, 8, 16]),
    gain=st.floats(0.2, 4),
    fill=st.one_of(st.none(), st.integers(0, 255)),
    encoder=st.sampled_from(["convlstm", "layered"]),
    seed=st.integers(0, 1000),
)
@example("otlogn", 6, 1, 1, 16, 3.0, None, "convlstm", 1)  # levels of hardly a unit: 20 bits each
def test_round_trips_over_models_lengths_sizes_and_constant_frames(
    kind, length, context, more, size, gain, fill, encoder, seed
):
    # A layered encoder draws frames of 8 pixels at least.
    model = tiny_model(kind, size=size, gain=gain, encoder=encoder if size > 4 else "convlstm")
    episode = tiny_episode(model, max(length, context + 1), seed)
    if fill is not None:
        episode.frames[:] = fill
    assert_round_trip(model, episode, context, context + more)


@settings(max_examples=8, deadline=None)
@given(
    kind=st.sampled_from(IMAGE_KINDS),
    conditioned=st.booleans(),
    count=st.integers(1, 3),
    gain=st.floats(0.2, 3),
    fill=st.one_of(st.none(), st.integers(0, 255)),
    seed=st.integers(0, 1000),
)
def test_round_trips_over_image_models_and_constant_images(
    kind, conditioned, count, gain, fill, seed
):
    model = tiny_image_model(kind, gain=gain, **(CONDITIONED if conditioned else {}))
    images = random_images(model, count, seed).numpy()
    if fill is not None:
        images[:] = fill
    sections, nats = encode_images(
        model, images, random_condition(count, seed) if conditioned else None
    )
    np.testing.assert_array_equal(decode_images(model, sections, "test"), images)
    assert len(sections[-1]) <= nats / math.log(2) / 8 * 1.001 + END_BYTES


def test_a_level_that_is_held_impossible_costs_24_bits():
    table = torch.zeros(100, 256)
    table[:, 7] = 1
    levels = torch.full((100,), 200, dtype=torch.uint8)
    encoder = Encoder()
    encoder.encode(table, levels)
    assert encoder.bits == 24 * 100
    assert 24 * 100 <= 32 * len(encoder.words()) <= 24 * 100 + 8 * END_BYTES
    assert torch.equal(Decoder(encoder.words()).decode(table), levels)


def test_the_shipped_models_file_is_its_likelihood():
    """Real weights on real frames: the bytes are those of the scorer's nats, to a thousandth, but
    for levels below 2^-24."""
    model = load_model("push-ot-small", family="video")
    whole = open_dataset("sim", "val", size=64, episodes=1)[0]
    parts = {name: getattr(whole, name)[:6] for name in ("frames", "states", "actions")}
    episode = Episode(**parts, id="val")
    coded = encode_episode(model, episode)
    with torch.inference_mode():
        scored = model.log_prob(*(torch.from_numpy(array)[None] for array in parts.values()))
    assert coded.nats == pytest.approx(-scored.double().sum().item(), rel=1e-5)
    assert_as_long_as_it_must_be(coded)
    back = decode_episode(model, coded.sections, "test")
    np.testing.assert_array_equal(back.frames, episode.frames)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 1000), sharpness=st.floats(0, 30), count=st.integers(0, 40))
def test_the_coder_returns_levels_of_any_table(seed, sharpness, count):
    generator = torch.Generator().manual_seed(seed)
    table = torch.softmax(sharpness * torch.randn(count, 256, generator=generator), dim=1)
    levels = torch.randint(0, 256, (count,), dtype=torch.uint8, generator=generator)
    encoder = Encoder()
    encoder.encode(table, levels)
    assert Decoder(encoder.words()).decode(table).tolist() == levels.tolist()


def test_probabilities_that_are_no_numbers_are_refused():
    with pytest.raises(InputError, match="not finite"):
        Encoder().encode(torch.full((1, 256), math.nan), torch.zeros(1, dtype=torch.uint8))


def test_an_episode_of_another_size_is_refused():
    model = tiny_model("ot")
    with pytest.raises(InputError, match="the model takes frames"):
        encode_episode(model, tiny_episode(tiny_model("ot", size=16)))
