"""Every image model on a device that is not the CPU: no host read, no CPU tensor, the same
numbers."""

from __future__ import annotations

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

SMALL = {"image_size": 4}
MULTISCALE = {"base_size": 2}
# Without captions: a GPU computes their GRU in one kernel of its own, which a CPU lacks.
CONDITIONS = {**CONDITIONED, "captions": False}


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


# One kind of each way in which a condition enters: as a map, and as maps of several sizes.
CASES = [*((kind, False) for kind in KINDS), ("pixelcnn", True), ("multiscale-pixelcnn", True)]


@pytest.mark.parametrize(("kind", "conditioned"), CASES)
def test_likelihood_loss_and_samples(kind, conditioned):
    settings = {**SMALL, **(MULTISCALE if kind.startswith("multiscale") else {})}
    settings |= {"crop": 4, "patch": 2} if kind == "multiscale-pixelcnn" else {}
    settings |= CONDITIONS if conditioned else {}
    condition = replace(random_condition(2), captions=None) if conditioned else None
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
        # Class numbers are checked against their bounds, both of them, once a call.
        assert watch.reads.total() == (6 if conditioned else 0)
        assert watch.copies.total() == 1  # the uniform numbers
    for one, other in zip(model.parameters(), there.parameters(), strict=True):
        torch.testing.assert_close(held(other.grad), one.grad, rtol=1e-4, atol=1e-4)
    assert torch.equal(held(out.images), sampled.images)
    assert torch.equal(held(out.log_prob), sampled.log_prob)


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
