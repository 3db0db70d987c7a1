"""Drawing from a power of a logistic mixture without computing all of its 256 levels.

p^(1/T) with T <= 1 is narrow: a few levels hold nearly all of it for most sub-pixels. What lies
outside can only be bounded, so a level found among them counts only where it is the same for every
value within the bounds. The few sub-pixels that are left go through the table of all levels, which
is the definition."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from pixelpush.image.inverse_cdf import COLDEST, differences, pick_tempered, running_sum
from pixelpush.image.pixels import LEVELS

# Levels of a window. Frames of ``push-ot-small`` need the whole table for 3% of their sub-pixels;
# with twice as many levels it would be for 1.4%.
WIDTH = 16
# More than the float32 rounding errors of a cumulative probability, of a difference of two and of
# a sum of 256, relative to the largest number that enters.
_ROUNDING = 2.0**-20
_SUMMED = 2.0**-15
# exp of it is a number of float32, and so is exp of its negative.
_FAR = 80.0
# Sub-pixels whose tables of all levels are held at once: 2 MB.
_TOGETHER = 2048


class Logistics(NamedTuple):
    """A mixture of K logistics for each sub-pixel of one channel, float32 (N, K, H, W) each.

    weights: they sum to 1 over K. means, scales: in levels, 0..255.

    >>> one = torch.ones(1, 1, 2, 2)
    >>> Logistics(one, 128 * one, one).at(torch.tensor([3, 0])).weights.shape
    torch.Size([2, 1, 1, 1])
    """

    weights: Tensor
    means: Tensor
    scales: Tensor

    @classmethod
    def in_units(cls, weights: Tensor, means: Tensor, log_scales: Tensor) -> Logistics:
        """Return the mixtures of means and scales that are in [-1, 1] units."""
        return cls(weights, (means + 1) * 127.5, log_scales.exp() * 127.5)

    def at(self, places: Tensor) -> Logistics:
        """Return the mixtures (M, K, 1, 1) of some sub-pixels: numbers (b H + r) W + c, int64."""
        by_place = (part.movedim(1, -1).flatten(0, 2) for part in self)
        return Logistics(*(part[places, :, None, None] for part in by_place))

    def components(self) -> list[tuple[Tensor, Tensor, Tensor]]:
        """Return weight, mean and scale (N, 1, H, W) of every component."""
        return list(zip(*(part.split(1, dim=1) for part in self), strict=True))


def probabilities(mixture: Logistics) -> Tensor:
    """Return the probabilities float32 (N, 256, H, W) of every level.

        P(l) = F(l + 1/2) - F(l - 1/2),   F(e) = sum over k of w_k / (1 + exp((m_k - e) / s_k))

    0 and 255 take the whole tails. Differences lose masses below about 1e-7; exact bins would cost
    two log-sigmoids each.

    >>> one = torch.ones(1, 1, 1, 1)
    >>> probabilities(Logistics(one, 128 * one, one)).shape
    torch.Size([1, 256, 1, 1])
    """
    edges = torch.arange(LEVELS - 1, device=mixture.means.device)[:, None, None] + 0.5
    found = torch.zeros_like(mixture.means[:, :1]).expand(-1, LEVELS - 1, -1, -1).clone()
    # Component by component: all at once would hold K tables.
    for weight, mean, scale in mixture.components():
        # Not torch.sigmoid: on a CPU its last bit depends on the place in the tensor, and a batch
        # must not matter. Nor beyond float32's range: there exp takes ten times as long.
        distance = ((mean - edges) / scale).clamp_(-_FAR, _FAR)
        found.addcdiv_(weight, distance.exp_().add_(1))
    return differences(found)


def draw_from_table(mixture: Logistics, uniforms: Tensor, temperature: float) -> Tensor:
    """Return levels int64 (N, 1, H, W) drawn from p^(1/T), of all 256 levels: the definition.

    uniforms: (N, 1, H, W) in [0, 1).

    >>> one = torch.ones(1, 1, 1, 1)
    >>> draw_from_table(Logistics(one, 128 * one, 9 * one), one / 2, 0.5).item()
    128
    """
    return pick_tempered(probabilities(mixture).log(), uniforms, temperature)


def is_quick(uniforms: Tensor, temperature: float) -> bool:
    """Whether ``draw_tempered`` suits: on a CPU, at temperatures up to 1.

    It computes more where it is not certain, which a graph cannot hold, and a GPU is quick with all
    levels.

    >>> is_quick(torch.zeros(1), 0.5), is_quick(torch.zeros(1), 1.5)
    (True, False)
    """
    in_graph = uniforms.device.type != "cpu" or torch.compiler.is_compiling()
    return temperature <= 1 and not in_graph


def draw_tempered(mixture: Logistics, uniforms: Tensor, temperature: float) -> Tensor:
    """Return the levels of ``draw_from_table``, found faster; temperature: at most 1.

    >>> one = torch.ones(1, 1, 1, 1)
    >>> draw_tempered(Logistics(one, 128 * one, one), one / 2, 0.5).item()
    128
    """
    levels, certain = draw_in_window(mixture, uniforms, temperature)
    left = (~certain).flatten().nonzero()[:, 0]
    for places in left.split(_TOGETHER):
        numbers = uniforms.flatten()[places].view(-1, 1, 1, 1)
        found = draw_from_table(mixture.at(places), numbers, temperature)
        levels.view(-1)[places] = found.flatten()
    return levels


def draw_in_window(
    mixture: Logistics, uniforms: Tensor, temperature: float
) -> tuple[Tensor, Tensor]:
    """Draw from p^(1/T) among ``WIDTH`` levels round the mean; temperature: at most 1.

    Returns levels int64 (N, 1, H, W) and whether each is certain: whether ``draw_from_table`` finds
    the same one, whatever lies outside the window.

    >>> one = torch.ones(1, 1, 1, 1)
    >>> [found.item() for found in draw_in_window(Logistics(one, 128 * one, one), one / 2, 0.5)]
    [128, True]
    """
    middle = (mixture.weights * mixture.means).sum(dim=1, keepdim=True)
    first = (middle - WIDTH / 2).round_().clamp_(0, LEVELS - WIDTH)
    cumulative = _cumulative(mixture, first)
    found = cumulative.diff(dim=1).clamp_(min=0)
    best = found.amax(dim=1, keepdim=True)
    # The sum of p over what is outside is known. It bounds the largest p there, and by its own
    # power, as 1/T >= 1, the sum of p^(1/T). At an end of the range nothing is outside.
    below = (cumulative[:, :1] + _ROUNDING * LEVELS).masked_fill_(first == 0, 0)
    above = (1 + _ROUNDING * LEVELS - cumulative[:, -1:]).masked_fill_(first == LEVELS - WIDTH, 0)
    if temperature < COLDEST:
        # The second best level must be lower by more than rounding: two are taken out of order
        # otherwise.
        index = found.argmax(dim=1, keepdim=True)
        others = found.scatter(1, index, 0).amax(dim=1, keepdim=True) + 2 * _ROUNDING
        certain = best > torch.maximum(others, torch.maximum(below, above))
        return first.long() + index, certain
    power = 1 / temperature
    sums = running_sum((found / best).pow_(power))
    most_below, most_above = (below / best).pow_(power), (above / best).pow_(power)
    # p and best are known up to the rounding, and the slope of (p / best)^(1/T) is at most 1/T.
    slack = (sums[:, -1:] + most_below + most_above) * _SUMMED
    slack += 4 * WIDTH * _ROUNDING * power / best
    index, certain = _pick_within(sums, uniforms, most_below, most_above, slack)
    return first.long() + index, certain


def _cumulative(mixture: Logistics, first: Tensor) -> Tensor:
    """F (N, WIDTH + 1, H, W) at the edges of a window's levels, the lower one of ``first`` (N, 1,
    H, W) before all."""
    edges = first + torch.arange(-0.5, WIDTH, device=first.device)[:, None, None]
    found = torch.zeros_like(edges)
    for weight, mean, scale in mixture.components():
        found.addcmul_(weight, (edges - mean).div_(scale).sigmoid_())
    # The levels 0 and 255 take the whole tails.
    found[:, :1].masked_fill_(first == 0, 0)
    found[:, -1:].masked_fill_(first == LEVELS - WIDTH, 1)
    return found


def _pick_within(
    sums: Tensor, uniforms: Tensor, most_below: Tensor, most_above: Tensor, slack: Tensor
) -> tuple[Tensor, Tensor]:
    """(index into the window, whether it is certain), (N, 1, H, W) each.

    With a below the window and b above it, the index is the count of sums S_k that are at most

        u (a + S + b) - a,   S the last sum,   0 <= a <= most_below,   0 <= b <= most_above,

    which is largest at (0, most_above) and least at (most_below, 0). It is certain where both give
    the same count, with the slack to spare, and the least lies within the window."""
    total = sums[:, -1:]
    largest = uniforms * (total + most_above) + slack
    least = uniforms * total - (1 - uniforms) * most_below - slack
    index = (sums <= largest).sum(dim=1, keepdim=True)
    # Where ``largest`` is past the last sum, the counts differ: ``least`` is below it.
    certain = ((sums <= least).sum(dim=1, keepdim=True) == index) & (least >= 0)
    return index, certain
