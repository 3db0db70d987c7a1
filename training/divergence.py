"""A run whose loss, gradients or weights are no longer finite stops at once. It says where, and
keeps its last good save."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import nn

from pixelpush.errors import InputError

_NAMES_SHOWN = 8


class DivergenceError(InputError):
    """The loss, a gradient or a weight is not finite.

    >>> str(DivergenceError("step 3: loss nan"))
    'step 3: loss nan'
    """


def first_non_finite_gradient(model: nn.Module) -> str | None:
    """Return the name of the first parameter whose gradient is not finite, or None.

    >>> first_non_finite_gradient(nn.Linear(1, 1)) is None
    True
    """
    for name, parameter in model.named_parameters():
        if parameter.grad is not None and not bool(torch.isfinite(parameter.grad).all()):
            return name
    return None


def check_weights(model: nn.Module, where: str) -> None:
    """Raise DivergenceError for weights or buffers that are not finite, naming the first.

    >>> check_weights(nn.Linear(1, 1), "after 0 examples")
    """
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise DivergenceError(
                f"{where}: weight {name} is not finite, so it is not saved. {_ADVICE}"
            )


def divergence(
    step: int,
    examples: int,
    losses: Mapping[str, float],
    parameter: str | None,
    names: Sequence[str],
    save: Path | None,
) -> DivergenceError:
    """Return the error for a step that gave a non-finite loss or gradient.

    The weights are as they were before the step.

    >>> error = divergence(3, 24, {"loss": float("nan")}, None, ["push/1"], None)
    >>> str(error)[:58]
    'step 3 (after 24 examples): the loss or a gradient is not '
    """
    shown = ", ".join(names[:_NAMES_SHOWN]) + (
        f" and {len(names) - _NAMES_SHOWN} more" * (len(names) > _NAMES_SHOWN)
    )
    values = ", ".join(f"{name} {value:.6g}" for name, value in losses.items())
    gradient = f"first non-finite gradient: {parameter}" if parameter else "all gradients finite"
    kept = f"the last good save is {save}" if save else "there is no save yet"
    return DivergenceError(
        f"step {step} (after {examples} examples): the loss or a gradient is not finite ({values}; "
        f"{gradient};"
        f" batch: {shown}); {kept}. {_ADVICE}"
    )


_ADVICE = "Use a lower --learning-rate in a new --run, or look at the batch's data."
