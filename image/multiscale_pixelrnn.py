"""Multi-Scale PixelRNN: a small image, then larger ones given it (van den Oord et al. 2016a,
section 3.6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from pixelpush.image.conditioning import Condition, ConditionEncoder
from pixelpush.image.config import check_scales
from pixelpush.image.groups import put_under
from pixelpush.image.kinds import CIFAR, DOWNSAMPLED, MNIST, SMALL_CIFAR, ImageKind, ImagePreset
from pixelpush.image.layers import Layers
from pixelpush.image.model import ImageModel
from pixelpush.image.pixelrnn import PixelRNNConfig, PixelRNNTrunk
from pixelpush.image.pixels import to_unit
from pixelpush.image.raster import Given, RasterDecoder
from pixelpush.published import imagenet_words
from pixelpush.settings import check_choice


@dataclass(frozen=True)
class MultiscalePixelRNNConfig(PixelRNNConfig):
    """Sizes of a chain of PixelRNNs.

    recurrence: 'row' or 'diagonal'. base_size: side of the smallest image. step: how many times
    larger each next one is.

    >>> MultiscalePixelRNNConfig("multiscale-pixelrnn", image_size=64, base_size=16).step
    4
    """

    recurrence: Literal["row", "diagonal"] = "row"
    base_size: int = 8
    step: int = 4

    def __post_init__(self):
        check_choice("recurrence", self.recurrence, ("row", "diagonal"))
        check_scales(self, self.base_size, self.step)
        super().__post_init__()


class Enlarger(nn.Sequential):
    """Transposed convolutions that turn a small image into larger features.

    The features are ``step`` times as large as the image; step is a power of 2.

    >>> Enlarger(colours=3, channels=4, step=4)(torch.zeros(1, 3, 2, 2)).shape
    torch.Size([1, 4, 8, 8])
    """

    def __init__(self, colours: int, channels: int, step: int):
        layers: list[nn.Module] = [nn.Conv2d(colours, channels, 3, padding=1), nn.ReLU()]
        for _ in range(step.bit_length() - 1):
            layers += [nn.ConvTranspose2d(channels, channels, 4, stride=2, padding=1), nn.ReLU()]
        super().__init__(*layers)


class MultiscalePixelRNN(ImageModel):
    """An unconditional PixelRNN on the smallest image and a conditional one per larger size.

    The smaller image is the sub-sampled larger one. A conditional network goes over the larger
    image pixel by pixel. The pixels that the smaller image already fixes are copied and cost
    nothing, so that the product over sizes is an exact likelihood of the largest image.

    >>> from pixelpush.image import build_image_model
    >>> sizes = {"image_size": 8, "base_size": 4, "step": 2}
    >>> model = build_image_model("multiscale-pixelrnn", channels=4, layers=1, hidden=8, **sizes)
    >>> model.sizes
    [4, 8]
    """

    config: MultiscalePixelRNNConfig

    def __init__(self, config: MultiscalePixelRNNConfig):
        super().__init__(config)
        self.sizes = [config.base_size]
        while self.sizes[-1] < config.image_size:
            self.sizes.append(self.sizes[-1] * config.step)
        self.encoder = ConditionEncoder(self.conditioning)
        self.base = self._decoder(self.conditioning.out_channels)
        larger = self.sizes[1:]
        self.enlargers = Layers(
            Enlarger(config.colours, config.channels, config.step) for _ in larger
        )
        self.decoders = Layers(
            self._decoder(self.conditioning.out_channels + config.channels) for _ in larger
        )

    def _decoder(self, conditioning: int) -> RasterDecoder:
        c = self.config
        trunk = PixelRNNTrunk(
            c.recurrence,
            c.colours,
            c.channels,
            c.layers,
            c.hidden,
            conditioning,
            c.residual,
            c.first_kernel,
        )
        return RasterDecoder(trunk, self.new_head(c.hidden), c.colours)

    @property
    def evaluations(self) -> int:
        base = self.base.evaluations(self.sizes[0], self.sizes[0])
        # Copied pixels are run through as well, to update the recurrent state.
        return base + sum(self.base.evaluations(size, size) for size in self.sizes[1:])

    def score(self, images: Tensor, condition: Condition) -> Tensor:
        encoded = self.encoder(condition)
        steps = [self.sizes[-1] // size for size in self.sizes]
        small = images[..., :: steps[0], :: steps[0]]
        score = self.base.log_prob(small, encoded.on_grid(*small.shape[2:]))
        for index, step in enumerate(steps[1:]):
            image = images[..., ::step, ::step]
            conditioning = self._beside(index, small, encoded.on_grid(*image.shape[2:]))
            larger = self.decoders[index].log_prob(image, conditioning)
            # log p(x_s | x_(s-1)) is the sum over the pixels that are new at this scale: scores at
            # copied ones are replaced by those of the smaller image.
            score = put_under(score, larger, self.config.step)
            small = image
        return score

    def draw(
        self, condition: Condition, uniforms: Tensor, temperature: float, cached: bool
    ) -> tuple[Tensor, Tensor]:
        encoded = self.encoder(condition)
        steps = [self.sizes[-1] // size for size in self.sizes]
        numbers = uniforms[..., :: steps[0], :: steps[0]]
        image, score = self.base.sample(
            encoded.on_grid(*numbers.shape[2:]), numbers, temperature, cached
        )
        for index, step in enumerate(steps[1:]):
            numbers = uniforms[..., ::step, ::step]
            given = self._spread(image)
            conditioning = self._beside(index, image, encoded.on_grid(*numbers.shape[2:]))
            image, larger = self.decoders[index].sample(
                conditioning, numbers, temperature, cached, given
            )
            score = put_under(score, larger, self.config.step)
        return image, score

    def _beside(self, index: int, small: Tensor, conditioning: Tensor | None) -> Tensor:
        features = self.enlargers[index](to_unit(small).to(next(self.parameters()).dtype))
        return features if conditioning is None else torch.cat((features, conditioning), dim=1)

    def _spread(self, small: Tensor) -> Given:
        step = self.config.step
        height, width = (step * side for side in small.shape[2:])
        image = small.new_zeros(*small.shape[:2], height, width)
        image[..., ::step, ::step] = small
        mask = torch.zeros(len(small), height, width, dtype=torch.bool, device=small.device)
        mask[..., ::step, ::step] = True
        return Given(image, mask)


KIND = ImageKind(
    name="multiscale-pixelrnn",
    label="Multi-Scale PixelRNN",
    config=MultiscalePixelRNNConfig,
    build=MultiscalePixelRNN,
    distribution="softmax",
    presets={
        "paper-imagenet64-multiscale-pixelrnn": ImagePreset(
            {
                **CIFAR,
                "image_size": 64,
                "base_size": 16,
                "channels": 512,
                "layers": 4,
                "residual": False,
            },
            "paper-pixelrnn-imagenet64",
            DOWNSAMPLED.format(64),
            expected=f"{imagenet_words('PixelRNN', 64)}, without the smaller image",
            ours=(
                "the smaller image: 16x16 pixels, enlarged by two transposed convolutions",
                "both networks have the sizes of the paper's single Row LSTM on 64x64 pixels",
            ),
        ),
        "mnist-small-multiscale-pixelrnn": ImagePreset(
            {**MNIST, "channels": 16, "layers": 2, "hidden": 32, "base_size": 7},
            "small-lstm",
            "mnist",
        ),
        "cifar-small-multiscale-pixelrnn": ImagePreset(
            {**SMALL_CIFAR, "channels": 24, "layers": 2, "hidden": 64}, "small-lstm", "cifar10"
        ),
    },
)
