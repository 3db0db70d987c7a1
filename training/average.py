"""The running average of the weights (EMA) that is evaluated and published instead of the last
weights."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


def new_average(model: nn.Module) -> nn.Module:
    """Return a copy of the model to hold the average; it is never trained.

    >>> new_average(nn.Linear(2, 2)).weight.requires_grad
    False
    """
    return copy.deepcopy(model).eval().requires_grad_(False)


def decay_at(decay: float, step: int) -> float:
    """Return the decay for step 1, 2, ...: min(decay, (1 + step) / (10 + step)).

    It is small at first, so that the initial weights are forgotten at once.

    >>> decay_at(0.998, step=8), decay_at(0.998, step=100_000)
    (0.5, 0.998)
    """
    return min(decay, (1 + step) / (10 + step))


@torch.no_grad()
def update_average(average: nn.Module, model: nn.Module, decay: float, step: int) -> None:
    """Move the average towards the weights.

        average <- d average + (1 - d) weights,   d = decay_at(decay, step)

    Buffers are copied.

    >>> model = nn.Linear(1, 1)
    >>> average = new_average(model)
    >>> with torch.no_grad():
    ...     _ = model.bias.add_(9.0)
    >>> update_average(average, model, decay=0.998, step=8)
    >>> round((model.bias - average.bias).item(), 3)
    4.5
    """
    mix = get_ema_multi_avg_fn(decay_at(decay, step))
    mix(list(average.parameters()), list(model.parameters()), step)
    # Normalisation statistics and the like are facts, not weights: no average is taken.
    for target, source in zip(average.buffers(), model.buffers(), strict=True):
        target.copy_(source)
