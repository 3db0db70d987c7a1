"""Multiscale PixelCNN: a small base image, then groups of pixels at once, O(log N) (Reed et al.
2017, section 3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pixelpush.errors import InputError
from pixelpush.image.conditioning import Condition, ConditionEncoder
from pixelpush.image.config import MultiscalePixelCNNConfig
from pixelpush.image.gated_pixelcnn import GatedPixelCNNTrunk
from pixelpush.image.groups import subsample
from pixelpush.image.layers import Layers
from pixelpush.image.model import ImageModel, ImageSample
from pixelpush.image.noise import Generators
from pixelpush.image.raster import RasterDecoder
from pixelpush.image.upscalers import TypeAUpscaler, TypeBUpscaler, Upscaler


class MultiscalePixelCNN(ImageModel):
    """A Gated PixelCNN on the ``base_size`` image and an upscaler per doubling; sizes[0] is the
    base.

    Only the whole image is quantised: smaller ones are its sub-samplings, so the scales'
    likelihoods add up."""

    config: MultiscalePixelCNNConfig

    def __init__(self, config: MultiscalePixelCNNConfig):
        super().__init__(config)
        c, conditioning = config, self.conditioning.out_channels
        trunk = GatedPixelCNNTrunk(c.colours, c.channels, c.base_layers, 3, conditioning)
        self.base = RasterDecoder(trunk, self.new_head(c.channels), c.colours)
        self.upscalers = Layers(self._upscaler(conditioning) for _ in c.sizes[1:])
        # encoders[0] serves every scale up to shared_encoder_size, the next ones a larger scale
        # each.
        larger = (
            [size for size in c.sizes if size > c.shared_encoder_size]
            if self.conditioning.used
            else []
        )
        self.encoders = Layers(ConditionEncoder(self.conditioning) for _ in range(1 + len(larger)))

    def _upscaler(self, conditioning: int) -> Upscaler:
        c = self.config
        sizes = (
            conditioning,
            c.colours,
            c.channels,
            c.blocks,
            "residual",
            lambda: self.new_head(c.channels),
        )
        if c.upscaler == "A":
            return TypeAUpscaler(*sizes)
        return TypeBUpscaler(*sizes, patch=c.patch, patch_layers=c.patch_layers)

    @property
    def evaluations(self) -> int:
        base = self.base.evaluations(self.config.base_size, self.config.base_size)
        return base + sum(upscaler.evaluations for upscaler in self.upscalers)

    def score(self, images: Tensor, condition: Condition) -> Tensor:
        sizes = self.config.sizes
        score = self.base.log_prob(self._at(images, sizes[0]), self._conditioning(condition, 0))
        for scale in range(1, len(sizes)):
            image = self._at(images, sizes[scale])
            conditioning = self._beside(condition, scale, len(image))
            score = _under(score, self.upscalers[scale - 1].log_prob(image, conditioning))
        return score

    def draw(
        self, condition: Condition, uniforms: Tensor, temperature: float, cached: bool
    ) -> tuple[Tensor, Tensor]:
        numbers = self._at(uniforms, self.config.base_size)
        base, score = self.base.sample(
            self._conditioning(condition, 0), numbers, temperature, cached
        )
        return self._grow(base, score, condition, uniforms, temperature)

    def _grow(
        self,
        image: Tensor,
        score: Tensor,
        condition: Condition,
        uniforms: Tensor,
        temperature: float,
    ) -> tuple[Tensor, Tensor]:
        """Upscale ``image`` to the size of ``uniforms``."""
        for scale in range(1, len(self.config.sizes)):
            size = self.config.sizes[scale]
            if image.shape[3] < size <= uniforms.shape[3]:
                numbers = uniforms[..., :: uniforms.shape[2] // size, :: uniforms.shape[3] // size]
                conditioning = self._beside(condition, scale, len(image))
                image, added = self.upscalers[scale - 1].sample(
                    image, conditioning, numbers, None, temperature
                )
                score = _under(score, added)
        return image, score

    @torch.no_grad()
    def upscale(
        self,
        images: Tensor,
        condition: Condition | None = None,
        generator: Generators = None,
        temperature: float = 1.0,
    ) -> ImageSample:
        """Super-resolution: uint8 images (N, C, s, s), s one of the model's sizes, to the model's
        full size.

        The given images' pixels reappear as the sub-sampling of the result; their nats are zero.
        """
        sizes = self.config.sizes
        if (
            images.ndim != 4
            or images.shape[2] != images.shape[3]
            or images.shape[2] not in sizes[:-1]
        ):
            choices = ", ".join(f"{size}x{size}" for size in sizes[:-1])
            raise InputError(f"this model upscales images of {choices}, got {tuple(images.shape)}.")
        if images.dtype != torch.uint8 or images.shape[1] != self.config.colours:
            raise InputError(f"images must be uint8 with {self.config.colours} channels.")
        condition = self.conditioning.check(condition, len(images)).to(self.device)
        uniforms = self._uniforms(len(images), generator, temperature)
        score = torch.zeros_like(images[:, 0], dtype=torch.float32, device=self.device)
        result, log_prob = self._grow(
            images.to(self.device), score, condition, uniforms, temperature
        )
        used = [
            self.upscalers[i].evaluations
            for i in range(len(sizes) - 1)
            if sizes[i + 1] > images.shape[2]
        ]
        return ImageSample(result, log_prob, sum(used))

    def training_loss(
        self, images: Tensor, condition: Condition | None = None, scales: Sequence[int] = ()
    ) -> dict[str, Tensor]:
        """Loss over the given scales (sizes in pixels; empty: all): nats per sub-pixel that these
        scales predict.

        Scales of twice ``crop`` and more are trained on one random crop per batch; each scale is
        weighted by the pixels that it predicts in the whole image, so that the loss over all scales
        estimates the image's nats per sub-pixel. Every scale's own figure is reported as
        ``nats_per_subpixel_<size>``."""
        self.check_images(images)
        chosen = [self.config.sizes.index(size) for size in self._checked(scales)]
        condition = self.conditioning.check(condition, len(images)).to(self.device)
        images = images.to(self.device)
        total, pixels, report = images.new_zeros((), dtype=torch.float32), 0, {}
        for scale in chosen:
            size = self.config.sizes[scale]
            predicted = size * size if scale == 0 else size * size * 3 // 4
            nats = -self._scale_mean(images, condition, scale) / self.config.colours
            report[f"nats_per_subpixel_{size}"] = nats.detach()
            total, pixels = total + nats * predicted, pixels + predicted
        loss = total / pixels
        return {"loss": loss, "nats_per_subpixel": loss.detach(), **report}

    def forward(
        self, images: Tensor, condition: Condition | None = None, scales: Sequence[int] = ()
    ) -> dict[str, Tensor]:
        return self.training_loss(images, condition, scales)

    def _checked(self, scales: Sequence[int]) -> list[int]:
        unknown = set(scales) - set(self.config.sizes)
        if unknown:
            raise InputError(
                f"scale {min(unknown)} is none of {', '.join(map(str, self.config.sizes))}."
            )
        return sorted(scales or self.config.sizes)

    def _scale_mean(self, images: Tensor, condition: Condition, scale: int) -> Tensor:
        """Mean log-probability per predicted pixel of one scale, on a random crop where the scale
        is large."""
        image = self._at(images, self.config.sizes[scale])
        if scale == 0:
            return self.base.log_prob(image, self._conditioning(condition, 0)).mean()
        conditioning = self._beside(condition, scale, len(image))
        crop, size = self.config.crop, image.shape[3]
        if crop and size >= 2 * crop:
            # On whole 2x2 blocks, so that the crop's groups are the image's.
            top, left = (2 * int(torch.randint(0, (size - crop) // 2 + 1, ())) for _ in range(2))
            image = image[..., top : top + crop, left : left + crop]
            inside = (slice(top // 2, (top + crop) // 2), slice(left // 2, (left + crop) // 2))
            conditioning = conditioning[..., inside[0], inside[1]]
        # Three quarters of the pixels are predicted; group 1 scores zero.
        return self.upscalers[scale - 1].log_prob(image, conditioning).mean() * 4 / 3

    def _at(self, images: Tensor, size: int) -> Tensor:
        """The sub-sampling of whole images to ``size``."""
        return subsample(images, (self.config.image_size // size).bit_length() - 1)

    def _conditioning(
        self, condition: Condition, scale: int, grid: int | None = None
    ) -> Tensor | None:
        size = self.config.sizes[scale]
        shared = sum(size <= self.config.shared_encoder_size for size in self.config.sizes)
        encoder = (
            self.encoders[max(scale - shared + 1, 0)]
            if self.conditioning.used
            else self.encoders[0]
        )
        return encoder(condition).on_grid(grid or size, grid or size)

    def _beside(self, condition: Condition, scale: int, count: int) -> Tensor:
        """Conditioning of an upscaler for ``count`` images on its groups' grid; zero channels where
        there is none."""
        grid = self.config.sizes[scale] // 2
        conditioning = self._conditioning(condition, scale, grid)
        return (
            torch.zeros(count, 0, grid, grid, device=self.device)
            if conditioning is None
            else conditioning
        )


def _under(small: Tensor, large: Tensor) -> Tensor:
    """The larger image's scores, with the smaller one's at group 1."""
    score = large.clone()
    score[..., ::2, ::2] = small
    return score
