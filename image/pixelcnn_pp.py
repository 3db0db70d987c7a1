"""PixelCNN++ (Salimans et al. 2017): two streams over three scales, with short-cuts from the way
down to the way up.

The upper stream ('above') sees the rows above a pixel, the lower one ('before') also the pixels to
its left. Unlike the published code, a shifted first convolution is computed from a padded input
instead of being shifted afterwards, so that the first row and column get the bias as every other
one does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelpush.errors import InputError
from pixelpush.image.config import ImageConfig
from pixelpush.image.kinds import MNIST, ImageKind, ImagePreset
from pixelpush.image.layers import Layers
from pixelpush.image.model import RasterModel
from pixelpush.image.pixelcnn_pp_cache import PixelCNNPPCache
from pixelpush.image.pixels import mark_inside
from pixelpush.image.raster import RasterTrunk
from pixelpush.image.weight_norm import NormedConv2d, NormedTranspose2d
from pixelpush.published import cifar10_words

Step = Callable[[Tensor], Tensor]


def concat_elu(values: Tensor) -> Tensor:
    """Return the ELU of the values and of their negatives: twice the channels.

    >>> concat_elu(torch.zeros(1, 2, 3, 3)).shape
    torch.Size([1, 4, 3, 3])
    """
    return F.elu(torch.cat((values, -values), dim=1))


@dataclass(frozen=True)
class PixelCNNPPConfig(ImageConfig):
    """Sizes of a PixelCNN++; the defaults are the paper's.

    resnets: gated resnets per scale on the way down; there is one more on the way back at every
    scale but the smallest.

    >>> PixelCNNPPConfig("pixelcnn++", filters=32, dropout=0.0).scales
    3
    """

    MAY_BE_ZERO: ClassVar[tuple[str, ...]] = (*ImageConfig.MAY_BE_ZERO, "dropout")
    NORMED_OUTPUT: ClassVar[bool] = True

    filters: int = 160
    resnets: int = 5
    scales: int = 3
    dropout: float = 0.5

    def __post_init__(self):
        if not 0 <= self.dropout < 1:
            raise InputError(f"dropout must be in [0, 1), got {self.dropout}.")
        if self.image_size % 2 ** (self.scales - 1):
            raise InputError(
                f"images of {self.image_size} pixels do not halve {self.scales - 1} times."
            )
        super().__post_init__()


class GatedResnet(nn.Module):
    """A gated residual block that takes a short-cut and the conditioning.

        x + a * sigmoid(b),   (a, b) two convolutions deep

    direction: 'down' for the upper stream, 'right' for the lower one. short_cut: its channels, 0
    for none.

    >>> block = GatedResnet(filters=4, direction="down", short_cut=0, conditioning=0, dropout=0.0)
    >>> block(torch.zeros(1, 4, 5, 5), None, None).shape
    torch.Size([1, 4, 5, 5])
    """

    def __init__(
        self, filters: int, direction: str, short_cut: int, conditioning: int, dropout: float
    ):
        super().__init__()
        kernel = (2, 3) if direction == "down" else (2, 2)
        self.first = NormedConv2d(2 * filters, filters, kernel, direction)
        self.across = NormedConv2d(2 * short_cut, filters) if short_cut else None
        self.dropout = nn.Dropout(dropout)
        # A small initial scale: a new block is nearly the identity (published code).
        self.second = NormedConv2d(2 * filters, 2 * filters, kernel, direction, init_scale=0.1)
        self.condition = (
            nn.Conv2d(conditioning, 2 * filters, 1, bias=False) if conditioning else None
        )

    def term(self, conditioning: Tensor | None) -> Tensor | None:
        """What the conditioning adds before the gate."""
        return (
            None if self.condition is None or conditioning is None else self.condition(conditioning)
        )

    def combine(
        self,
        inputs: Tensor,
        short_cut: Tensor | None,
        term: Tensor | None,
        first: Step,
        across: Step,
        second: Step,
    ) -> Tensor:
        """Compute the block, given how to apply its three convolutions.

        They are applied to a whole map, a row or a pixel."""
        hidden = first(concat_elu(inputs))
        if short_cut is not None:
            hidden = hidden + across(concat_elu(short_cut))
        hidden = second(self.dropout(concat_elu(hidden)))
        content, opening = (hidden if term is None else hidden + term).chunk(2, dim=1)
        return inputs + content * torch.sigmoid(opening)

    def forward(
        self, inputs: Tensor, short_cut: Tensor | None, conditioning: Tensor | None
    ) -> Tensor:
        across = self.across or nn.Identity()
        return self.combine(
            inputs, short_cut, self.term(conditioning), self.first, across, self.second
        )


class Scale(nn.Module):
    """The resnets of one scale, on the way down and on the way back.

    The published code calls them the up pass and the down pass.

    >>> len(Scale(filters=4, down=2, back=3, conditioning=0, dropout=0.0).back_above)
    3
    """

    def __init__(self, filters: int, down: int, back: int, conditioning: int, dropout: float):
        super().__init__()

        def stack(count: int, direction: str, short_cut: int) -> Layers[GatedResnet]:
            return Layers(
                GatedResnet(filters, direction, short_cut, conditioning, dropout)
                for _ in range(count)
            )

        self.down_above = stack(down, "down", 0)
        self.down_before = stack(down, "right", filters)
        self.back_above = stack(back, "down", filters)
        self.back_before = stack(back, "right", 2 * filters)


class PixelCNNPPTrunk(RasterTrunk):
    """``scales`` scales of ``resnets`` gated resnets at ``filters`` width.

    Height and width are multiples of 2^(scales - 1). conditioning_channels: D of a conditioning map
    (N, D, H, W), sub-sampled for the smaller scales; 0 for none.

    >>> trunk = PixelCNNPPTrunk(in_colours=3, filters=4, resnets=1, dropout=0.0)
    >>> trunk(torch.zeros(1, 3, 8, 8, dtype=torch.uint8)).shape
    torch.Size([1, 4, 8, 8])
    """

    cached = True

    def __init__(
        self,
        in_colours: int,
        filters: int,
        resnets: int = 5,
        scales: int = 3,
        dropout: float = 0.5,
        conditioning_channels: int = 0,
    ):
        super().__init__()
        inputs = in_colours + 1  # a channel of ones marks what is image and what is padding
        self.enter_above = NormedConv2d(inputs, filters, (2, 3), "down", shifted=True)
        self.before_above = NormedConv2d(inputs, filters, (1, 3), "down", shifted=True)
        self.before_left = NormedConv2d(inputs, filters, (2, 1), "right", shifted=True)
        self.scales = Layers(
            Scale(filters, resnets, resnets + (scale < scales - 1), conditioning_channels, dropout)
            for scale in range(scales)
        )
        self.shrink_above = Layers(
            NormedConv2d(filters, filters, (2, 3), "down", stride=2) for _ in range(scales - 1)
        )
        self.shrink_before = Layers(
            NormedConv2d(filters, filters, (2, 2), "right", stride=2) for _ in range(scales - 1)
        )
        self.grow_above = Layers(
            NormedTranspose2d(filters, filters, "down") for _ in range(scales - 1)
        )
        self.grow_before = Layers(
            NormedTranspose2d(filters, filters, "right") for _ in range(scales - 1)
        )
        self.out_channels = filters
        self.size_multiple = 2 ** (scales - 1)

    def forward(self, image: Tensor, conditioning: Tensor | None = None) -> Tensor:
        pixels = mark_inside(image).to(self.enter_above.weight.dtype)
        conditions = [
            None if conditioning is None else conditioning[..., :: 2**s, :: 2**s]
            for s in self._depths()
        ]
        aboves = [self.enter_above(pixels)]
        befores = [self.before_above(pixels) + self.before_left(pixels)]
        for depth, (scale, condition) in enumerate(zip(self.scales, conditions, strict=True)):
            if depth:
                aboves.append(self.shrink_above[depth - 1](aboves[-1]))
                befores.append(self.shrink_before[depth - 1](befores[-1]))
            for above, before in zip(scale.down_above, scale.down_before, strict=True):
                aboves.append(above(aboves[-1], None, condition))
                befores.append(before(befores[-1], aboves[-1], condition))
        # The lists are stacks: a block on the way back takes the latest output of the way down that
        # no block has taken yet, as in the published code.
        upper = aboves.pop()
        lower = befores.pop()
        for depth in reversed(self._depths()):
            scale = self.scales[depth]
            condition = conditions[depth]
            for above, before in zip(scale.back_above, scale.back_before, strict=True):
                upper = above(upper, aboves.pop(), condition)
                lower = before(lower, torch.cat((upper, befores.pop()), dim=1), condition)
            if depth:
                upper = self.grow_above[depth - 1](upper)
                lower = self.grow_before[depth - 1](lower)
        return F.elu(lower)

    def _depths(self) -> range:
        return range(len(self.scales))

    def start(self, image: Tensor, conditioning: Tensor | None = None) -> PixelCNNPPCache:
        return PixelCNNPPCache.start(self, image, conditioning)

    def step(
        self, cache: PixelCNNPPCache, image: Tensor, row: int, column: int
    ) -> tuple[Tensor, PixelCNNPPCache]:
        if column == 0:
            cache.begin_row(image, row)
        return cache.pixel(image, row, column), cache


def build(c: PixelCNNPPConfig) -> RasterModel:
    """Return a new PixelCNN++.

    >>> build(PixelCNNPPConfig("pixelcnn++", image_size=8, filters=4, resnets=1)).evaluations
    192
    """
    return RasterModel(
        c,
        lambda conditioning: PixelCNNPPTrunk(
            c.colours, c.filters, c.resnets, c.scales, c.dropout, conditioning
        ),
    )


_LOGISTIC = {"distribution": "logistic"}
KIND = ImageKind(
    name="pixelcnn++",
    label="PixelCNN++",
    config=PixelCNNPPConfig,
    build=build,
    distribution="logistic",
    presets={
        "paper-cifar-pixelcnn++": ImagePreset(
            _LOGISTIC, "paper-pixelcnn++", "cifar10", expected=cifar10_words("PixelCNN++")
        ),
        "mnist-small-pixelcnn++": ImagePreset(
            {**MNIST, "filters": 16, "resnets": 1, "dropout": 0.0}, "small", "mnist"
        ),
        # One seed, one core; docs/experiments-images.md has the settings.
        "cifar-small-pixelcnn++": ImagePreset(
            {**_LOGISTIC, "filters": 32, "resnets": 1, "dropout": 0.0},
            "small",
            "cifar10",
            minutes="16 for 36,000 examples",
            expected="3.47 bits/dim on 1,000 test images of CIFAR-10",
        ),
        "cifar-gpu-pixelcnn++": ImagePreset(
            {**_LOGISTIC, "filters": 96, "resnets": 3}, "gpu", "cifar10"
        ),
    },
)
