"""A base image and upscalers, shared by the O(T log N) decoder and Multiscale PixelCNN.

log p(x) = log p(x_0) + sum over scales s of log p(x_s | x_(s-1))        (Reed et al. 2017, sec. 3)

x_s is the image at scale s; x_(s-1) is its sub-sampling, so that its pixels are pixels of x_s and
the terms add up to the log-likelihood of the whole image. Each conditional is an ``Upscaler``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from pixelpush.image.groups import put_under, subsample
from pixelpush.image.raster import RasterDecoder
from pixelpush.image.upscalers import Upscaler


@dataclass(frozen=True)
class Pyramid:
    """A raster decoder of the base image and one upscaler per doubling, the coarsest first.

    It owns no weights: the modules belong to the model that makes it. In its methods
    ``conditioning(scale)`` gives the features of scale 0, the base, on the base's grid, and of
    scale s > 0 on the grid of its groups, which is half its side. centre: an image in levels, of
    the full size, or None.

    >>> from pixelpush.image import build_image_model
    >>> model = build_image_model("multiscale-pixelcnn", image_size=16, distribution="logistic")
    >>> model.pyramid.evaluations(base_size=8)
    112
    """

    base: RasterDecoder
    upscalers: Sequence[Upscaler]

    def evaluations(self, base_size: int) -> int:
        """Return the number of sequential network evaluations of one sample."""
        larger = sum(upscaler.evaluations for upscaler in self.upscalers)
        return self.base.evaluations(base_size, base_size) + larger

    def log_prob(
        self,
        image: Tensor,
        conditioning: Callable[[int], Tensor | None],
        centre: Tensor | None = None,
    ) -> Tensor:
        """Return the nats (N, H, W) of uint8 images (N, C, H, W)."""
        scales = len(self.upscalers)
        small = subsample(image, scales)
        near = _subsampled(centre, scales)
        score = self.base.log_prob(small, conditioning(0), near)
        for scale, upscaler in enumerate(self.upscalers, 1):
            target = subsample(image, scales - scale)
            near = _subsampled(centre, scales - scale)
            added = upscaler.log_prob(target, _needed(conditioning(scale)), near)
            score = put_under(score, added)
        return score

    def sample(
        self,
        conditioning: Callable[[int], Tensor | None],
        uniforms: Tensor,
        temperature: float = 1.0,
        centre: Tensor | None = None,
        cached: bool = True,
    ) -> tuple[Tensor, Tensor]:
        """Return (images uint8 (N, C, H, W), nats (N, H, W) at temperature 1).

        uniforms: (N, uniforms_per_pixel, H, W). cached=False samples the base without its cache."""
        scales = len(self.upscalers)
        numbers = subsample(uniforms, scales)
        near = _subsampled(centre, scales)
        image, score = self.base.sample(
            conditioning(0), numbers, temperature, cached=cached, centre=near
        )
        return self.grow(image, score, conditioning, uniforms, temperature, centre)

    def grow(
        self,
        image: Tensor,
        score: Tensor,
        conditioning: Callable[[int], Tensor | None],
        uniforms: Tensor,
        temperature: float = 1.0,
        centre: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Upscale an image of any scale, with its scores, to the size of ``uniforms``."""
        scales = len(self.upscalers)
        for scale, upscaler in enumerate(self.upscalers, 1):
            numbers = subsample(uniforms, scales - scale)
            if image.shape[-1] < numbers.shape[-1]:
                near = _subsampled(centre, scales - scale)
                features = _needed(conditioning(scale))
                image, added = upscaler.sample(image, features, numbers, near, temperature)
                score = put_under(score, added)
        return image, score


def _subsampled(centre: Tensor | None, times: int) -> Tensor | None:
    return None if centre is None else subsample(centre, times)


def _needed(conditioning: Tensor | None) -> Tensor:
    assert conditioning is not None, "an upscaler's conditioning may have no channel, but is a map"
    return conditioning
