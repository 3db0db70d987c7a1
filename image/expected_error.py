"""A penalty on what a distribution expects to be wrong by, beside its likelihood.

The likelihood hardly minds a little probability far from the truth: 1% of it costs 0.01 nats. A
sample shows it: one pixel in a hundred is astray, and a rollout hands strays on. The mean distance
of samples from the truth, E |X - x|, minds them by how far away they are. It is not a proper score
alone (it prefers too narrow distributions), so its weight is small."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from pixelpush.image.distributions import PixelDistribution
from pixelpush.image.heads import Head


class MeanError:
    """The mean of what distributions expected to be wrong by, in levels, over all their pixels.

    >>> error = MeanError()
    >>> error.add(torch.tensor([2.0, 4.0]))
    >>> error.mean().item()
    3.0
    """

    def __init__(self):
        self.total: Tensor | float = 0.0
        self.count = 0

    def add(self, levels: Tensor) -> None:
        """Count the errors of more pixels."""
        self.total = self.total + levels.detach().sum()
        self.count += levels.numel()

    def mean(self) -> Tensor:
        """Levels, a scalar."""
        return torch.as_tensor(self.total / self.count)


class Penalised(PixelDistribution):
    """A distribution whose ``log_prob`` is lowered by its expected error; its samples are the same.

        log p(x) - weight C E |X - x|

    weight: nats per sub-pixel and level. C: channels. errors: where the expected errors are
    counted.

    >>> from pixelpush.image.distributions import LogisticMixture
    >>> original = LogisticMixture(torch.zeros(1, 20, 1, 1), colours=3)
    >>> pixels = torch.zeros(1, 3, 1, 1, dtype=torch.uint8)
    >>> Penalised(original, 0.1, MeanError()).log_prob(pixels) < original.log_prob(pixels)
    tensor([[[True]]])
    """

    def __init__(self, original: PixelDistribution, weight: float, errors: MeanError):
        self.original = original
        self.weight = weight
        self.errors = errors
        self.uniforms_per_pixel = original.uniforms_per_pixel

    def log_prob(self, pixels: Tensor) -> Tensor:
        error = self.original.expected_error(pixels)
        self.errors.add(error)
        return self.original.log_prob(pixels) - self.weight * pixels.shape[1] * error

    def draw(self, uniforms: Tensor) -> Tensor:
        return self.original.draw(uniforms)

    def channel_log_probabilities(self, channel: int, earlier: Tensor) -> Tensor:
        return self.original.channel_log_probabilities(channel, earlier)

    def channel_probabilities(self, channel: int, earlier: Tensor) -> Tensor:
        return self.original.channel_probabilities(channel, earlier)


@contextlib.contextmanager
def penalised(model: nn.Module, weight: float, errors: MeanError) -> Iterator[None]:
    """Within this block the distributions of ``model``'s heads are ``Penalised``.

    >>> from pixelpush.image.heads import LogisticMixtureHead
    >>> head = LogisticMixtureHead(2)
    >>> with penalised(head, 0.1, MeanError()):
    ...     type(head(torch.zeros(1, 2, 1, 1))).__name__
    'Penalised'
    """

    def lower(head: nn.Module, inputs: tuple, distribution: PixelDistribution) -> Penalised:
        return Penalised(distribution, weight, errors)

    with contextlib.ExitStack() as hooks:
        for module in model.modules():
            if isinstance(module, Head):
                hooks.callback(module.register_forward_hook(lower).remove)
        yield
