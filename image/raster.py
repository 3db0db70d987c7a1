"""Pixel after pixel in raster order: what a causal trunk offers, and the decoder that scores and
samples with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pixelpush.image.heads import Head


class RasterTrunk(nn.Module):
    """A network whose features at a pixel depend only on earlier pixels and the conditioning.

    'Earlier' is in raster order. out_channels: width of the features. size_multiple: height and
    width must be multiples of it. cached: whether ``start`` and ``step`` exist, which compute one
    pixel from what earlier steps remembered.

    >>> from pixelpush.image.pixelcnn import PixelCNNTrunk
    >>> PixelCNNTrunk(in_colours=3, channels=2, layers=1, hidden=4).cached
    True
    """

    out_channels: int
    size_multiple: int = 1
    cached: bool = False

    def forward(self, image: Tensor, conditioning: Tensor | None = None) -> Tensor:
        """uint8 (N, C, H, W), conditioning (N, D, H, W) -> features (N, out_channels, H, W)."""
        raise NotImplementedError

    def start(self, image: Tensor, conditioning: Tensor | None = None) -> Any:
        """An empty cache for images like ``image``."""
        raise NotImplementedError

    def step(self, cache: Any, image: Tensor, row: int, column: int) -> tuple[Tensor, Any]:
        """Features (N, out_channels) at one pixel and the cache for the next one, in raster order.

        image: uint8 (N, C, H, W), of which only the pixels before (row, column) are read. The cache
        may be advanced in place; use the returned one."""
        raise NotImplementedError


@dataclass(frozen=True)
class Given:
    """Pixels that are known before sampling.

    image: uint8 (N, C, H, W). mask: bool (N, H, W), true where known.

    >>> Given(torch.zeros(1, 3, 2, 2).byte(), torch.ones(1, 2, 2).bool()).mask.all().item()
    True
    """

    image: Tensor
    mask: Tensor


class RasterDecoder(nn.Module):
    """A trunk and a head: an exact likelihood of an image and two samplers.

    The samplers are the obvious one and the cached one.

    >>> from pixelpush.image.heads import LogisticMixtureHead
    >>> from pixelpush.image.pixelcnn import PixelCNNTrunk
    >>> trunk = PixelCNNTrunk(in_colours=3, channels=2, layers=1, hidden=4)
    >>> decoder = RasterDecoder(trunk, LogisticMixtureHead(4), colours=3)
    >>> image, nats = decoder.sample(None, torch.rand(1, 4, 2, 2))
    >>> torch.allclose(decoder.log_prob(image), nats, atol=1e-4)
    True
    """

    def __init__(self, trunk: RasterTrunk, head: Head, colours: int):
        super().__init__()
        self.trunk = trunk
        self.head = head
        self.colours = colours
        self.uniforms_per_pixel = head.uniforms_per_pixel

    def evaluations(self, height: int, width: int) -> int:
        """Sequential network evaluations of one sample."""
        return height * width * self.head.evaluations

    def log_prob(
        self, image: Tensor, conditioning: Tensor | None = None, centre: Tensor | None = None
    ) -> Tensor:
        """Return the nats per pixel (N, H, W) of uint8 images (N, C, H, W).

        conditioning: (N, D, H, W). centre: see ``Head``."""
        return self.head(self.trunk(image, conditioning), centre).log_prob(image)

    @torch.no_grad()
    def sample(
        self,
        conditioning: Tensor | None,
        uniforms: Tensor,
        temperature: float = 1.0,
        cached: bool = True,
        given: Given | None = None,
        centre: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """(image uint8 (N, C, H, W), nats (N, H, W) under temperature 1).

        uniforms: (N, uniforms_per_pixel, H, W), on the model's device. cached=False runs the whole
        network for every pixel; the result is the same. given: pixels to keep; their nats are those
        of the given values."""
        count, _, height, width = uniforms.shape
        image = torch.zeros(
            count, self.colours, height, width, dtype=torch.uint8, device=uniforms.device
        )
        log_prob = torch.zeros(count, height, width, device=uniforms.device)
        cached = cached and self.trunk.cached
        cache = self.trunk.start(image, conditioning) if cached else None
        for row in range(height):
            for column in range(width):
                if cached:
                    features, cache = self.trunk.step(cache, image, row, column)
                else:
                    # Pixels that are not sampled yet are zeros, which no feature here can see.
                    features = self.trunk(image, conditioning)[:, :, row, column]
                here = (..., slice(row, row + 1), slice(column, column + 1))
                distribution = self.head(
                    features[:, :, None, None], None if centre is None else centre[here]
                )
                pixel = distribution.sample(uniforms[here], temperature)
                if given is not None:
                    pixel = torch.where(given.mask[here][:, None], given.image[here], pixel)
                image[:, :, row, column] = pixel[:, :, 0, 0]
                log_prob[:, row, column] = distribution.log_prob(pixel)[:, 0, 0]
        return image, log_prob
