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
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["mean"], state["square"] = torch.zeros_like(p), torch.zeros_like(p)
                mean, square = state["mean"], state["square"]
                mean.lerp_(p.grad, 1 - group["decay"])
                square.lerp_(p.grad.square(), 1 - group["decay"])
                root = (square - mean.square()).clamp_(min=0.0).add_(group["epsilon"]).sqrt_()
                p.addcdiv_(p.grad, root, value=-group["lr"])


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
