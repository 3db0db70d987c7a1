"""Drawing by inverse CDF: the level whose interval of the cumulative probabilities holds a number.

    level = the k with F(k - 1) <= u < F(k),   F(k) = P(0) + ... + P(k),   u uniform in [0, 1)

Cumulative tables F are (N, K, H, W) and do not decrease along K."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

# Below this temperature only the likeliest level is left, and float32 could not divide by it.
COLDEST = 1e-6


def running_sum(values: Tensor) -> Tensor:
    """Return the sums (N, K, H, W) of each entry along the second axis and all before it.

    On a GPU ``cumsum`` adds in an order that varies, and is refused under
    ``torch.use_deterministic_algorithms``: there each pass doubles how far the sums reach.

    >>> running_sum(torch.ones(1, 3, 1, 1)).flatten().tolist()
    [1.0, 2.0, 3.0]
    """
    if not torch.are_deterministic_algorithms_enabled() or values.device.type == "cpu":
        return values.cumsum(dim=1)
    # A scan (Hillis & Steele 1986): after the pass with reach r every entry is the sum of the last
    # 2 r values, added in one fixed order.
    reach = 1
    while reach < values.shape[1]:
        values = values + F.pad(values[:, :-reach], (0, 0, 0, 0, reach, 0))
        reach *= 2
    return values


def differences(cumulative: Tensor) -> Tensor:
    """Return the probabilities (N, K + 1, H, W) of the bins between cumulative ones (N, K, H, W).

    A rounding error below zero becomes zero.

    >>> differences(torch.tensor([0.25, 0.75]).view(1, 2, 1, 1)).flatten().tolist()
    [0.25, 0.5, 0.25]
    """
    # P(k) = F(k) - F(k - 1) with F = 0 before the first bin and F = 1 after the last.
    padded = F.pad(cumulative, (0, 0, 0, 0, 1, 0))
    padded = F.pad(padded, (0, 0, 0, 0, 0, 1), value=1.0)
    return padded.diff(dim=1).clamp_(min=0)


def pick_tempered(scores: Tensor, uniform: Tensor, temperature: float) -> Tensor:
    """A level (N, 1, H, W) from p^(1/T), scores being log p (N, 256, H, W) up to a constant.

    >>> pick_tempered(torch.tensor([[1.0, 3.0, 2.0]]), torch.tensor([[0.9]]), temperature=0.0)
    tensor([[1]])
    """
    if temperature < COLDEST:
        return scores.argmax(dim=1, keepdim=True)
    # p^(1/T) = exp(log p / T). Without the best score the largest term is 1, whatever T; the
    # constant cancels because ``pick`` divides by the sum.
    best = scores.amax(dim=1, keepdim=True)
    return pick(running_sum(torch.exp((scores - best) / temperature)), uniform)


def pick(cumulative: Tensor, uniform: Tensor) -> Tensor:
    """Return the index (N, 1, ...) of the interval of ``cumulative`` that holds ``uniform``.

    cumulative: (N, K, ...). uniform: (N, 1, ...) in [0, 1). Scaling by the last entry keeps a
    rounding error in the sum from ever choosing an index past the support.

    >>> pick(torch.tensor([[0.25, 1.0]]), torch.tensor([[0.5]]))
    tensor([[1]])
    """
    # The count of entries at or below u is the index, without a search whose steps would differ
    # from pixel to pixel.
    index = (cumulative <= uniform * cumulative[:, -1:]).sum(dim=1, keepdim=True)
    return index.clamp(max=cumulative.shape[1] - 1)
