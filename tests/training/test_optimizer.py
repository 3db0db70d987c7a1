"""Optimisers against slow versions of their equations, and through a save of their state."""

from __future__ import annotations

import copy
import io

import numpy as np
import pytest
import torch
from torch import nn

from pixelpush.errors import InputError
from pixelpush.training.average import decay_at, new_average, update_average
from pixelpush.training.config import OptimizerConfig
from pixelpush.training.optimizer import (
    CentredRMSprop,
    Muon,
    build_optimizer,
    orthogonal,
    set_learning_rate,
)
from pixelpush.training.optimizer_recipes import OPTIMIZERS, OptimizerRecipe

NAMES = tuple(OPTIMIZERS)


def test_centred_rmsprop_is_its_equation():
    draw = np.random.default_rng(0)
    weights, gradients = draw.normal(size=7), draw.normal(size=(50, 7))
    parameter = nn.Parameter(torch.tensor(weights))
    optimizer = CentredRMSprop([parameter], lr=0.01, decay=0.9, epsilon=1e-8)
    mean = square = np.zeros(7)
    for gradient in gradients:
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.9 * square + 0.1 * gradient**2
        weights = weights - 0.01 * gradient / np.sqrt(square - mean**2 + 1e-8)
    np.testing.assert_allclose(parameter.detach().numpy(), weights, rtol=1e-12)


def test_centred_rmsprop_stays_finite_under_a_constant_gradient():
    # v - m^2 then rounds to either side of zero
    parameter = nn.Parameter(torch.zeros(1000))
    optimizer = CentredRMSprop([parameter], lr=1e-4, decay=0.9, epsilon=1e-8)
    gradient = torch.linspace(-3, 3, 1000)
    for _ in range(300):
        parameter.grad = gradient.clone()
        optimizer.step()
    assert torch.isfinite(parameter).all()


def test_orthogonal_keeps_directions_and_levels_singular_values():
    draw = np.random.default_rng(1)
    for shape in ((32, 288), (128, 32), (8, 8)):
        matrix = torch.from_numpy(draw.normal(size=shape)) @ torch.diag(
            torch.logspace(-1, 1, shape[1], dtype=torch.float64)
        )
        found = orthogonal(matrix)
        left, values, right = torch.linalg.svd(matrix, full_matrices=False)
        levelled = left.T @ found @ right.T  # in the matrix's own directions
        large = values > 0.05 * values.max()  # five steps do not bring up the smallest
        assert (levelled.diagonal()[large] - 1).abs().max() < 0.35
        assert (levelled - levelled.diagonal().diag()).abs().max() < 1e-8


def test_muon_is_its_equations():
    draw = np.random.default_rng(2)
    # Two filters of one shape, which are turned together, and a third that stands on its end.
    shapes = ((6, 4, 3, 3), (6, 4, 3, 3), (20, 2, 3, 3))
    filters = [nn.Parameter(torch.tensor(draw.normal(size=shape))) for shape in shapes]
    bias = nn.Parameter(torch.tensor(draw.normal(size=6)))
    optimizer = Muon(
        [{"params": filters, "weight_decay": 0.1}, {"params": [bias]}], 0.01, 0.9, (0.9, 0.99), 1e-8
    )
    adam = torch.optim.AdamW(
        [other := nn.Parameter(bias.detach().clone())], 0.01, (0.9, 0.99), 1e-8, weight_decay=0.0
    )
    expected, means = [p.detach().clone() for p in filters], [torch.zeros_like(p) for p in filters]
    for _ in range(5):
        for p in (*filters, bias):
            p.grad = torch.tensor(draw.normal(size=tuple(p.shape)))
        other.grad = bias.grad.clone()
        optimizer.step()
        adam.step()
        for number, p in enumerate(filters):
            means[number] = 0.9 * means[number] + 0.1 * p.grad
            update = orthogonal((0.1 * p.grad + 0.9 * means[number]).flatten(1))
            size = 0.2 * max(update.shape) ** 0.5
            expected[number] = (1 - 0.01 * 0.1) * expected[number] - 0.01 * size * update.view_as(p)
    for p, value in zip(filters, expected, strict=True):
        torch.testing.assert_close(p.detach(), value)
    torch.testing.assert_close(bias.detach(), other.detach())


def small_model() -> nn.Module:
    torch.manual_seed(0)
    filters = nn.Sequential(nn.Unflatten(1, (1, 2, 2)), nn.Conv2d(1, 8, 2), nn.Flatten())
    return nn.Sequential(filters, nn.Tanh(), nn.Linear(8, 1))


def train(model: nn.Module, optimizer: torch.optim.Optimizer, steps: range) -> None:
    for step in steps:
        inputs = torch.from_numpy(
            np.random.default_rng(step).normal(size=(16, 4)).astype(np.float32)
        )
        optimizer.zero_grad()
        (model(inputs) - inputs.sum(1, keepdim=True)).square().mean().backward()
        set_learning_rate(optimizer, 3e-2 / (1 + step))
        optimizer.step()


@pytest.mark.parametrize("name", NAMES)
def test_state_round_trip_is_exact(name: str):
    config = OptimizerConfig(name=name, weight_decay=0.1)  # type: ignore[arg-type]
    model = small_model()
    optimizer = build_optimizer(config, model)
    train(model, optimizer, range(5))
    buffer = io.BytesIO()
    torch.save(optimizer.state_dict(), buffer)
    buffer.seek(0)
    other = copy.deepcopy(model)
    restored = build_optimizer(config, other)
    restored.load_state_dict(torch.load(buffer, weights_only=True))
    train(model, optimizer, range(5, 12))
    train(other, restored, range(5, 12))
    assert all(
        torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True)
    )


@pytest.mark.parametrize("name", NAMES)
def test_it_learns(name: str):
    model = small_model()
    optimizer = build_optimizer(OptimizerConfig(name=name), model)  # type: ignore[arg-type]
    inputs = torch.from_numpy(np.random.default_rng(7).normal(size=(64, 4)).astype(np.float32))

    def error() -> float:
        return (model(inputs) - inputs.sum(1, keepdim=True)).square().mean().item()

    before = error()
    train(model, optimizer, range(30))
    assert error() < 0.9 * before


def test_weight_decay_leaves_biases_alone():
    optimizer = build_optimizer(OptimizerConfig(name="adamw", weight_decay=0.1), small_model())
    decays = {
        p.ndim >= 2: group["weight_decay"]
        for group in optimizer.param_groups
        for p in group["params"]
    }
    assert decays == {True: 0.1, False: 0.0}


def test_nothing_to_train_is_refused():
    with pytest.raises(InputError, match="no trainable parameter"):
        build_optimizer(OptimizerConfig(), nn.ReLU())


def test_average_equals_the_slow_version():
    model = nn.BatchNorm1d(3)  # parameters and buffers
    average = new_average(model)
    slow = {name: p.detach().double().clone() for name, p in model.named_parameters()}
    for step in range(1, 200):
        draw = np.random.default_rng(step)
        with torch.no_grad():
            for tensor in [*model.parameters(), model.running_mean]:
                tensor.copy_(torch.from_numpy(draw.normal(size=3)))
        update_average(average, model, 0.97, step)
        decay = min(0.97, (1 + step) / (10 + step))
        for name, p in model.named_parameters():
            slow[name] = decay * slow[name] + (1 - decay) * p.detach().double()
    for name, p in average.named_parameters():
        torch.testing.assert_close(p.double(), slow[name], rtol=0, atol=1e-6)
        assert not p.requires_grad
    assert torch.equal(average.running_mean, model.running_mean)  # type: ignore[arg-type]
    assert decay_at(0.97, 1) < 0.2
    assert decay_at(0.97, 10_000) == 0.97


def test_an_unknown_optimizer_is_refused_when_it_is_configured():
    with pytest.raises(InputError, match="unknown optimizer 'sgd'; choose one of muon, adamw"):
        OptimizerConfig("sgd")


def test_a_recipe_must_say_whether_it_decays_weights():
    with pytest.raises(TypeError, match="Silent does not say its decays_weights"):

        class Silent(OptimizerRecipe):
            implementation = "torch.optim:SGD"

            def arguments(self, config: OptimizerConfig):
                return {}
