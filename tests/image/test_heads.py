"""Heads: channel order, normalisation, float32 parameters, centres."""

from __future__ import annotations

import pytest
import torch

from pixelpush.errors import InputError
from pixelpush.image.heads import DISTRIBUTIONS, ChannelSoftmaxHead, HeadSettings

HEADS = ["softmax", "logistic", "independent-logistic"]


def features_of(count: int = 2) -> torch.Tensor:
    return torch.randn(count, 6, 3, 3, generator=torch.Generator().manual_seed(0))


def softmax_head(centred: bool = False) -> ChannelSoftmaxHead:
    torch.manual_seed(1)
    head = ChannelSoftmaxHead(6, 3, 8, centred)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.5)
    return head


def test_channel_logits_see_exactly_the_earlier_channels():
    head = softmax_head()
    pixels = torch.randint(
        0, 256, (2, 3, 3, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(2)
    )
    for changed in range(3):
        other = pixels.clone()
        other[:, changed] ^= 255
        for channel in range(3):
            before = head.channel_logits(features_of(), channel, list(pixels.unbind(1)), None)
            after = head.channel_logits(features_of(), channel, list(other.unbind(1)), None)
            assert torch.equal(before, after) == (changed >= channel)


@pytest.mark.parametrize("centred", [False, True])
def test_every_channel_normalises(centred):
    head = softmax_head(centred)
    centre = torch.full((1, 3, 1, 256), 90, dtype=torch.uint8) if centred else None
    features = features_of(1)[..., :1, :1].expand(1, 6, 1, 256)
    levels = torch.arange(256, dtype=torch.uint8).view(1, 1, 1, 256)
    fixed = torch.tensor([10, 200], dtype=torch.uint8).view(1, 2, 1, 1).expand(1, 2, 1, 256)
    with torch.no_grad():
        last = head(features, centre).log_prob(torch.cat((fixed, levels), 1)).double().logsumexp(-1)
        logits = [head.channel_logits(features, c, list(fixed.unbind(1)), centre) for c in (0, 1)]
    prefix = sum(
        torch.log_softmax(logit, 1)[0, value, 0, 0]
        for logit, value in zip(logits, (10, 200), strict=True)
    )
    assert last.item() == pytest.approx(float(prefix), abs=1e-4)


@pytest.mark.parametrize("kind", HEADS)
def test_sampler_and_score_use_float32_whatever_the_features(kind):
    torch.manual_seed(0)
    head = DISTRIBUTIONS[kind].build(HeadSettings(6, 3, 4, 8))
    uniforms = torch.rand(
        2, head.uniforms_per_pixel, 3, 3, generator=torch.Generator().manual_seed(3)
    )
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        distribution = head(features_of())
        pixels = distribution.sample(uniforms)
        assert distribution.log_prob(pixels).dtype == torch.float32
        assert pixels.dtype == torch.uint8


@pytest.mark.parametrize("kind", HEADS)
def test_a_new_head_is_close_to_uniform(kind):
    """Nats per sub-pixel of random pixels under a new head: not far above log 256 = 5.55."""
    torch.manual_seed(0)
    pixels = torch.randint(0, 256, (2, 3, 3, 3), dtype=torch.uint8)
    head = DISTRIBUTIONS[kind].build(HeadSettings(6, 3, 10, 8))
    assert 5.0 < -head(features_of()).log_prob(pixels).mean().item() / 3 < 7.5


def test_sampling_frequencies_of_the_softmax_head():
    """The empirical red of a fine grid of uniforms equals the probabilities (no randomness)."""
    head, count = softmax_head(), 100_000
    features = features_of(1)[..., :1, :1].expand(1, 6, 1, count)
    grid = ((torch.arange(count) + 0.5) / count).view(1, 1, 1, count).expand(1, 3, 1, count)
    with torch.no_grad():
        distribution = head(features)
        drawn = distribution.sample(grid)[0, 0, 0].long().bincount(minlength=256) / count
        expected = torch.softmax(head.channel_logits(features[..., :1], 0, [], None), 1)[0, :, 0, 0]
    assert (drawn - expected).abs().max() < 5e-5


def test_mistakes_are_named():
    with pytest.raises(InputError, match="unknown pixel distribution 'gauss'"):
        DISTRIBUTIONS.find("gauss")
    with pytest.raises(InputError, match="centre"):
        softmax_head(centred=True)(features_of())
