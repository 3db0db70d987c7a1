"""Captions read word by word: what a word is, what padding may change, colours bound to places."""

from __future__ import annotations

import pytest
import torch
from tiny_images import CONDITIONED, KINDS, random_condition, random_images, tiny_image_model

from pixelpush.errors import InputError
from pixelpush.image import Condition, build_image_model, encode_caption
from pixelpush.image.captions import CaptionReader, WordEncoder
from pixelpush.image.conditioning import ConditionConfig, ConditionEncoder
from pixelpush.image.layers import zero

ATTENTIVE = {**CONDITIONED, "caption_attention": 8}


def encoded(*texts: str) -> torch.Tensor:
    return torch.tensor([encode_caption(text) if text else [0] * 201 for text in texts])


def seeing_neighbours(width: int = 8) -> WordEncoder:
    """An encoder whose words depend on their neighbours."""
    torch.manual_seed(0)
    return WordEncoder(width)


def test_a_word_is_the_same_wherever_it_stands():
    encoder = seeing_neighbours()
    for block in encoder.blocks:
        zero(block.second)
    with torch.no_grad():
        words = encoder(encoded("a red mug", "there is a mug, red mugs")).values
    assert torch.equal(words[0, 0], words[1, 2])
    assert torch.equal(words[0, 1], words[1, 4])
    for other in (3, 5):  # "mug," and "mugs" are words of their own
        assert (words[0, 2] - words[1, other]).abs().max() > 0.05


def test_neighbours_tell_words_apart():
    with torch.no_grad():
        words = seeing_neighbours()(encoded("a red mug", "a mug red")).values
    assert (words[0, 1] - words[1, 2]).abs().max() > 1e-3


def test_a_longer_caption_in_the_batch_changes_no_word():
    encoder = seeing_neighbours()
    long = "a red mug to the left of a yellow banana on green felt"
    with torch.no_grad():
        alone = encoder(encoded("a red mug"))
        beside = encoder(encoded("a red mug", long, ""))
    assert beside.known.sum(1).tolist() == [3, 13, 0]
    assert beside.values.shape[1] == 13
    assert torch.allclose(alone.values[0], beside.values[0, :3], atol=1e-6)
    assert (beside.values[~beside.known] == 0).all()


def test_words_longer_than_any_place_and_captions_of_one_word():
    words = seeing_neighbours()(encoded("x" * 201, "antidisestablishmentarianism z"))
    assert words.known.tolist() == [[True, False], [True, True]]
    assert torch.isfinite(words.values).all()


def test_positions_read_differently_and_an_empty_caption_is_read_too():
    torch.manual_seed(0)
    encoder, reader = WordEncoder(8), CaptionReader(beside=0, width=8, channels=3)
    with torch.no_grad():
        found = reader(encoder(encoded("a red mug", "a blue mug", "")), None, (4, 4))
    assert found.shape == (3, 3, 4, 4)
    for one, other in ((0, 1), (0, 2)):
        assert (found[one] - found[other]).abs().flatten(1).max(1).values.min() > 1e-3
    assert found[0].flatten(1).std(1).min() > 1e-3


def test_a_caption_that_nothing_reads_costs_exactly_nothing():
    """Whatever its number of words."""
    model = tiny_image_model("multiscale-pixelcnn", **ATTENTIVE)
    last = model.encoders[0].reader.answer[-1]
    zero(last)
    images = random_images(model, 2)
    captions = encoded("a red mug", "a yellow banana to the left of a red mug on green felt")
    condition = random_condition(2)
    with torch.no_grad():
        one, other = (
            model.log_prob(images, Condition(condition.classes, texts, condition.structure))
            for texts in (captions, captions.flip(0))
        )
    assert torch.equal(one, other)


@pytest.mark.parametrize("kind", KINDS)
def test_the_laws_hold_where_captions_are_read_by_attention(kind):
    """The sampler scores what it draws, no image depends on its batch, and pixels on their
    caption."""
    model = tiny_image_model(kind, gain=1.5, **ATTENTIVE)
    condition = random_condition(3)
    sample = model.sample(3, condition, torch.Generator().manual_seed(1))
    with torch.no_grad():
        scored = model.log_prob(sample.images, condition)
        alone = model.log_prob(sample.images[1:2], condition[1:2])
    assert torch.allclose(scored, sample.log_prob, atol=1e-3)
    assert torch.allclose(scored[1:2], alone, atol=1e-3)
    model, images, condition = model.double(), random_images(model, 1), random_condition(1)
    others = Condition(condition.classes, 39 - condition.captions, condition.structure)
    with torch.no_grad():
        one, other = (model.log_prob(images, c) for c in (condition, others))
    # Not all: a ReLU may hide the difference.
    assert (one != other).float().mean() > 0.8


def test_words_are_bound_to_places():
    """Which half is bright is neither in the words nor in the place alone: a bag of words leaves an
    error of 1."""
    torch.manual_seed(0)
    encoder, reader = WordEncoder(16), CaptionReader(beside=0, width=16, channels=1)
    optimizer = torch.optim.Adam([*encoder.parameters(), *reader.parameters()], 5e-3)
    captions = encoded(
        "a bright can to the left of a dark can", "a dark can to the left of a bright can"
    )
    left = torch.tensor([1.0, 1.0, -1.0, -1.0]).expand(1, 4, 4)
    target = torch.stack([left, -left])
    for _ in range(100):
        optimizer.zero_grad()
        error = (reader(encoder(captions), None, (4, 4)) - target).square().mean()
        error.backward()
        optimizer.step()
    assert error < 0.3


def test_the_lesson_is_added_to_the_loss_and_to_no_score():
    settings = {"distribution": "logistic", **ATTENTIVE}
    model = tiny_image_model("multiscale-pixelcnn", guess=0.5, **settings)
    plain = tiny_image_model("multiscale-pixelcnn", **settings)
    plain.load_state_dict(
        {name: value for name, value in model.state_dict().items() if "guess" not in name}
    )
    images, condition = random_images(model, 2), random_condition(2)
    with torch.no_grad():
        taught, untaught = (one(images, condition) for one in (model, plain))
        assert torch.equal(model.log_prob(images, condition), plain.log_prob(images, condition))
        upper = model(images, condition, (8,))
    # 16 of 64 pixels are the base's.
    lesson = 0.5 * taught["nats_per_subpixel_guess"] * 16 / 64
    assert torch.allclose(taught["loss"], untaught["loss"] + lesson)
    assert torch.equal(taught["nats_per_subpixel"], untaught["nats_per_subpixel"])
    assert "nats_per_subpixel_guess" not in upper


def test_scales_without_the_base_leave_what_it_has_learnt():
    model = tiny_image_model("multiscale-pixelcnn", distribution="logistic", **ATTENTIVE)
    model(random_images(model, 2), random_condition(2), (8,))["loss"].backward()
    moved = {name for name, weights in model.named_parameters() if weights.grad is not None}
    assert {name.split(".")[0] for name in moved} == {"upscalers"}
    model(random_images(model, 2), random_condition(2), (4, 8))["loss"].backward()
    assert model.encoders[0].words.letters.weight.grad.abs().max() > 0


def test_settings_that_cannot_be_meant_are_refused():
    with pytest.raises(InputError, match="multiple of 4, got 6"):
        ConditionEncoder(ConditionConfig(captions=True, caption_attention=6))
    with pytest.raises(InputError, match="nothing to guess from"):
        build_image_model("multiscale-pixelcnn", guess=0.5)
