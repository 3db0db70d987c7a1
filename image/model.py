"""The image model that users see: an exact likelihood, samples, completions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from pixelpush.errors import InputError
from pixelpush.image.conditioning import Condition, ConditionConfig, ConditionEncoder
from pixelpush.image.config import ImageConfig
from pixelpush.image.heads import DISTRIBUTIONS, Head, HeadSettings
from pixelpush.image.noise import Generators, SampleNoise
from pixelpush.image.raster import Given, RasterDecoder, RasterTrunk
from pixelpush.image.weight_norm import initialise_from_data
from pixelpush.settings import check_temperature


@dataclass(frozen=True)
class ImageSample:
    """Sampled images.

    images: uint8 (N, C, H, W). log_prob: nats per pixel (N, H, W) under temperature 1; zero where
    given. network_evaluations: sequential evaluations that an image took, small ones of a head or a
    patch counted too.

    >>> from pixelpush.image import build_image_model
    >>> model = build_image_model("pixelcnn", image_size=4, channels=4, layers=1, hidden=8)
    >>> model.sample(2).network_evaluations
    48
    """

    images: Tensor
    log_prob: Tensor
    network_evaluations: int


class ImageModel(nn.Module):
    """Base of the image models: it checks the input and draws the noise.

    Subclasses write ``score``, ``draw`` and ``evaluations``.

    >>> from pixelpush.image import build_image_model
    >>> model = build_image_model("pixelcnn", image_size=4, channels=4, layers=1, hidden=8)
    >>> model.log_prob(torch.zeros(1, 3, 4, 4, dtype=torch.uint8)).shape
    torch.Size([1, 4, 4])
    """

    family: ClassVar[str] = "image"

    def __init__(self, config: ImageConfig):
        super().__init__()
        self.config = config
        self.conditioning = ConditionConfig(
            config.classes,
            config.captions,
            config.structure,
            config.condition_channels,
            config.condition_layers,
            config.condition_dropout,
            config.structure_parts,
            config.caption_attention,
        )
        # A head of one channel, made only to read this number from it.
        self.uniforms_per_pixel = self.new_head(1).uniforms_per_pixel

    def new_head(self, features: int) -> Head:
        """A head of this model's distribution on ``features`` channels."""
        c = self.config
        settings = HeadSettings(
            features, c.colours, c.components, c.head_hidden, normed=c.NORMED_OUTPUT
        )
        return DISTRIBUTIONS.find(c.distribution).build(settings)

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    def score(self, images: Tensor, condition: Condition) -> Tensor:
        """Nats per pixel (N, H, W) of checked input."""
        raise NotImplementedError

    def draw(
        self, condition: Condition, uniforms: Tensor, temperature: float, cached: bool
    ) -> tuple[Tensor, Tensor]:
        """(images, nats) from uniforms (N, uniforms_per_pixel, H, W)."""
        raise NotImplementedError

    @property
    def evaluations(self) -> int:
        """Sequential network evaluations of one sample."""
        raise NotImplementedError

    def log_prob(self, images: Tensor, condition: Condition | None = None) -> Tensor:
        """Nats per pixel (N, H, W), summed over channels, of uint8 images (N, C, H, W).

        Raises InputError where images or condition do not fit the model.
        """
        self.check_images(images)
        condition = self.conditioning.check(condition, len(images))
        return self.score(images.to(self.device), condition.to(self.device))

    @torch.no_grad()
    def sample(
        self,
        n: int,
        condition: Condition | None = None,
        generator: Generators = None,
        temperature: float = 1.0,
        cached: bool = True,
    ) -> ImageSample:
        """Return ``n`` sampled images.

        generator: one, from which a seed per sample is drawn in order, or one per sample.
        cached=False uses the slow, obvious sampler where the model also has a cached one; the
        images are the same. temperature: see ``PixelDistribution.sample``. An image does not depend
        on the batch that it is sampled in, up to rounding: where a rounding changes a level, later
        pixels follow. Raises InputError for n < 1, a temperature out of bounds, and a condition
        that does not fit."""
        condition = self.conditioning.check(condition, n)
        uniforms = self._uniforms(n, generator, temperature)
        images, log_prob = self.draw(condition.to(self.device), uniforms, temperature, cached)
        return ImageSample(images, log_prob, self.evaluations)

    def training_loss(
        self, images: Tensor, condition: Condition | None = None
    ) -> dict[str, Tensor]:
        """'loss' and 'nats_per_subpixel' of a batch, as scalars.

        Parts of the condition are left out with the configured probability."""
        self.check_images(images)
        condition = self.conditioning.check(condition, len(images)).to(self.device)
        left = self.conditioning.dropped(condition)
        # Nats a pixel, over the colours: nats a sub-pixel.
        loss = -self.score(images.to(self.device), left).mean() / self.config.colours
        return {"loss": loss, "nats_per_subpixel": loss.detach()}

    def forward(self, images: Tensor, condition: Condition | None = None) -> dict[str, Tensor]:
        return self.training_loss(images, condition)

    def initialise(self, images: Tensor, condition: Condition | None = None) -> None:
        """Initialise weight-normalised layers from data.

        It does nothing to models that have none."""
        initialise_from_data(self, lambda: self.log_prob(images, condition))

    def check_images(self, images: Tensor) -> None:
        """InputError unless uint8 (N, C, H, W) of this model's size."""
        c = self.config
        if images.ndim != 4 or tuple(images.shape[1:]) != (c.colours, c.image_size, c.image_size):
            wanted = f"(N, {c.colours}, {c.image_size}, {c.image_size})"
            raise InputError(f"this model takes images {wanted}, got {tuple(images.shape)}.")
        if images.dtype != torch.uint8:
            raise InputError(f"images must be uint8, got {images.dtype}.")

    def _uniforms(self, n: int, generator: Generators, temperature: float) -> Tensor:
        if n < 1:
            raise InputError(f"the number of samples must be at least 1, got {n}.")
        check_temperature(temperature)
        size = self.config.image_size
        return (
            SampleNoise(generator, n).uniforms(self.uniforms_per_pixel, size, size).to(self.device)
        )


class RasterModel(ImageModel):
    """One causal trunk over the whole image.

    PixelCNN, Gated PixelCNN, PixelCNN++, Row LSTM and Diagonal BiLSTM are of this class.

    >>> from pixelpush.image import build_image_model
    >>> model = build_image_model("pixelcnn", image_size=4, channels=4, layers=1, hidden=8)
    >>> images = torch.zeros(1, 3, 4, 4, dtype=torch.uint8)
    >>> known = torch.zeros(4, 4, dtype=torch.bool)
    >>> model.complete(images, known).images.shape
    torch.Size([1, 3, 4, 4])
    """

    def __init__(self, config: ImageConfig, make_trunk):
        """make_trunk: number of conditioning channels -> RasterTrunk."""
        super().__init__(config)
        trunk: RasterTrunk = make_trunk(self.conditioning.out_channels)
        if config.image_size % trunk.size_multiple:
            raise InputError(
                f"{config.kind}: image_size must be a multiple of {trunk.size_multiple}."
            )
        self.encoder = ConditionEncoder(self.conditioning)
        self.decoder = RasterDecoder(trunk, self.new_head(trunk.out_channels), config.colours)

    @property
    def evaluations(self) -> int:
        return self.decoder.evaluations(self.config.image_size, self.config.image_size)

    def score(self, images: Tensor, condition: Condition) -> Tensor:
        return self.decoder.log_prob(images, self._conditioning(condition))

    def draw(
        self, condition: Condition, uniforms: Tensor, temperature: float, cached: bool
    ) -> tuple[Tensor, Tensor]:
        return self.decoder.sample(self._conditioning(condition), uniforms, temperature, cached)

    @torch.no_grad()
    def complete(
        self,
        images: Tensor,
        known: Tensor,
        condition: Condition | None = None,
        generator: Generators = None,
        temperature: float = 1.0,
        cached: bool = True,
    ) -> ImageSample:
        """Sample the pixels that are not known, each given the pixels before it in raster order.

        known: bool (H, W) or (N, H, W). Known pixels keep their values and get the nats of these
        values; a known pixel below an unknown one does not influence it (the model is causal)."""
        self.check_images(images)
        count = len(images)
        size = self.config.image_size
        if (
            known.dtype != torch.bool
            or known.shape[-2:] != (size, size)
            or known.ndim not in (2, 3)
        ):
            raise InputError(f"known must be a bool mask ({size}, {size}) or (N, {size}, {size}).")
        condition = self.conditioning.check(condition, count).to(self.device)
        given = Given(images.to(self.device), known.to(self.device).expand(count, size, size))
        uniforms = self._uniforms(count, generator, temperature)
        conditioning = self._conditioning(condition)
        completed, log_prob = self.decoder.sample(
            conditioning, uniforms, temperature, cached, given
        )
        return ImageSample(completed, log_prob, self.evaluations)

    def _conditioning(self, condition: Condition) -> Tensor | None:
        return self.encoder(condition).on_grid(self.config.image_size, self.config.image_size)
