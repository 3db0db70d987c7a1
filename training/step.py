"""One optimisation step: an exact mean over the batch, however it is cut into processes and
pieces."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

from pixelpush.training.checkpoint import TrainState
from pixelpush.training.config import TrainConfig
from pixelpush.training.data import Batch
from pixelpush.training.seeding import seed_torch
from pixelpush.training.task import Task


@dataclass(frozen=True)
class Wrapped:
    """Fabric's wrappers around the state's model and optimiser.

    >>> list(Wrapped.__dataclass_fields__)
    ['fabric', 'model', 'optimizer']
    """

    fabric: Fabric
    model: Any
    optimizer: Any


@dataclass(frozen=True)
class StepResult:
    """What a step gave.

    losses: means over the whole batch, and 'gradient_norm'. finite: whether they all are; if not,
    the weights were left as they were.

    >>> StepResult({"loss": 2.0, "gradient_norm": 0.5}, finite=True).finite
    True
    """

    losses: dict[str, float]
    finite: bool


def train_step(
    wrapped: Wrapped, task: Task, state: TrainState, config: TrainConfig, pieces: Sequence[Batch]
) -> StepResult:
    """Compute the gradients of the batch's mean loss and update the weights once.

    The update is the same in every process. Each piece's mean is weighted by its number of
    examples; DDP averages over processes, hence the factor ``world_size``.

    >>> from types import SimpleNamespace
    >>> from pixelpush.training.config import RunOptions
    >>> from pixelpush.training.devices import make_fabric
    >>> fabric = make_fabric(RunOptions(accelerator="cpu"))
    >>> model = torch.nn.Linear(1, 1)
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    >>> wrapped = Wrapped(fabric, *fabric.setup(model, optimizer))
    >>> task = SimpleNamespace(losses=lambda model, batch: {"loss": model(batch["x"]).mean()})
    >>> batch = Batch(0, ("one", "two"), {"x": torch.ones(2, 1)})
    >>> state = TrainState("video", model, None, optimizer)
    >>> train_step(wrapped, task, state, TrainConfig(batch_size=2, examples=2), [batch]).finite
    True
    """
    fabric = wrapped.fabric
    sums: dict[str, Tensor] = {}
    for number, piece in enumerate(pieces):
        count = len(piece.names)
        arrays = {
            name: tensor.to(fabric.device, non_blocking=True)
            for name, tensor in piece.arrays.items()
        }
        seed_torch(config.seed, "forward", piece.first)
        with fabric.no_backward_sync(wrapped.model, enabled=number + 1 < len(pieces)):
            # Not Fabric's mixed precision: it would round the inputs too, states and actions among
            # them.
            with torch.autocast(
                fabric.device.type, torch.bfloat16, enabled=config.precision == "bf16"
            ):
                losses = task.losses(wrapped.model, arrays)
            # loss = sum over pieces of (n_piece / n_batch) mean of the piece.
            fabric.backward(losses["loss"] * (count * fabric.world_size / config.batch_size))
        for name, value in losses.items():
            sums[name] = sums.get(name, torch.zeros_like(value)) + value.detach() * (
                count / config.batch_size
            )
    means = _everywhere(fabric, sums)
    gradients = [p.grad for p in state.model.parameters() if p.grad is not None]
    norm = torch.nn.utils.get_total_norm(gradients)
    means["gradient_norm"] = norm.item()
    finite = all(math.isfinite(value) for value in means.values())
    if finite:
        if config.optimizer.clip_norm:
            torch.nn.utils.clip_grads_with_norm_(
                list(state.model.parameters()), config.optimizer.clip_norm, norm
            )
        wrapped.optimizer.step()
        wrapped.optimizer.zero_grad(set_to_none=True)
    return StepResult(means, finite)


def everyones_names(fabric: Fabric, pieces: Sequence[Batch]) -> list[str]:
    """Return the names of the whole batch's examples, in order.

    Every process calls it.

    >>> from pixelpush.training.config import RunOptions
    >>> from pixelpush.training.devices import make_fabric
    >>> fabric = make_fabric(RunOptions(accelerator="cpu"))
    >>> everyones_names(fabric, [Batch(0, ("one",), {}), Batch(1, ("two",), {})])
    ['one', 'two']
    """
    mine = [name for piece in pieces for name in piece.names]
    if fabric.world_size == 1:
        return mine
    gathered: list[Any] = [None] * fabric.world_size
    torch.distributed.all_gather_object(gathered, mine)
    return [name for names in gathered for name in names]


def _everywhere(fabric: Fabric, sums: Mapping[str, Tensor]) -> dict[str, float]:
    """Add the losses over processes: one small all-reduce a step."""
    names = sorted(sums)
    vector = torch.stack([sums[name].float() for name in names])
    values = fabric.all_reduce(vector, reduce_op="sum").tolist()  # type: ignore[union-attr]
    return dict(zip(names, values, strict=True))
