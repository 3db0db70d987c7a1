"""Weight normalisation and its data-dependent initialisation."""

from __future__ import annotations

import pytest
import torch
from tiny_images import random_images

from pixelpush.image import build_image_model
from pixelpush.image.pixelcnn_pp import GatedResnet
from pixelpush.image.weight_norm import (
    NormedConv2d,
    NormedProjection,
    NormedTranspose2d,
    initialise_from_data,
)


@pytest.mark.parametrize(
    "layer", [NormedConv2d(3, 5, (2, 3), "down"), NormedTranspose2d(3, 5, "right")]
)
def test_the_norm_of_every_output_channel_is_the_gain(layer):
    with torch.no_grad():
        layer.gain.copy_(torch.tensor([0.1, 1.0, 2.0, 3.0, 4.0]))
        weight = layer.effective_weight()
        channels = weight if layer.output_dimension == 0 else weight.transpose(0, 1)
        assert torch.allclose(channels.flatten(1).norm(dim=1), layer.gain)
        before = weight.clone()
        layer.weight.mul_(7)
        assert torch.allclose(layer.effective_weight(), before, atol=1e-6)


def test_after_initialisation_every_layer_has_mean_zero_and_its_scale_on_the_data():
    torch.manual_seed(0)
    model = build_image_model("pixelcnn++", image_size=16, filters=8, resnets=1, dropout=0.0)
    images = random_images(model, 8)
    model.initialise(images)
    seen = []

    def look(layer, _, output):
        deviation, mean = torch.std_mean(output, dim=(0, 2, 3), correction=0)
        seen.append((deviation / layer.init_scale - 1).abs().max().item())
        assert mean.abs().max() < 1e-4

    for layer in model.modules():
        if isinstance(layer, NormedConv2d | NormedTranspose2d):
            layer.register_forward_hook(look)
    assert isinstance(model.decoder.head.project, NormedProjection)
    with torch.no_grad():
        before = model.log_prob(images)
        model.initialise(images)
        assert torch.allclose(model.log_prob(images), before, atol=1e-2)
    assert len(seen) > 30
    assert max(seen) < 1e-3


@pytest.mark.parametrize("distribution", ["logistic", "independent-logistic", "bernoulli"])
def test_the_output_layer_is_normalised_as_in_the_public_code(distribution):
    model = build_image_model(
        "pixelcnn++", image_size=8, filters=4, resnets=1, distribution=distribution
    )
    plain = build_image_model("pixelcnn", image_size=8, channels=4, distribution=distribution)
    assert isinstance(model.decoder.head.project, NormedProjection)
    assert not isinstance(plain.decoder.head.project, NormedProjection)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        features = torch.randn(2, 4, 8, 8)
        before = model.decoder.head.project(features)
        model.decoder.head.project.weight.mul_(7)
        after = model.decoder.head.project(features)
    assert before.dtype == torch.float32
    assert torch.allclose(after, before, atol=1e-5)


def test_initialisation_leaves_no_hooks_and_changes_no_other_layer():
    block = GatedResnet(4, "down", 0, 3, 0.0)
    inputs = torch.randn(2, 4, 5, 5)
    condition = torch.randn(2, 3, 5, 5)
    assert block.condition is not None
    before = block.condition.weight.clone()
    initialise_from_data(block, lambda: block(inputs, None, condition))
    assert torch.equal(block.condition.weight, before)
    assert not any(module._forward_hooks for module in block.modules())
