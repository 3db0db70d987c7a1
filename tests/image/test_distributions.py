"""Pixel distributions against slow float64 versions, over all 256 values and extreme parameters."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from stand_in import DEVICE, held, stand_in

from pixelpush.errors import InputError
from pixelpush.image.bernoulli import Bernoulli
from pixelpush.image.distributions import (
    MAX_LOG_SCALE,
    IndependentLogisticMixture,
    LogisticMixture,
    discretized_logistic,
    parameters_per_pixel,
)
from pixelpush.image.heads import DISTRIBUTIONS, HeadSettings
from pixelpush.image.inverse_cdf import pick, running_sum
from pixelpush.image.pixels import from_unit, innovation, to_unit

LEVELS = np.arange(256)


def sigmoid(x):
    """float64 logistic function without overflow."""
    return np.exp(-np.logaddexp(0.0, -np.asarray(x, dtype=np.float64)))


def bin_mass(level, mean, log_scale):
    """Mass of one level under one logistic, from CDFs in float64; the side with the smaller CDF is
    subtracted."""
    scale = math.exp(min(max(log_scale, -7.0), MAX_LOG_SCALE))
    value = level / 127.5 - 1.0
    upper = math.inf if level == 255 else (value + 1 / 255 - mean) / scale
    lower = -math.inf if level == 0 else (value - 1 / 255 - mean) / scale
    if lower > 0:
        upper, lower = -lower, -upper
    return sigmoid(upper) - sigmoid(lower)


def slow_mixture(parameters, pixel, components):
    """Probability of one RGB pixel, component by component and channel by channel."""
    grouped = np.asarray(parameters, dtype=np.float64).reshape(10, components)
    weights = np.exp(grouped[0] - np.logaddexp.reduce(grouped[0]))
    red, green, _ = (level / 127.5 - 1.0 for level in pixel)
    total = 0.0
    for k in range(components):
        means, scales, c = grouped[1:4, k], grouped[4:7, k], np.tanh(grouped[7:10, k])
        shifted = (means[0], means[1] + c[0] * red, means[2] + c[1] * red + c[2] * green)
        total += weights[k] * np.prod(
            [bin_mass(v, m, s) for v, m, s in zip(pixel, shifted, scales, strict=True)]
        )
    return total


@pytest.mark.parametrize("seed", range(4))
def test_mixture_equals_the_slow_sum_over_components(seed):
    generator = torch.Generator().manual_seed(seed)
    parameters = torch.randn(1, 50, 1, 1, generator=generator)
    mixture = LogisticMixture(parameters, 3)
    for pixel in [(0, 0, 0), (255, 255, 255), (0, 255, 128), (13, 200, 77), (254, 1, 127)]:
        expected = math.log(slow_mixture(parameters.flatten().double().numpy(), pixel, 5))
        actual = mixture.log_prob(torch.tensor(pixel, dtype=torch.uint8).view(1, 3, 1, 1)).item()
        assert actual == pytest.approx(expected, abs=2e-4)


@pytest.mark.parametrize("log_scale", [-20.0, -7.0, -5.0, -2.0, 0.0, 3.0, 8.0])
@pytest.mark.parametrize("mean", [-1.3, -1.0, 0.004, 0.9, 3.0])
def test_all_256_levels_of_one_logistic(mean, log_scale):
    parameters = torch.tensor([0.0, mean, log_scale]).view(1, 3, 1, 1).expand(1, 3, 1, 256)
    levels = torch.arange(256, dtype=torch.uint8).view(1, 1, 1, 256)
    actual = LogisticMixture(parameters, 1).log_prob(levels).double().flatten()
    assert actual.exp().sum().item() == pytest.approx(1.0, abs=2e-5)
    expected = np.array(
        [bin_mass(level, np.float64(np.float32(mean)), log_scale) for level in LEVELS]
    )
    seen = expected > 1e-30
    # float32 inputs: an argument of size a is known to a 1e-7, so a far tail's log is as well.
    tolerance = (
        2e-4 + 3e-7 * np.abs(np.log(expected[seen])) + 4e-7 * math.exp(-max(log_scale, -7.0))
    )
    assert (np.abs(actual.numpy()[seen] - np.log(expected[seen])) < tolerance).all()
    assert torch.isfinite(actual).all()


def test_rgb_mixture_sums_to_one_over_all_colours_of_a_channel_given_the_others():
    """The joint over (R, G) with B summed out: 256 values of B for each of some (R, G) sum to the
    joint of (R, G)."""
    parameters = torch.randn(1, 30, 1, 1, generator=torch.Generator().manual_seed(1)).expand(
        1, 30, 1, 256
    )
    blue = torch.arange(256, dtype=torch.uint8).view(1, 1, 1, 256)
    grid = parameters[..., :1].expand(-1, -1, 256, 256)
    red_green_only = LogisticMixture(torch.cat([grid[:, :9], grid[:, 12:18], grid[:, 21:24]], 1), 2)
    red, green = torch.meshgrid(torch.arange(256), torch.arange(256), indexing="ij")
    joint = red_green_only.log_prob(torch.stack((red, green))[None].to(torch.uint8))[0]
    assert joint.double().exp().sum().item() == pytest.approx(1.0, abs=1e-4)
    for r, g in [(0, 0), (120, 133), (255, 7)]:
        start = torch.tensor([r, g], dtype=torch.uint8).view(1, 2, 1, 1).expand(1, 2, 1, 256)
        total = (
            LogisticMixture(parameters, 3)
            .log_prob(torch.cat((start, blue), 1))
            .double()
            .logsumexp(-1)
        )
        assert total.item() == pytest.approx(joint[r, g].item(), abs=2e-4)


@pytest.mark.parametrize("distribution", [LogisticMixture, IndependentLogisticMixture])
@pytest.mark.parametrize("size", [1.0, 30.0, 1e4])
def test_gradients_stay_finite(distribution, size):
    count = 3 * parameters_per_pixel(1, 4) if distribution is IndependentLogisticMixture else 40
    generator = torch.Generator().manual_seed(0)
    parameters = (torch.randn(2, count, 16, 16, generator=generator) * size).requires_grad_()
    pixels = torch.randint(0, 256, (2, 3, 16, 16), dtype=torch.uint8, generator=generator)
    pixels[0, :, :4], pixels[1, :, :4] = 0, 255
    log_prob = distribution(parameters, 3).log_prob(pixels)
    log_prob.sum().backward()
    assert torch.isfinite(log_prob).all()
    assert parameters.grad is not None
    assert torch.isfinite(parameters.grad).all()


@given(st.integers(0, 255), st.floats(-3, 3, width=32), st.floats(-7, 6, width=32))
@settings(max_examples=300, deadline=None)
def test_one_bin_of_one_logistic(level, mean, log_scale):
    numbers = torch.tensor([[mean, log_scale]])
    distance = to_unit(torch.tensor([level], dtype=torch.uint8)) - numbers[:, 0]
    actual = discretized_logistic(torch.tensor([level]), distance, numbers[:, 1]).item()
    scale = math.exp(log_scale)
    expected = bin_mass(level, mean, log_scale)
    if expected > 1e-250:
        assert actual == pytest.approx(math.log(expected), abs=1e-4 + 4e-7 / scale, rel=1e-5)
    else:  # below float64: the tail falls as exp(-distance / scale)
        assert actual == pytest.approx(-abs(level / 127.5 - 1 - mean) / scale, rel=0.02)


def test_mixture_samples_follow_the_bins():
    """A fine grid of uniforms through the sampler hits each level as often as log_prob says (no
    randomness here)."""
    count = 200_000
    parameters = torch.tensor([0.0, 0.3, -1.0]).view(1, 3, 1, 1).expand(1, 3, 1, count)
    grid = (torch.arange(count) + 0.5) / count
    uniforms = torch.stack((torch.zeros(count), grid)).view(1, 2, 1, count)
    drawn = (
        LogisticMixture(parameters, 1).sample(uniforms).flatten().long().bincount(minlength=256)
        / count
    )
    levels = torch.arange(256, dtype=torch.uint8).view(1, 1, 1, 256)
    expected = LogisticMixture(parameters[..., :256], 1).log_prob(levels).exp().flatten()
    assert (drawn - expected).abs().max() < 3 / count * 10


def test_samples_at_the_ends_of_the_unit_interval():
    parameters = torch.tensor([0.0, 0.0, 0.0]).view(1, 3, 1, 1).expand(1, 3, 1, 2)
    uniforms = torch.tensor([[[[0.0, 0.0]], [[0.0, 1 - 2**-24]]]])
    assert LogisticMixture(parameters, 1).sample(uniforms).flatten().tolist() == [0, 255]


def test_centred_mixture_is_the_plain_one_moved():
    parameters = torch.randn(1, 10, 1, 5, generator=torch.Generator().manual_seed(2))
    grey = torch.full((1, 3, 1, 5), 200, dtype=torch.uint8)
    level = torch.tensor([0, 90, 200, 230, 255], dtype=torch.uint8).view(1, 1, 1, 5)
    offset = 200 / 127.5 - 1
    moved = parameters.clone()
    coefficients = torch.tanh(parameters[:, 7:10])
    moved[:, 1] += offset
    moved[:, 2] += offset - coefficients[:, 0] * offset
    moved[:, 3] += offset - (coefficients[:, 1] + coefficients[:, 2]) * offset
    pixels = level.expand(1, 3, 1, 5)
    centred = LogisticMixture(parameters, 3, grey).log_prob(pixels)
    assert torch.allclose(centred, LogisticMixture(moved, 3).log_prob(pixels), atol=1e-4)


def test_bernoulli_normalises_and_refuses_grey():
    bernoulli = Bernoulli(torch.tensor([[[[0.7, -3.0]]]]))
    both = [
        bernoulli.log_prob(torch.tensor([[[list(p)]]], dtype=torch.uint8)).sum()
        for p in itertools.product((0, 255), repeat=2)
    ]
    assert torch.stack(both).exp().sum().item() == pytest.approx(1.0, abs=1e-6)
    assert (
        bernoulli.log_prob(torch.tensor([[[[7, 255]]]], dtype=torch.uint8)).flatten()[0]
        == -math.inf
    )


def test_pick_never_leaves_the_support():
    cumulative = torch.tensor([0.2, 0.5, 0.9999]).view(1, 3, 1, 1)
    chosen = [pick(cumulative, torch.full((1, 1, 1, 1), u)).item() for u in (0.0, 0.3, 1 - 2**-24)]
    assert chosen == [0, 1, 2]


def test_pixels_go_to_the_unit_range_and_back():
    levels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(from_unit(to_unit(levels)), levels)
    assert to_unit(levels)[[0, 255]].tolist() == [-1.0, 1.0]
    assert from_unit(torch.tensor([-math.inf, -1.5, 0.0038, math.inf])).tolist() == [0, 0, 128, 255]
    assert innovation(levels[5], levels[5]).item() == 0
    with pytest.raises(InputError, match="uint8"):
        to_unit(levels.float())


@pytest.mark.parametrize("kind", ["logistic", "independent-logistic", "softmax", "bernoulli"])
@pytest.mark.parametrize("centred", [False, True])
def test_channel_probabilities_are_the_chain_rule_of_log_prob(kind, centred):
    if kind == "bernoulli" and centred:
        pytest.skip("a Bernoulli has no centre")
    generator = torch.Generator().manual_seed(3)
    head = DISTRIBUTIONS[kind].build(HeadSettings(6, 3, components=4, hidden=8, centred=centred))
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
        centre = 255 * torch.rand(2, 3, 4, 5, generator=generator) if centred else None
        distribution = head(torch.randn(2, 6, 4, 5, generator=generator), centre)
        pixels = torch.randint(0, 256, (2, 3, 4, 5), dtype=torch.uint8, generator=generator)
        if kind == "bernoulli":
            pixels = (pixels >= 128).to(torch.uint8) * 255
        total = torch.zeros(2, 4, 5)
        for channel in range(3):
            table = distribution.channel_probabilities(channel, pixels)
            assert table.shape == (2, 256, 4, 5)
            assert table.min() >= 0
            torch.testing.assert_close(table.sum(1), torch.ones(2, 4, 5), atol=1e-5, rtol=0)
            own = table.gather(1, pixels[:, channel, None].long())[:, 0]
            total += own.log()
            # What comes later must not enter: it is not known when decoding.
            later = pixels.clone()
            later[:, channel:] = 7
            assert torch.equal(table, distribution.channel_probabilities(channel, later))
        expected = distribution.log_prob(pixels)
    likely = expected > math.log(1e-4)  # rarer ones drown in float32's absolute rounding
    assert likely.any() or kind != "bernoulli"
    torch.testing.assert_close(total.exp(), expected.exp(), atol=1e-6, rtol=2e-3)


def test_running_sums_are_those_of_cumsum_where_cumsum_is_refused():
    values = torch.rand(2, 256, 1, 3)
    torch.use_deterministic_algorithms(True)
    try:
        with stand_in():
            found = held(running_sum(values.to(DEVICE)))
    finally:
        torch.use_deterministic_algorithms(False)
    torch.testing.assert_close(found, values.cumsum(1), rtol=1e-5, atol=0)
