"""PixelCNN: masked convolutions in residual blocks (van den Oord et al. 2016a, section 3.5 and
table 1)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelpush.image.causal import PixelCache, crop, pointwise
from pixelpush.image.config import ImageConfig
from pixelpush.image.kinds import CIFAR, MNIST, SMALL_CIFAR, ImageKind, ImagePreset
from pixelpush.image.layers import Layers, MaskedConv2d
from pixelpush.image.model import RasterModel
from pixelpush.image.pixels import to_unit
from pixelpush.image.raster import RasterTrunk
from pixelpush.published import cifar10_words, mnist_words


@dataclass(frozen=True)
class PixelCNNConfig(ImageConfig):
    """Sizes of a PixelCNN; the defaults are the paper's for CIFAR-10.

    channels: h, half the width between blocks. hidden: width of the 1x1 layer on top; the paper's
    is 1024, and 32 on MNIST.

    >>> PixelCNNConfig("pixelcnn", channels=16).layers
    15
    """

    channels: int = 128
    layers: int = 15
    kernel: int = 3
    first_kernel: int = 7
    hidden: int = 1024


class PixelCNNBlock(nn.Module):
    """The residual block of figure 5 (left), with its way to the output.

    ReLU, 1x1 from 2h to h, ReLU, masked convolution (B), ReLU, 1x1 back to 2h, plus the input.
    ``skip`` is the layer-to-output connection.

    >>> block = PixelCNNBlock(channels=2, kernel=3, conditioning=0)
    >>> block(torch.zeros(1, 4, 5, 5), None)[0].shape
    torch.Size([1, 4, 5, 5])
    """

    def __init__(self, channels: int, kernel: int, conditioning: int):
        super().__init__()
        self.down = nn.Conv2d(2 * channels, channels, 1)
        self.masked = MaskedConv2d(channels, channels, kernel, "B")
        self.up = nn.Conv2d(channels, 2 * channels, 1)
        self.skip = nn.Conv2d(channels, 2 * channels, 1)
        self.condition = nn.Conv2d(conditioning, channels, 1) if conditioning else None

    def term(self, conditioning: Tensor | None) -> Tensor | float:
        """What the conditioning adds to the masked convolution's output."""
        return (
            0.0 if self.condition is None or conditioning is None else self.condition(conditioning)
        )

    def forward(self, inputs: Tensor, conditioning: Tensor | None) -> tuple[Tensor, Tensor]:
        hidden = self.masked(F.relu(self.down(F.relu(inputs))))
        hidden = F.relu(hidden + self.term(conditioning))
        return inputs + self.up(hidden), self.skip(hidden)


@dataclass
class PixelCNNCache:
    """What a PixelCNN remembers while sampling: a cache per block, and the conditioning.

    >>> trunk = PixelCNNTrunk(in_colours=3, channels=2, layers=2, hidden=4)
    >>> len(trunk.start(torch.zeros(1, 3, 8, 8, dtype=torch.uint8)).pixels)
    2
    """

    conditioning: Tensor | None
    pixels: list[PixelCache]


class PixelCNNTrunk(RasterTrunk):
    """The trunk of table 1: a 7x7 convolution (mask A), residual blocks, a 1x1 layer.

    channels: h; between blocks there are 2h features. layers: blocks, whose outputs are summed.
    hidden: width of the 1x1 layer, with a ReLU before and after it. conditioning_channels: D of a
    conditioning map that biases every block; 0 for none.

    >>> trunk = PixelCNNTrunk(in_colours=3, channels=2, layers=2, hidden=4)
    >>> trunk(torch.zeros(1, 3, 8, 8, dtype=torch.uint8)).shape
    torch.Size([1, 4, 8, 8])
    """

    cached = True

    def __init__(
        self,
        in_colours: int,
        channels: int,
        layers: int,
        hidden: int,
        kernel: int = 3,
        conditioning_channels: int = 0,
        first_kernel: int = 7,
    ):
        super().__init__()
        self.enter = MaskedConv2d(in_colours, 2 * channels, first_kernel, "A")
        self.blocks = Layers(
            PixelCNNBlock(channels, kernel, conditioning_channels) for _ in range(layers)
        )
        self.leave = nn.Conv2d(2 * channels, hidden, 1)
        self.channels = channels
        self.out_channels = hidden

    def forward(self, image: Tensor, conditioning: Tensor | None = None) -> Tensor:
        values = self.enter(to_unit(image).to(self.enter.weight.dtype))
        total = torch.zeros_like(values)
        for block in self.blocks:
            values, skip = block(values, conditioning)
            total = total + skip
        return F.relu(self.leave(F.relu(total + values)))

    def start(self, image: Tensor, conditioning: Tensor | None = None) -> PixelCNNCache:
        like = self.enter.weight.new_zeros(len(image))
        caches = [PixelCache.start(block.masked, like, image.shape[3]) for block in self.blocks]
        return PixelCNNCache(conditioning, caches)

    def step(
        self, cache: PixelCNNCache, image: Tensor, row: int, column: int
    ) -> tuple[Tensor, PixelCNNCache]:
        values = self._enter_pixel(image, row, column)
        here = None
        if cache.conditioning is not None:
            here = cache.conditioning[:, :, row : row + 1, column : column + 1]
        total = torch.zeros_like(values)
        for block, pixels in zip(self.blocks, cache.pixels, strict=True):
            if column == 0:
                pixels.next_row()
            pixels.push(F.relu(pointwise(block.down, F.relu(values))), column)
            term = block.term(here)
            hidden = F.relu(
                pixels.output(column) + (term[:, :, 0, 0] if isinstance(term, Tensor) else term)
            )
            values = values + pointwise(block.up, hidden)
            total = total + pointwise(block.skip, hidden)
        return F.relu(pointwise(self.leave, F.relu(total + values))), cache

    def _enter_pixel(self, image: Tensor, row: int, column: int) -> Tensor:
        """The first convolution at one pixel, from the window around it."""
        reach = self.enter.kernel_size[0] // 2
        above = max(row - reach, 0)
        left = max(column - reach, 0)
        known = to_unit(image[:, :, above : row + 1, left : column + reach + 1]).to(
            self.enter.weight.dtype
        )
        window = crop(
            known, row - reach - above, row - above, column - reach - left, column + reach - left
        )
        # The window holds the rows to the present one. Values at later pixels, which are not
        # sampled yet, meet zeros of the mask.
        weight = (self.enter.weight * self.enter.mask)[:, :, : reach + 1]
        return F.linear(window.flatten(1), weight.flatten(1), self.enter.bias)


def build(c: PixelCNNConfig) -> RasterModel:
    """Return a new PixelCNN.

    >>> build(PixelCNNConfig("pixelcnn", image_size=8, channels=4, layers=1)).evaluations
    192
    """
    return RasterModel(
        c,
        lambda conditioning: PixelCNNTrunk(
            c.colours, c.channels, c.layers, c.hidden, c.kernel, conditioning, c.first_kernel
        ),
    )


# van den Oord et al. 2016a, section 4: sizes of the models on MNIST and CIFAR-10.
KIND = ImageKind(
    name="pixelcnn",
    label="PixelCNN",
    config=PixelCNNConfig,
    build=build,
    distribution="softmax",
    presets={
        "paper-mnist-pixelcnn": ImagePreset(
            {**MNIST, "channels": 16, "layers": 7, "hidden": 32},
            "paper-pixelrnn",
            "mnist",
            expected=mnist_words("PixelCNN"),
            ours=("7 layers of 16 units, those of the paper's Diagonal BiLSTM",),
        ),
        "paper-cifar-pixelcnn": ImagePreset(
            CIFAR, "paper-pixelrnn", "cifar10", expected=cifar10_words("PixelCNN")
        ),
        "mnist-small-pixelcnn": ImagePreset(
            {**MNIST, "channels": 16, "layers": 5, "hidden": 32}, "small", "mnist"
        ),
        "cifar-small-pixelcnn": ImagePreset(
            {**SMALL_CIFAR, "channels": 24, "layers": 5, "hidden": 64}, "small", "cifar10"
        ),
    },
)
