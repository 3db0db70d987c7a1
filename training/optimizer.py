"""Optimisers by configuration, and the paper's centred RMSprop."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from pixelpush.errors import InputError
from pixelpush.training.config import OptimizerConfig


class CentredRMSprop(torch.optim.Optimizer):
    """RMSprop that divides by the gradient's standard deviation (Graves 2013; Reed et al. 2017, section 4).

    m <- d m + (1 - d) g;  v <- d v + (1 - d) g^2;  w <- w - lr g / sqrt(v - m^2 + epsilon)

    Epsilon stands inside the root, as in TensorFlow, where the paper's 1e-8 comes from. torch.optim.RMSprop adds it
    outside, which makes 1e-8 another setting, and its v - m^2 may round below zero and give NaN.
    """

    def __init__(self, params: Any, lr: float, decay: float, epsilon: float):
        super().__init__(params, {"lr": lr, "decay": decay, "epsilon": epsilon})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """One update; parameters without a gradient stay."""
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            if not params:
                continue
            grads = [p.grad for p in params]
            for p in params:
                if not self.state[p]:
                    self.state[p] = {"mean": torch.zeros_like(p), "square": torch.zeros_like(p)}
            means = [self.state[p]["mean"] for p in params]
            squares = [self.state[p]["square"] for p in params]
            torch._foreach_lerp_(means, grads, 1 - group["decay"])
            torch._foreach_lerp_(squares, torch._foreach_mul(grads, grads), 1 - group["decay"])
            roots = torch._foreach_sub(squares, torch._foreach_mul(means, means))
            torch._foreach_clamp_min_(roots, 0.0)
            torch._foreach_add_(roots, group["epsilon"])
            torch._foreach_sqrt_(roots)
            torch._foreach_addcdiv_(params, grads, roots, value=-group["lr"])


def build_optimizer(config: OptimizerConfig, model: nn.Module) -> torch.optim.Optimizer:
    """The configured optimiser over the trainable parameters; weight decay touches matrices and filters only."""
    trainable = [p for p in model.parameters() if p.requires_grad]
    if not trainable:
        raise InputError("the model has no trainable parameter.")
    if config.name == "rmsprop":
        return CentredRMSprop(trainable, config.learning_rate, config.decay, config.epsilon)
    if config.name == "adam":
        return torch.optim.Adam(trainable, config.learning_rate, config.betas, config.epsilon)
    if config.name == "adamw":
        groups = [
            {"params": [p for p in trainable if p.ndim >= 2], "weight_decay": config.weight_decay},
            {"params": [p for p in trainable if p.ndim < 2], "weight_decay": 0.0},
        ]
        groups = [group for group in groups if group["params"]]
        return torch.optim.AdamW(groups, config.learning_rate, config.betas, config.epsilon)
    raise InputError(f"unknown optimizer {config.name!r}; choose adamw, adam or rmsprop.")


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set every group's learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate
