"""What the training loop needs to know of a kind of model and its data, and nothing more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from pixelpush.progress import Progress, silent

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import Tensor, nn

# The name under which every task reports its score, in metrics and in best.json. Lower is better.
SCORE = "nats_per_subpixel"


class Task(Protocol):
    """A model to train, examples to train it on and a way to score it.

    Everything random is a function of the arguments. The loop seeds torch before ``build_model``
    and ``initialise``, and before every forward pass, so that module initialisation and dropout
    need no care. ``example`` is called from several threads at once.

    >>> from pixelpush.training.image_task import ImageTask
    >>> task: type[Task] = ImageTask
    >>> task.family
    'image'
    """

    family: str  # 'video' or 'image': what model.json says
    headline: str  # the loss's figure that the progress bar shows
    examples_per_epoch: int
    frames_per_example: int  # for the reported frames per second

    def describe(self) -> Mapping[str, Any]:
        """Return JSON values that identify data and model.

        A run resumes only where they are the same as when it began. What stands under 'notes' is
        kept in config.json too, but not compared."""
        ...

    def build_model(self) -> nn.Module:
        """A new model, float32 on the CPU, with a dataclass ``config``."""
        ...

    def initialise(self, model: nn.Module, seed: int) -> None:
        """Give a fresh model what it takes from the training data.

        That is normalisation statistics, or data-dependent scales."""
        ...

    def example(self, seed: int, epoch: int, index: int) -> tuple[str, Mapping[str, np.ndarray]]:
        """Return (name for people, arrays) of training example ``index``.

        The arrays of all examples have the same shapes. A pure function, augmentation included.
        Raises InputError naming a damaged example."""
        ...

    def losses(self, model: Callable[..., Any], batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return means over the batch: 'loss' to minimise, the headline, other figures for metrics.

        ``model`` is the wrapped module: call it as ``model(...)``, so that precision and data
        parallelism apply."""
        ...

    def validation_cost(self, limit: int) -> float:
        """Return what ``evaluate`` costs with that limit, counted in training examples.

        A training example counts as three passes forward: its own, and a backward pass of two. 0
        without a validation split."""
        ...

    def evaluate(
        self,
        model: nn.Module,
        limit: int | None,
        device: torch.device,
        precision: str,
        progress: Progress = silent,
    ) -> dict[str, float]:
        """Return scores on the validation split, or on its first ``limit`` items.

        They are SCORE and others; empty without a split. In a process group every process calls
        this and gets the same values."""
        ...
