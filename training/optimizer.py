"""Optimisers by configuration: the paper's centred RMSprop, and Muon for convolutions."""

from __future__ import annotations

import importlib
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from pixelpush.errors import InputError
from pixelpush.training.optimizer_recipes import OPTIMIZERS, OptimizerConfig


class CentredRMSprop(torch.optim.Optimizer):
    """RMSprop that divides by the gradient's standard deviation (Graves 2013).

        m <- d m + (1 - d) g;  v <- d v + (1 - d) g^2;  w <- w - lr g / sqrt(v - m^2 + epsilon)

    The optimiser of Reed et al. 2017, section 4. Epsilon stands inside the root, as in TensorFlow,
    where the paper's 1e-8 comes from. torch.optim.RMSprop adds it outside, which makes 1e-8 another
    setting, and its v - m^2 may round below zero and give NaN.

    >>> weight = nn.Parameter(torch.zeros(1))
    >>> weight.grad = torch.ones(1)
    >>> CentredRMSprop([weight], lr=0.1, decay=0.5, epsilon=1e-8).step()
    >>> round(float(weight.detach()), 3)
    -0.2
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
                    state["mean"] = torch.zeros_like(p)
                    state["square"] = torch.zeros_like(p)
                mean = state["mean"]
                square = state["square"]
                mean.lerp_(p.grad, 1 - group["decay"])
                square.lerp_(p.grad.square(), 1 - group["decay"])
                # v - m^2 is a variance; float32 may round it below zero.
                root = (square - mean.square()).clamp_(min=0.0).add_(group["epsilon"]).sqrt_()
                p.addcdiv_(p.grad, root, value=-group["lr"])


class Muon(torch.optim.Optimizer):
    """Muon (Jordan et al. 2024) for the filters of convolutions, AdamW for everything else.

        m <- b m + (1 - b) g;  u = (1 - b) g + b m
        w <- (1 - lr d) w - lr 0.2 sqrt(longer side) orthogonal(u)

    A filter (out, in, k, k), k > 1, is taken as the matrix (out, in k k): every direction of it
    moves equally, by the size of an AdamW step (Liu et al. 2025), so that one learning rate serves
    both. torch.optim.Muon takes matrices only.

    >>> model = nn.Conv2d(2, 4, 3)
    >>> optimizer = Muon(model.parameters(), lr=0.1, momentum=0.9, betas=(0.9, 0.99), epsilon=1e-8)
    >>> model(torch.ones(1, 2, 3, 3)).sum().backward()
    >>> optimizer.step()
    >>> sorted(len(state) for state in optimizer.state.values())
    [1, 3]
    """

    def __init__(
        self, params: Any, lr: float, momentum: float, betas: tuple[float, float], epsilon: float
    ):
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "betas": betas,
            "epsilon": epsilon,
            "weight_decay": 0.0,
        }
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """One update; parameters without a gradient stay."""
        for group in self.param_groups:
            alike = defaultdict(list)
            for p in group["params"]:
                if p.grad is not None:
                    p.mul_(1 - group["lr"] * group["weight_decay"])
                    if is_filter(p):
                        alike[p.shape].append(p)
                    else:
                        self._adam(p, group)
            for filters in alike.values():
                self._turn(filters, group)

    def _turn(self, filters: list[torch.Tensor], group: Mapping[str, Any]) -> None:
        """Filters of one shape together: one product of many small matrices in place of many small
        products."""
        directions = []
        for p in filters:
            state = self.state[p]
            if not state:
                state["mean"] = torch.zeros_like(p)
            gradient = _gradient(p)
            state["mean"].lerp_(gradient, 1 - group["momentum"])
            directions.append(torch.lerp(gradient, state["mean"], group["momentum"]).flatten(1))
        updates = orthogonal(torch.stack(directions))
        # The entries of an orthogonal matrix have a root mean square of 1 / sqrt(longer side). The
        # factor makes it 0.2, about that of an AdamW update.
        step = -group["lr"] * 0.2 * max(updates.shape[1:]) ** 0.5
        for p, update in zip(filters, updates, strict=True):
            p.add_(update.view_as(p), alpha=step)

    def _adam(self, p: torch.Tensor, group: Mapping[str, Any]) -> None:
        state = self.state[p]
        first, second = group["betas"]
        if not state:
            state.update(mean=torch.zeros_like(p), square=torch.zeros_like(p), step=torch.zeros(()))
        state["step"] += 1
        gradient = _gradient(p)
        state["mean"].lerp_(gradient, 1 - first)
        state["square"].lerp_(gradient.square(), 1 - second)
        # m / (1 - b1^t) and v / (1 - b2^t): averages that began at zero, unbiased.
        mean = state["mean"] / (1 - first ** state["step"].item())
        root = (
            (state["square"] / (1 - second ** state["step"].item())).sqrt_().add_(group["epsilon"])
        )
        p.addcdiv_(mean, root, value=-group["lr"])


def is_filter(p: torch.Tensor) -> bool:
    """Whether Muon turns it: the filters of a convolution over more than one position.

    >>> [is_filter(parameter) for parameter in nn.Conv2d(2, 4, 3).parameters()]
    [True, False]
    """
    return p.ndim == 4 and p.shape[-1] * p.shape[-2] > 1


def orthogonal(matrices: torch.Tensor) -> torch.Tensor:
    """Return matrices (..., rows, columns) with their singular values brought near 1 (0.7 to 1.2).

    Five Newton-Schulz steps: X <- a X + (b X X' + c (X X')^2) X, (a, b, c) = (3.4445, -4.7750,
    2.0315).

    >>> values = torch.linalg.svdvals(orthogonal(torch.diag(torch.tensor([1.0, 2.0, 5.0]))))
    >>> bool((values > 0.6).all() and (values < 1.3).all())
    True
    """
    # Transposed where that makes X X' the smaller product.
    tall = matrices.shape[-2] > matrices.shape[-1]
    wide = matrices.mT if tall else matrices
    # The Frobenius norm bounds the largest singular value by 1, where the steps converge.
    wide = wide / (torch.linalg.matrix_norm(wide, keepdim=True) + 1e-7)
    for _ in range(5):
        gram = wide @ wide.mT
        wide = 3.4445 * wide + (-4.7750 * gram + 2.0315 * gram @ gram) @ wide
    return wide.mT if tall else wide


def build_optimizer(config: OptimizerConfig, model: nn.Module) -> torch.optim.Optimizer:
    """Return the configured optimiser over the trainable parameters.

    Weight decay, where the optimiser has it, touches matrices and filters only. Raises InputError
    where nothing is trainable.

    >>> optimizer = build_optimizer(OptimizerConfig("adamw", weight_decay=0.1), nn.Linear(2, 2))
    >>> [group["weight_decay"] for group in optimizer.param_groups]
    [0.1, 0.0]
    """
    trainable = [p for p in model.parameters() if p.requires_grad]
    if not trainable:
        raise InputError("the model has no trainable parameter.")
    recipe = OPTIMIZERS.find(config.name)
    module, _, name = recipe.implementation.partition(":")
    implementation = getattr(importlib.import_module(module), name)
    parameters = _groups(trainable, config.weight_decay) if recipe.decays_weights else trainable
    return implementation(parameters, lr=config.learning_rate, **recipe.arguments(config))


def _groups(trainable: list[nn.Parameter], weight_decay: float) -> list[Mapping[str, Any]]:
    """Matrices and filters with weight decay, vectors without."""
    groups = [
        {"params": [p for p in trainable if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trainable if p.ndim < 2], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set every group's learning rate.

    >>> optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    >>> set_learning_rate(optimizer, 0.5)
    >>> optimizer.param_groups[0]["lr"]
    0.5
    """
    for group in optimizer.param_groups:
        group["lr"] = rate


def _gradient(p: torch.Tensor) -> torch.Tensor:
    assert p.grad is not None  # parameters without one are left out before
    return p.grad
