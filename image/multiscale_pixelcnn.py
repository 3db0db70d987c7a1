"""Multiscale PixelCNN: a small base image, then groups of pixels at once, O(log N) (Reed et al.
2017, section 3)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from pixelpush.errors import InputError
from pixelpush.image.conditioning import Condition, ConditionEncoder, Encoded
from pixelpush.image.config import ImageConfig, check_scales
from pixelpush.image.gated_pixelcnn import GatedPixelCNNTrunk
from pixelpush.image.groups import subsample
from pixelpush.image.kinds import ImageKind
from pixelpush.image.layers import Layers
from pixelpush.image.model import ImageModel, ImageSample
from pixelpush.image.multiscale_presets import PRESETS
from pixelpush.image.noise import Generators
from pixelpush.image.pyramid import Pyramid
from pixelpush.image.raster import RasterDecoder
from pixelpush.image.upscalers import GroupSettings, TypeAUpscaler, TypeBUpscaler, Upscaler
from pixelpush.settings import check_choice


@dataclass(frozen=True)
class MultiscalePixelCNNConfig(ImageConfig):
    """Sizes of a Multiscale PixelCNN: a base Gated PixelCNN and one upscaler per doubling.

    upscaler: 'A' or 'B'. channels: units everywhere (paper: 128, 256 on ImageNet). widening:
    factor on the units for each halving of the size; coarse layers cost little. base_layers: of
    the base PixelCNN. blocks: residual blocks of two layers in each group's network (paper: 12
    layers, 6 blocks). patch, patch_layers: of type B. crop: side of the random crops on which
    scales of twice that side and more are trained; 0 for none. shared_encoder_size: largest scale
    that shares the base's condition encoder; each larger one has its own. guess: weight of a lesson
    in training, in which the condition alone, without earlier pixels, guesses the base; 0: none.

    >>> MultiscalePixelCNNConfig("multiscale-pixelcnn", image_size=32).sizes
    (8, 16, 32)
    """

    MAY_BE_ZERO: ClassVar[tuple[str, ...]] = (*ImageConfig.MAY_BE_ZERO, "crop", "guess")

    base_size: int = 8
    base_layers: int = 15
    channels: int = 128
    widening: int = 1
    upscaler: Literal["A", "B"] = "B"
    blocks: int = 6
    patch: int = 4
    patch_layers: int = 4
    crop: int = 32
    shared_encoder_size: int = 32
    guess: float = 0.0

    def __post_init__(self):
        check_scales(self, self.base_size, 2)
        check_choice("upscaler", self.upscaler, ("A", "B"))
        upscales = self.base_size < self.image_size
        if self.upscaler == "B" and upscales and self.base_size % self.patch:
            raise InputError(
                f"base_size {self.base_size} must be a multiple of the patch ({self.patch} pixels)."
            )
        if self.shared_encoder_size < self.base_size:
            raise InputError(
                f"shared_encoder_size {self.shared_encoder_size} must be at least base_size "
                f"{self.base_size}: the base has no encoder of its own."
            )
        if self.crop % (2 * self.patch):
            raise InputError(
                f"crop {self.crop} must be a multiple of two patches ({2 * self.patch} pixels)."
            )
        super().__post_init__()
        if self.guess and not (self.classes or self.captions or self.structure):
            raise InputError("guess: a model without a condition has nothing to guess from; set 0.")

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sizes of the scales, from the base to the whole image."""
        doublings = (self.image_size // self.base_size).bit_length()
        return tuple(self.base_size << scale for scale in range(doublings))

    def width(self, scale: int) -> int:
        """Units of a scale's networks.

        >>> config = MultiscalePixelCNNConfig("multiscale-pixelcnn", channels=48, widening=2)
        >>> [config.width(scale) for scale in range(3)]
        [192, 96, 48]
        """
        return self.channels * self.widening ** (len(self.sizes) - 1 - scale)


class MultiscalePixelCNN(ImageModel):
    """A Gated PixelCNN on the ``base_size`` image and an upscaler per doubling.

    Only the whole image is quantised: smaller ones are its sub-samplings, so that the scales'
    likelihoods add up (``pyramid``).

    >>> from pixelpush.image import build_image_model
    >>> model = build_image_model("multiscale-pixelcnn", image_size=16, channels=4, base_layers=2)
    >>> model.upscale(torch.zeros(1, 3, 8, 8, dtype=torch.uint8)).images.shape
    torch.Size([1, 3, 16, 16])
    """

    config: MultiscalePixelCNNConfig

    def __init__(self, config: MultiscalePixelCNNConfig):
        super().__init__(config)
        c = config
        conditioning = self.conditioning.out_channels
        trunk = GatedPixelCNNTrunk(c.colours, c.width(0), c.base_layers, 3, conditioning)
        self.base = RasterDecoder(trunk, self.new_head(c.width(0)), c.colours)
        self.upscalers = Layers(
            self._upscaler(conditioning, c.width(scale)) for scale in range(1, len(c.sizes))
        )
        # encoders[0] serves every scale up to shared_encoder_size, the next ones a larger scale
        # each.
        larger = (
            [size for size in c.sizes if size > c.shared_encoder_size]
            if self.conditioning.used
            else []
        )
        self.encoders = Layers(ConditionEncoder(self.conditioning) for _ in range(1 + len(larger)))
        # Earlier pixels soon tell most of what a condition does, and leave it little gradient. A
        # guess without them needs every word.
        self.guess = self.new_head(conditioning) if c.guess else None

    def _upscaler(self, conditioning: int, width: int) -> Upscaler:
        c = self.config
        settings = GroupSettings(conditioning, c.colours, width, c.blocks)
        if c.upscaler == "A":
            return TypeAUpscaler(settings, lambda: self.new_head(width))
        return TypeBUpscaler(
            settings,
            lambda: self.new_head(width),
            patch=c.patch,
            patch_layers=c.patch_layers,
        )

    @property
    def pyramid(self) -> Pyramid:
        """The base and the upscalers, the coarsest first."""
        return Pyramid(self.base, [*self.upscalers])

    @property
    def evaluations(self) -> int:
        return self.pyramid.evaluations(self.config.base_size)

    def score(self, images: Tensor, condition: Condition) -> Tensor:
        return self.pyramid.log_prob(images, self._features(condition, len(images)))

    def draw(
        self, condition: Condition, uniforms: Tensor, temperature: float, cached: bool
    ) -> tuple[Tensor, Tensor]:
        features = self._features(condition, len(uniforms))
        return self.pyramid.sample(features, uniforms, temperature, cached=cached)

    @torch.no_grad()
    def upscale(
        self,
        images: Tensor,
        condition: Condition | None = None,
        generator: Generators = None,
        temperature: float = 1.0,
    ) -> ImageSample:
        """Super-resolution of smaller images to the model's full size.

        images: uint8 (N, C, s, s), s one of the model's sizes. Their pixels reappear as the
        sub-sampling of the result; their nats are zero. Raises InputError for other sizes and
        types."""
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
        features = self._features(condition, len(images))
        result, log_prob = self.pyramid.grow(
            images.to(self.device), score, features, uniforms, temperature
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
        """Return the loss over the given scales, in nats per sub-pixel that these scales predict.

        scales: sizes in pixels; empty for all. Scales of twice ``crop`` and more are trained on one
        random crop per batch; each scale is weighted by the pixels that it predicts in the whole
        image, so that the loss over all scales estimates the image's nats per sub-pixel. Every
        scale's own figure is reported as ``nats_per_subpixel_<size>``. Without the base among the
        scales, the encoder that it shares gets no gradient: what the base has learnt stays."""
        self.check_images(images)
        chosen = [self.config.sizes.index(size) for size in self._checked(scales)]
        condition = self.conditioning.check(condition, len(images)).to(self.device)
        left = self.conditioning.dropped(condition)
        features = self._features(left, len(images), keeps_shared=0 not in chosen)
        images = images.to(self.device)
        # loss = sum over s of n_s L_s / sum of n_s. n_s: pixels that scale s predicts, all of the
        # base and three of four of a larger scale. L_s: its nats per sub-pixel.
        total = images.new_zeros((), dtype=torch.float32)
        pixels = 0
        report = {}
        for scale in chosen:
            size = self.config.sizes[scale]
            predicted = size * size if scale == 0 else size * size * 3 // 4
            nats = -self._scale_mean(images, features, scale) / self.config.colours
            report[f"nats_per_subpixel_{size}"] = nats.detach()
            total = total + nats * predicted
            pixels = pixels + predicted
        nats = total / pixels
        loss = nats
        if self.guess is not None and 0 in chosen:
            guessed = self._guessed(images, features)
            report["nats_per_subpixel_guess"] = guessed.detach()
            loss = loss + self.config.guess * guessed * (self.config.base_size**2 / pixels)
        return {"loss": loss, "nats_per_subpixel": nats.detach(), **report}

    def forward(
        self, images: Tensor, condition: Condition | None = None, scales: Sequence[int] = ()
    ) -> dict[str, Tensor]:
        return self.training_loss(images, condition, scales)

    def _guessed(self, images: Tensor, features: Callable[[int], Tensor | None]) -> Tensor:
        """Nats per sub-pixel of the base image by the condition alone."""
        conditioning = features(0)
        assert self.guess is not None
        assert conditioning is not None
        small = self._at(images, self.config.base_size)
        return -self.guess(conditioning).log_prob(small).mean() / self.config.colours

    def _checked(self, scales: Sequence[int]) -> list[int]:
        unknown = set(scales) - set(self.config.sizes)
        if unknown:
            raise InputError(
                f"scale {min(unknown)} is none of {', '.join(map(str, self.config.sizes))}."
            )
        return sorted(scales or self.config.sizes)

    def _scale_mean(
        self, images: Tensor, features: Callable[[int], Tensor | None], scale: int
    ) -> Tensor:
        """Mean log-probability per predicted pixel of one scale, on a random crop where the scale
        is large."""
        image = self._at(images, self.config.sizes[scale])
        conditioning = features(scale)
        if scale == 0:
            return self.base.log_prob(image, conditioning).mean()
        assert conditioning is not None, "an upscaler takes a map, if of no channels"
        crop = self.config.crop
        size = image.shape[3]
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
        # bit_length() - 1 is log2 of the ratio, a power of two.
        return subsample(images, (self.config.image_size // size).bit_length() - 1)

    def _features(
        self, condition: Condition, count: int, keeps_shared: bool = False
    ) -> Callable[[int], Tensor | None]:
        """Conditioning of ``count`` images by scale, as a pyramid asks for it.

        The base's lies on its own grid, an upscaler's on its groups', with zero channels where
        there is no condition. Every encoder runs once; keeps_shared: the base's gets no
        gradient."""
        sizes = self.config.sizes
        shared = sum(size <= self.config.shared_encoder_size for size in sizes)

        @functools.cache
        def encoded(number: int) -> Encoded:
            return self.encoders[number](condition)

        def features(scale: int) -> Tensor | None:
            number = max(scale - shared + 1, 0) if self.conditioning.used else 0
            grid = sizes[scale] // 2 if scale else sizes[0]
            learns = torch.is_grad_enabled() and not (keeps_shared and number == 0)
            with torch.set_grad_enabled(learns):
                conditioning = encoded(number).on_grid(grid, grid)
            if scale and conditioning is None:
                return torch.zeros(count, 0, grid, grid, device=self.device)
            return conditioning

        return features


KIND = ImageKind(
    name="multiscale-pixelcnn",
    label="Multiscale PixelCNN",
    config=MultiscalePixelCNNConfig,
    build=MultiscalePixelCNN,
    distribution="softmax",
    presets=PRESETS,
)
