"""Temperature means the same for every distribution: p^(1/T) over a sub-pixel's levels."""

from __future__ import annotations

import math

import pytest
import torch

from pixelpush.errors import InputError
from pixelpush.image.distributions import PixelDistribution
from pixelpush.image.heads import DISTRIBUTIONS, HeadSettings
from pixelpush.settings import check_temperature


def one_pixel(kind: str, count: int) -> PixelDistribution:
    """A distribution of some width over ``count`` equal pixels in a row."""
    colours = 1 if kind == "bernoulli" else 2
    head = DISTRIBUTIONS[kind].build(HeadSettings(4, colours, components=3, hidden=6))
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.copy_(0.7 * torch.randn(parameter.shape, generator=generator))
    features = torch.randn(1, 4, 1, 1, generator=generator).expand(1, 4, 1, count)
    return head(features)


def drawn_shares(kind: str, temperature: float, count: int = 2000) -> torch.Tensor:
    """Shares (256,) of the levels of the first channel over evenly spaced uniform numbers."""
    distribution = one_pixel(kind, count)
    grid = (torch.arange(count) + 0.5) / count
    uniforms = grid.expand(1, distribution.uniforms_per_pixel, 1, count).clone()
    if "logistic" in kind:  # the first chooses the component: evenly spaced beside the levels'
        uniforms[:, 0] = (torch.arange(count) * 0.618034) % 1
    with torch.no_grad():
        levels = distribution.sample(uniforms, temperature)[0, 0, 0]
    return levels.long().bincount(minlength=256) / count


@pytest.mark.parametrize("temperature", [0.3, 0.9, 3.0])
@pytest.mark.parametrize("kind", list(DISTRIBUTIONS))
def test_a_sub_pixel_is_drawn_from_the_power_of_its_distribution(kind, temperature):
    with torch.no_grad():
        table = one_pixel(kind, 1).channel_probabilities(0, torch.zeros(1, 0, 1, 1).byte())
    # Small probabilities come from sums of rounded ones; the largest decide these powers.
    wanted = table.double().flatten() ** (1 / temperature)
    wanted /= wanted.sum()
    found = drawn_shares(kind, temperature).double()
    assert (found.cumsum(0) - wanted.cumsum(0)).abs().max() < 5e-3


@pytest.mark.parametrize("temperature", [0.0, 1e-320, 1e-9])
@pytest.mark.parametrize("kind", list(DISTRIBUTIONS))
def test_zero_is_the_likeliest_level(kind, temperature):
    with torch.no_grad():
        table = one_pixel(kind, 1).channel_probabilities(0, torch.zeros(1, 0, 1, 1).byte())
    assert drawn_shares(kind, temperature, count=7).argmax() == table.flatten().argmax()
    assert drawn_shares(kind, temperature, count=7).max() == 1


@pytest.mark.parametrize("kind", list(DISTRIBUTIONS))
def test_near_one_is_the_distribution_itself(kind):
    """The two ways of drawing agree where they meet."""
    near = drawn_shares(kind, 1 + 1e-6).cumsum(0)
    assert (near - drawn_shares(kind, 1.0).cumsum(0)).abs().max() < 0.02


@pytest.mark.parametrize("kind", list(DISTRIBUTIONS))
def test_logarithms_are_those_of_the_probabilities(kind):
    distribution = one_pixel(kind, 3)
    colours = 1 if kind == "bernoulli" else 2
    earlier = torch.full((1, colours, 1, 3), 200, dtype=torch.uint8)
    for channel in range(colours):
        with torch.no_grad():
            scores = distribution.channel_log_probabilities(channel, earlier)
            table = distribution.channel_probabilities(channel, earlier)
        torch.testing.assert_close(scores.softmax(1), table, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("bad", [-0.1, math.nan, math.inf, -math.inf, 2e6])
def test_bad_temperatures_are_refused(bad):
    with pytest.raises(InputError, match="temperature must be between 0"):
        check_temperature(bad)
