"""Tempered draws among a few levels are those of the table of all 256, to the byte."""

from __future__ import annotations

import pytest
import torch

from pixelpush.image import tempered
from pixelpush.image.distributions import (
    IndependentLogisticMixture,
    LogisticMixture,
    PixelDistribution,
)
from pixelpush.image.inverse_cdf import running_sum
from pixelpush.image.tempered import Logistics, draw_in_window, draw_tempered, probabilities

TEMPERATURES = [0.0, 1e-9, 1e-4, 0.05, 0.3, 0.5, 0.8, 0.99, 1 - 1e-6, 1.3, 2.0]


def mixtures(seed: int, spread: float, size: tuple[int, int, int] = (2, 9, 11)) -> Logistics:
    """Four components each, of all widths, some alone, at the ends of the range and past them."""
    draw = torch.Generator().manual_seed(seed)
    n, h, w = size
    shape = (n, 4, h, w)
    weights = (spread * torch.randn(shape, generator=draw)).softmax(1)
    together = 300 * torch.rand(n, 1, h, w, generator=draw) - 20
    means = together + spread * torch.randn(shape, generator=draw)
    log_scales = -7 + 9 * torch.rand(shape, generator=draw)
    return Logistics(weights, means, log_scales.exp() * 127.5)


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("kind", [LogisticMixture, IndependentLogisticMixture])
@pytest.mark.parametrize("spread", [0.3, 3.0, 40.0])
def test_samples_are_those_of_the_tables(kind, spread, temperature):
    draw = torch.Generator().manual_seed(int(10 * spread))
    count = {LogisticMixture: 4 * 10, IndependentLogisticMixture: 3 * 4 * 3}[kind]
    parameters = spread * torch.randn(2, count, 13, 9, generator=draw)
    centre = 255 * torch.rand(2, 3, 13, 9, generator=draw)
    distribution = kind(parameters, 3, centre)
    uniforms = torch.rand(2, distribution.uniforms_per_pixel, 13, 9, generator=draw)
    uniforms[0, :, 0, 0], uniforms[0, :, 0, 1] = 0, 1 - 2**-24
    found = distribution.sample(uniforms, temperature)
    slow = PixelDistribution.draw_tempered(distribution, uniforms, temperature)
    assert torch.equal(found, slow)


@pytest.mark.parametrize("temperature", [t for t in TEMPERATURES if t <= 1])
@pytest.mark.parametrize("spread", [0.3, 3.0, 40.0])
def test_also_where_a_number_stands_at_the_edge_of_a_level(spread, temperature):
    mixture = mixtures(1, spread)
    power = 1 / max(temperature, 1e-6)
    scores = probabilities(mixture).log()
    sums = running_sum(((scores - scores.amax(1, keepdim=True)) * power).exp())
    edges = sums / sums[:, -1:]
    draw = torch.Generator().manual_seed(2)
    for off in (-1e-4, -1e-6, -6e-8, 0.0, 6e-8, 1e-6, 1e-4):
        # An edge of one of the likely levels: the first above a number.
        at = (edges <= torch.rand(2, 1, 9, 11, generator=draw)).sum(1, keepdim=True).clamp(max=255)
        uniforms = (edges.gather(1, at) + off).clamp(0, 1 - 2**-24)
        slow = tempered.draw_from_table(mixture, uniforms, temperature)
        assert torch.equal(draw_tempered(mixture, uniforms, temperature), slow)
        levels, certain = draw_in_window(mixture, uniforms, temperature)
        assert torch.equal(levels[certain], slow[certain])


@pytest.mark.parametrize("temperature", [0.0, 0.3, 0.5, 0.9])
def test_narrow_distributions_need_no_table(temperature):
    draw = torch.Generator().manual_seed(3)
    one = torch.ones(1, 2, 64, 64)
    middle = 255 * torch.rand(1, 1, 64, 64, generator=draw)
    mixture = Logistics(one / 2, middle + torch.tensor([-0.4, 0.5])[:, None, None], 0.6 * one)
    uniforms = torch.rand(1, 1, 64, 64, generator=draw)
    assert draw_in_window(mixture, uniforms, temperature)[1].float().mean() > 0.98


def test_only_what_is_not_certain_goes_through_the_table(monkeypatch):
    """Two equal peaks far apart: the window stands between them and knows nothing."""
    one = torch.ones(1, 2, 1, 3)
    means = torch.tensor([[40.0, 90.0, 90.3], [200.0, 90.0, 90.3]])[None, :, None]
    asked = []
    slow = tempered.draw_from_table

    def table(mixture: Logistics, uniforms: torch.Tensor, temperature: float) -> torch.Tensor:
        asked.append(mixture.means.flatten().tolist())
        return slow(mixture, uniforms, temperature)

    monkeypatch.setattr(tempered, "draw_from_table", table)
    uniforms = torch.tensor([0.9, 0.5, 0.5]).view(1, 1, 1, 3)
    found = draw_tempered(Logistics(one / 2, means, one), uniforms, 0.5)
    assert asked == [[40.0, 200.0]]
    assert found.flatten().tolist() == [201, 90, 90]


def test_a_sub_pixels_table_does_not_depend_on_its_neighbours():
    """torch.sigmoid rounds the last few numbers of a tensor otherwise than the others."""
    mixture = mixtures(4, 3.0, (1, 1, 40))
    whole = probabilities(mixture)
    for place in range(40):
        alone = Logistics(*(part[..., place : place + 1] for part in mixture))
        assert torch.equal(probabilities(alone), whole[..., place : place + 1])


def test_networks_that_went_wrong_are_drawn_as_by_the_table():
    mixture = mixtures(5, 3.0, (1, 2, 2))
    mixture.means[0, 0, 0, 0] = torch.nan
    uniforms = torch.rand(1, 1, 2, 2)
    slow = tempered.draw_from_table(mixture, uniforms, 0.5)
    assert torch.equal(draw_tempered(mixture, uniforms, 0.5), slow)
