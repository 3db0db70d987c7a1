"""The running average of the weights (EMA) that is evaluated and published instead of the last
weights."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


def new_average(model: nn.Module) -> nn.Module:
    """A copy of the model to hold the average; it is never trained."""
    return copy.deepcopy(model).eval().requires_grad_(False)


def decay_at(decay: float, step: int) -> float:
    """The decay for step 1, 2, ...: small at first, so that the initial weights are forgotten at
    once."""
    return min(decay, (1 + step) / (10 + step))


@torch.no_grad()
def update_average(average: nn.Module, model: nn.Module, decay: float, step: int) -> None:
    """average <- d average + (1 - d) weights, with d = ``decay_at(decay, step)``; buffers are
    copied."""
    mix = get_ema_multi_avg_fn(decay_at(decay, step))
    mix(list(average.parameters()), list(model.parameters()), step)
    for target, source in zip(average.buffers(), model.buffers(), strict=True):
        target.copy_(source)
