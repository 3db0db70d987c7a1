"""Gated PixelCNN: a vertical and a horizontal stack, without a blind spot (van den Oord et al.
2016b)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelpush.errors import InputError
from pixelpush.image.causal import CausalConv2d, PixelCache, RowCache, pointwise
from pixelpush.image.config import ImageConfig
from pixelpush.image.kinds import CIFAR, DOWNSAMPLED, MNIST, SMALL_CIFAR, ImageKind, ImagePreset
from pixelpush.image.layers import Layers
from pixelpush.image.model import RasterModel
from pixelpush.image.pixels import to_unit
from pixelpush.image.raster import RasterTrunk
from pixelpush.published import cifar10_words, imagenet_words


@dataclass(frozen=True)
class GatedPixelCNNConfig(ImageConfig):
    """Sizes of a Gated PixelCNN.

    channels: p, the width of both stacks.

    >>> GatedPixelCNNConfig("gated-pixelcnn", channels=16).kernel
    3
    """

    channels: int = 128
    layers: int = 15
    kernel: int = 3
    first_kernel: int = 7


def gate(values: Tensor) -> Tensor:
    """Return tanh(first half) * sigmoid(second half) of the channels (equation 2).

    >>> gate(torch.zeros(1, 4)).tolist()
    [[0.0, 0.0]]
    """
    content, opening = values.chunk(2, dim=1)
    return torch.tanh(content) * torch.sigmoid(opening)


class GatedLayer(nn.Module):
    """One layer of figure 2: a vertical and a horizontal stack.

    The first layer sees rows above and pixels to the left only, and has no residual connection.

    >>> layer = GatedLayer(inputs=4, channels=4, kernel=3, conditioning=0)
    >>> vertical, horizontal = layer(torch.zeros(1, 4, 5, 5), torch.zeros(1, 4, 5, 5), None)
    >>> horizontal.shape
    torch.Size([1, 4, 5, 5])
    """

    def __init__(
        self, inputs: int, channels: int, kernel: int, conditioning: int, first: bool = False
    ):
        super().__init__()
        reach = kernel // 2
        # The first layer sees the reach rows above. Later ones read features, which hold earlier
        # pixels only, so that their window may end at the present position.
        rows = reach if first else reach + 1
        self.vertical = CausalConv2d(inputs, 2 * channels, (rows, kernel), "down", shifted=first)
        self.horizontal = CausalConv2d(inputs, 2 * channels, (1, rows), "right", shifted=first)
        self.across = nn.Conv2d(2 * channels, 2 * channels, 1)
        self.leave = nn.Conv2d(channels, channels, 1)
        self.condition = nn.Conv2d(conditioning, 4 * channels, 1) if conditioning else None
        self.first = first
        for layer in (self.vertical, self.horizontal):
            # A gate halves small signals; twice the usual gain keeps the vertical stack, which has
            # no residual, alive.
            nn.init.normal_(layer.weight, std=2 / math.sqrt(layer.weight[0].numel()))

    def condition_halves(
        self, conditioning: Tensor | None
    ) -> tuple[Tensor, Tensor] | tuple[float, float]:
        """The conditioning's terms of the vertical and the horizontal gates (equation 4)."""
        if self.condition is None or conditioning is None:
            return 0.0, 0.0
        vertical, horizontal = self.condition(conditioning).chunk(2, dim=1)
        return vertical, horizontal

    def join(self, vertical: Tensor, conditioning: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return (next vertical features, the term of the horizontal gates).

        vertical: the vertical convolution's output."""
        # Figure 2: vertical features enter the horizontal gates through a 1x1, before they pass a
        # gate of their own.
        for_vertical, for_horizontal = self.condition_halves(conditioning)
        return gate(vertical + for_vertical), self.across(vertical) + for_horizontal

    def forward(
        self, vertical: Tensor, horizontal: Tensor, conditioning: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        following, term = self.join(self.vertical(vertical), conditioning)
        output = self.leave(gate(self.horizontal(horizontal) + term))
        return following, output if self.first else horizontal + output


@dataclass
class GatedCache:
    """What a Gated PixelCNN remembers while sampling.

    rows: previous vertical rows of layers 2..L. pixels: previous horizontal pixels. terms: (N, 2c,
    W) per layer.

    >>> trunk = GatedPixelCNNTrunk(in_colours=3, channels=4, layers=3)
    >>> len(trunk.start(torch.zeros(1, 3, 8, 8, dtype=torch.uint8)).rows)
    2
    """

    conditioning: Tensor | None
    rows: list[RowCache]
    pixels: list[PixelCache]
    terms: list[Tensor]


class GatedPixelCNNTrunk(RasterTrunk):
    """``layers`` gated layers of width ``channels``; the first sees no present pixel.

    first_kernel: of the first layer. conditioning_channels: D of a conditioning map (N, D, H, W)
    that biases every layer; 0 for none. A class or text vector comes as a constant map.

    >>> trunk = GatedPixelCNNTrunk(in_colours=3, channels=4, layers=2)
    >>> trunk(torch.zeros(1, 3, 8, 8, dtype=torch.uint8)).shape
    torch.Size([1, 4, 8, 8])
    """

    cached = True

    def __init__(
        self,
        in_colours: int,
        channels: int,
        layers: int,
        kernel: int = 3,
        conditioning_channels: int = 0,
        first_kernel: int = 7,
    ):
        super().__init__()
        if min(kernel, first_kernel) < 3 or kernel % 2 == 0 or first_kernel % 2 == 0:
            raise InputError(
                f"a gated PixelCNN needs odd kernels of 3 or more, got {first_kernel} and {kernel}."
            )
        self.layers = Layers(
            GatedLayer(
                channels if index else in_colours,
                channels,
                kernel if index else first_kernel,
                conditioning_channels,
                first=index == 0,
            )
            for index in range(layers)
        )
        self.channels = self.out_channels = channels

    def forward(self, image: Tensor, conditioning: Tensor | None = None) -> Tensor:
        vertical = horizontal = self._enter(image)
        for layer in self.layers:
            vertical, horizontal = layer(vertical, horizontal, conditioning)
        return F.relu(horizontal)

    def start(self, image: Tensor, conditioning: Tensor | None = None) -> GatedCache:
        width = image.shape[3]
        like = self.layers[0].vertical.weight.new_zeros(len(image))
        later = self.layers[1:]
        return GatedCache(
            conditioning,
            [RowCache.start(layer.vertical, like, width) for layer in later],
            [PixelCache.start(layer.horizontal, like, width) for layer in later],
            [],
        )

    def step(
        self, cache: GatedCache, image: Tensor, row: int, column: int
    ) -> tuple[Tensor, GatedCache]:
        if column == 0:
            self._begin_row(cache, image, row)
        first = self.layers[0]
        reach = first.horizontal.kernel_size[1]
        # Only the window's pixels are converted; the later ones of the row are not known yet.
        known = self._enter(image[:, :, row : row + 1, max(column - reach, 0) : column + 1])
        hidden = first.horizontal.at_pixel(known, 0, min(column, reach))
        values = pointwise(first.leave, gate(hidden + cache.terms[0][:, :, column]))
        for layer, pixels, terms in zip(
            self.layers[1:], cache.pixels, cache.terms[1:], strict=True
        ):
            pixels.push(values, column)
            values = values + pointwise(
                layer.leave, gate(pixels.output(column) + terms[:, :, column])
            )
        return F.relu(values), cache

    def _begin_row(self, cache: GatedCache, image: Tensor, row: int) -> None:
        """Run the vertical stack for one row; keep each layer's term for the horizontal gates."""
        here = None if cache.conditioning is None else cache.conditioning[:, :, row : row + 1]
        reach = self.layers[0].vertical.kernel_size[0]
        known = self._enter(image[:, :, max(row - reach, 0) : row + 1])
        vertical = self.layers[0].vertical.at_row(known, min(row, reach))
        cache.terms = []
        for index, layer in enumerate(self.layers):
            if index:
                cache.rows[index - 1].push(vertical)
                vertical = cache.rows[index - 1].output()
                cache.pixels[index - 1].next_row()
            vertical, term = layer.join(vertical, here)
            cache.terms.append(term[:, :, 0])

    def _enter(self, image: Tensor) -> Tensor:
        return to_unit(image).to(self.layers[0].vertical.weight.dtype)


def build(c: GatedPixelCNNConfig) -> RasterModel:
    """Return a new Gated PixelCNN.

    >>> build(GatedPixelCNNConfig("gated-pixelcnn", image_size=8, channels=4, layers=1)).evaluations
    192
    """
    return RasterModel(
        c,
        lambda conditioning: GatedPixelCNNTrunk(
            c.colours, c.channels, c.layers, c.kernel, conditioning, c.first_kernel
        ),
    )


# van den Oord et al. 2016b, section 3.1: 20 layers of 384 units, 5x5 filters, on ImageNet without
# classes (table 2).
_PAPER_IMAGENET = {**CIFAR, "channels": 384, "layers": 20, "kernel": 5}
_OURS = ("the top: a hidden layer of 1024 for each colour, as in PixelRNN",)
KIND = ImageKind(
    name="gated-pixelcnn",
    label="Gated PixelCNN",
    config=GatedPixelCNNConfig,
    build=build,
    distribution="softmax",
    presets={
        "paper-imagenet32-gated-pixelcnn": ImagePreset(
            _PAPER_IMAGENET,
            "paper-gated",
            DOWNSAMPLED.format(32),
            expected=imagenet_words("PixelCNN", 32),
            ours=_OURS,
        ),
        "paper-imagenet64-gated-pixelcnn": ImagePreset(
            {**_PAPER_IMAGENET, "image_size": 64},
            "paper-gated",
            DOWNSAMPLED.format(64),
            expected=imagenet_words("PixelCNN", 64),
            ours=(*_OURS, "the sizes are those of the model of 32x32 pixels"),
        ),
        "paper-cifar-gated-pixelcnn": ImagePreset(
            {**CIFAR, "channels": 128, "layers": 15},
            "paper-pixelrnn",
            "cifar10",
            expected=cifar10_words("Gated PixelCNN"),
            ours=(*_OURS, "sizes and batch: those of PixelCNN on CIFAR-10"),
        ),
        "mnist-small-gated-pixelcnn": ImagePreset(
            {**MNIST, "channels": 24, "layers": 5}, "small", "mnist"
        ),
        "cifar-small-gated-pixelcnn": ImagePreset(
            {**SMALL_CIFAR, "channels": 32, "layers": 6}, "small", "cifar10"
        ),
    },
)
