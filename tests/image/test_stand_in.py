"""Every image model on a device that is not the CPU: no host read, no CPU tensor, the same
numbers."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from stand_in import DEVICE, held, stand_in
from tiny_images import (
    BOUNDS,
    CONDITIONED,
    KINDS,
    random_condition,
    random_images,
    tiny_image_model,
)

from pixelpush.image.captions import WordEncoder

SMALL = {"image_size": 4}
MULTISCALE = {"base_size": 2}
# Without the captions' GRU: a GPU computes it in one kernel of its own, which a CPU lacks.
CONDITIONS = {**CONDITIONED, "captions": False}
WORDS = {**CONDITIONED, "caption_attention": 8}


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


# One kind of each way in which a condition enters: as a map, and as maps of several sizes.
CASES = [*((kind, {}) for kind in KINDS), ("pixelcnn", CONDITIONS), ("pixelcnn", WORDS)]
CASES.append(("multiscale-pixelcnn", CONDITIONS))


@pytest.mark.parametrize(("kind", "conditions"), CASES)
def test_likelihood_loss_and_samples(kind, conditions):
    settings = {**SMALL, **(MULTISCALE if kind.startswith("multiscale") else {})}
    settings |= {"crop": 4, "patch": 2} if kind == "multiscale-pixelcnn" else {}
    settings |= conditions
    condition = random_condition(2) if conditions else None
    if condition is not None and not conditions["captions"]:
        condition = replace(condition, captions=None)
    model = tiny_image_model(kind, **settings)
    images = random_images(model, 2)
    expected = model.log_prob(images, condition)
    model(images, condition)["loss"].backward()
    sampled = model.sample(2, condition, seeded())
    with stand_in() as watch:
        there = tiny_image_model(kind, **settings).to(DEVICE)
        given = images.to(DEVICE), None if condition is None else condition.to(DEVICE)
        watch.forget()
        assert torch.equal(held(there.log_prob(*given).detach()), expected)
        there(*given)["loss"].backward()
        assert not watch.copies
        out = there.sample(2, given[1], seeded())
        # In each of three calls class numbers, and letters, are checked against both bounds, and
        # the host learns how many words there are.
        reads = 0 if condition is None else 2 if condition.captions is None else 5
        assert watch.reads.total() == 3 * reads
        assert watch.copies.total() == 1  # the uniform numbers
    for one, other in zip(model.parameters(), there.parameters(), strict=True):
        torch.testing.assert_close(held(other.grad), one.grad, rtol=1e-4, atol=1e-4)
    assert torch.equal(held(out.images), sampled.images)
    assert torch.equal(held(out.log_prob), sampled.log_prob)


def test_words_are_read_by_what_a_gpu_can_repeat(reproducible):
    encoder = WordEncoder(8)
    captions = random_condition(2).captions
    assert captions is not None
    expected = encoder(captions).values
    with stand_in():
        words = copy.deepcopy(encoder).to(DEVICE)(captions.to(DEVICE)).values
        words.sum().backward()
        assert torch.equal(held(words.detach()), expected)


@pytest.mark.parametrize("kind", BOUNDS)
def test_bounds_and_their_samples(kind):
    """Kinds that draw noise: each image's bytes and the samplers' normal numbers come from the CPU,
    so that all devices have the same."""
    model = tiny_image_model(kind, gain=0.5)
    images = random_images(model, 2)
    expected = model.log_prob(images)
    torch.manual_seed(0)  # the loss draws noise of its own
    model(images)["loss"].backward()
    sampled = model.sample(2, None, seeded())
    with stand_in():
        there = tiny_image_model(kind, gain=0.5).to(DEVICE)
        given = images.to(DEVICE)
        assert torch.equal(held(there.log_prob(given).detach()), expected)
        torch.manual_seed(0)
        there(given)["loss"].backward()
        out = there.sample(2, None, seeded())
    for one, other in zip(model.parameters(), there.parameters(), strict=True):
        torch.testing.assert_close(held(other.grad), one.grad, rtol=1e-4, atol=1e-4)
    assert torch.equal(held(out.images), sampled.images)
