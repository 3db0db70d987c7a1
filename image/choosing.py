"""Run a sampler while something else names the pixels: a coder, or a measurement.

A sampler does not compute with its uniform numbers: it slices them, folds them into patches, and
hands them to a distribution. If pixel numbers stand in their place, a distribution receives the
numbers of the pixels that it is asked for, in any sampler's order. ``chosen_by`` asks a chooser for
these pixels instead of drawing them. The sampler itself is unchanged: both sides of a code run the
same network steps."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from pixelpush.image.distributions import PixelDistribution
from pixelpush.image.heads import Head

# float32 holds every whole number up to this one.
MOST_PLACES = 2**24

Chooser = Callable[[PixelDistribution, Tensor], Tensor]
"""(distribution over (N, C, H, W), places int64 (N, H, W)) -> pixels uint8 (N, C, H, W)."""


def places(batch: int, per_pixel: int, height: int, width: int) -> Tensor:
    """float32 (batch, per_pixel, height, width): every pixel's number, for a sampler's uniforms.

    The numbers count through the batch, rows and columns: pixel (b, r, c) of a batch is number
    (b H + r) W + c. A batch holds at most ``MOST_PLACES`` pixels.

    >>> places(1, 2, 2, 2)[0, 1].tolist()
    [[0.0, 1.0], [2.0, 3.0]]
    """
    count = batch * height * width
    if count > MOST_PLACES:
        raise ValueError(f"{count} pixels at once; at most {MOST_PLACES} can be numbered.")
    numbers = torch.arange(count, dtype=torch.float32).view(batch, 1, height, width)
    return numbers.expand(batch, per_pixel, height, width)


@contextlib.contextmanager
def chosen_by(model: nn.Module, chooser: Chooser) -> Iterator[None]:
    """Within this block every sampler of ``model`` asks ``chooser`` for its pixels.

    Give the sampler ``places`` for its uniforms. Distributions come from heads, so a hook on every
    ``Head`` reaches all decoders; the hooks leave with the block.

    >>> from pixelpush.image.heads import LogisticMixtureHead
    >>> head = LogisticMixtureHead(2, colours=1)
    >>> with chosen_by(head, lambda distribution, where: torch.full_like(where[:, None], 7).byte()):
    ...     head(torch.zeros(1, 2, 1, 1)).sample(places(1, 2, 1, 1)).item()
    7
    """

    def choose(head: nn.Module, inputs: tuple, distribution: PixelDistribution) -> Chosen:
        return Chosen(distribution, chooser)

    with contextlib.ExitStack() as hooks:
        for module in model.modules():
            if isinstance(module, Head):
                hooks.callback(module.register_forward_hook(choose).remove)
        yield


class Chosen(PixelDistribution):
    """A distribution whose samples a chooser names; its probabilities are the original's.

    >>> from pixelpush.image.bernoulli import Bernoulli
    >>> original = Bernoulli(torch.zeros(1, 1, 1, 1))
    >>> chosen = Chosen(original, lambda distribution, where: where[:, None].byte())
    >>> chosen.sample(places(1, 1, 1, 1)).item()
    0
    """

    def __init__(self, original: PixelDistribution, chooser: Chooser):
        self.original = original
        self.chooser = chooser
        self.uniforms_per_pixel = original.uniforms_per_pixel

    def log_prob(self, pixels: Tensor) -> Tensor:
        return self.original.log_prob(pixels)

    def sample(self, uniforms: Tensor, temperature: float = 1.0) -> Tensor:
        return self.draw(uniforms)

    def draw(self, uniforms: Tensor) -> Tensor:
        return self.chooser(self.original, uniforms[:, 0].long())

    def channel_log_probabilities(self, channel: int, earlier: Tensor) -> Tensor:
        return self.original.channel_log_probabilities(channel, earlier)

    def channel_probabilities(self, channel: int, earlier: Tensor) -> Tensor:
        return self.original.channel_probabilities(channel, earlier)


class Walk:
    """A chooser that goes through an image's pixels, channel by channel, each exactly once.

    pixels: uint8 (P, C), by place; what is not known yet may hold anything. A sampler may ask for a
    place again (multi-scale models pass over pixels that a smaller scale has fixed); it then gets
    the value, and ``levels`` is not called.

    Subclasses write ``levels``.

    >>> class Zeros(Walk):
    ...     def levels(self, distribution, channel, earlier):
    ...         return torch.zeros(len(earlier))
    >>> Zeros.of(torch.zeros(1, 3, 2, 2, dtype=torch.uint8)).pixels.shape
    torch.Size([4, 3])
    """

    def __init__(self, pixels: Tensor):
        self.pixels = pixels.clone()
        self.known = torch.zeros(len(pixels), dtype=torch.bool)

    @classmethod
    def of(cls, images: Tensor, *arguments: object) -> Walk:
        """A walk through images uint8 (N, C, H, W), numbered as ``places`` does."""
        return cls(images.permute(0, 2, 3, 1).flatten(0, 2), *arguments)

    def levels(self, probabilities: Tensor, levels: Tensor, places: Tensor, channel: int) -> Tensor:
        """The uint8 (n,) levels of n sub-pixels of one channel.

        probabilities: float32 (n, 256). levels: uint8 (n,), what ``pixels`` held. places: int64
        (n,)."""
        raise NotImplementedError

    def __call__(self, distribution: PixelDistribution, places: Tensor) -> Tensor:
        where = places.cpu()
        values = self.pixels[where]
        if not self.known[where].all():
            self._choose(distribution, values, where, places.device)
            self.pixels[where] = values
            self.known[where] = True
        return values.movedim(-1, 1).to(places.device)

    def _choose(
        self, distribution: PixelDistribution, values: Tensor, where: Tensor, device: torch.device
    ) -> None:
        """Fill in those of values (N, H, W, C) that are not known yet."""
        fresh = ~self.known[where]
        numbers = where[fresh]
        for channel in range(values.shape[-1]):
            earlier = values.movedim(-1, 1).to(device)
            table = distribution.channel_probabilities(channel, earlier).cpu().movedim(1, -1)[fresh]
            before = values[..., channel][fresh]
            values[..., channel][fresh] = self.levels(table, before, numbers, channel)

    def images(self, count: int, height: int, width: int) -> Tensor:
        """The pixels as uint8 (count, C, height, width)."""
        return self.pixels.view(count, height, width, -1).movedim(-1, 1).contiguous()
