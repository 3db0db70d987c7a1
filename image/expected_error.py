"""A penalty on what a distribution expects to be wrong by, beside its likelihood.

The likelihood hardly minds a little probability far from the truth: 1% of it costs 0.01 nats. A
sample shows it: one pixel in a hundred is astray, and a rollout hands strays on. The mean distance
of samples from the truth, E |X - x|, minds them by how far away they are. Its logarithm minds them
most where all else is certain, and leaves wide distributions alone where much is unknown. It is not
a proper score (it prefers too narrow distributions), so its weight is small."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from pixelpush.image.distributions import PixelDistribution
from pixelpush.image.heads import Head

# Levels: errors well below this count by themselves, those above by their logarithm.
_NOISE = 2.0


class MeanPenalty:
    """The mean penalty, in nats per sub-pixel, over all pixels that were scored.

    >>> penalty = MeanPenalty()
    >>> penalty.add(torch.tensor([2.0, 4.0]))
    >>> penalty.mean().item()
    3.0
    """

    def __init__(self):
        self.total: Tensor | float = 0.0
        self.count = 0

    def add(self, nats: Tensor) -> None:
        """Count the penalties of more pixels, nats per sub-pixel of any shape."""
        self.total = self.total + nats.detach().sum()
        self.count += nats.numel()

    def mean(self) -> Tensor:
        """A scalar."""
        return torch.as_tensor(self.total / self.count)


class Penalised(PixelDistribution):
    """A distribution whose ``log_prob`` is lowered by its expected error; its samples are the same.

        log p(x) - weight C log(1 + E |X - x| / 2)

    weight: nats per sub-pixel. C: channels. found: where the penalties are counted.

    >>> from pixelpush.image.distributions import LogisticMixture
    >>> original = LogisticMixture(torch.zeros(1, 20, 1, 1), colours=3)
    >>> pixels = torch.zeros(1, 3, 1, 1, dtype=torch.uint8)
    >>> Penalised(original, 0.1, MeanPenalty()).log_prob(pixels) < original.log_prob(pixels)
    tensor([[[True]]])
    """

    def __init__(self, original: PixelDistribution, weight: float, found: MeanPenalty):
        self.original = original
        self.weight = weight
        self.found = found
        self.uniforms_per_pixel = original.uniforms_per_pixel

    def log_prob(self, pixels: Tensor) -> Tensor:
        penalty = self.weight * torch.log1p(self.original.expected_error(pixels) / _NOISE)
        self.found.add(penalty)
        return self.original.log_prob(pixels) - pixels.shape[1] * penalty

    def draw(self, uniforms: Tensor) -> Tensor:
        return self.original.draw(uniforms)

    def draw_tempered(self, uniforms: Tensor, temperature: float) -> Tensor:
        return self.original.draw_tempered(uniforms, temperature)

    def channel_log_probabilities(self, channel: int, earlier: Tensor) -> Tensor:
        return self.original.channel_log_probabilities(channel, earlier)

    def channel_probabilities(self, channel: int, earlier: Tensor) -> Tensor:
        return self.original.channel_probabilities(channel, earlier)


@contextlib.contextmanager
def penalised(model: nn.Module, weight: float, found: MeanPenalty) -> Iterator[None]:
    """Within this block the distributions of ``model``'s heads are ``Penalised``.

    >>> from pixelpush.image.heads import LogisticMixtureHead
    >>> head = LogisticMixtureHead(2)
    >>> with penalised(head, 0.1, MeanPenalty()):
    ...     type(head(torch.zeros(1, 2, 1, 1))).__name__
    'Penalised'
    """

    def lower(head: nn.Module, inputs: tuple, distribution: PixelDistribution) -> Penalised:
        return Penalised(distribution, weight, found)

    with contextlib.ExitStack() as hooks:
        for module in model.modules():
            if isinstance(module, Head):
                hooks.callback(module.register_forward_hook(lower).remove)
        yield
