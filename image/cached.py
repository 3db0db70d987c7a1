"""Sampling a masked convolutional network without running it on the whole image for every pixel.

Every masked convolution keeps its input activations; a new position costs one small matrix product
from its cached neighbours. Positions that cannot see each other may be computed together: through
3x3 raster masks a pixel sees (row - 1, column + 1) at the furthest, at every depth, so all pixels
with equal column + 2 row are independent given the earlier ones. This wavefront is exact and takes
W + 2 (H - 1) steps instead of H W."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelpush.image.layers import MaskedConv2d, ResidualBlock, ResidualMultiplicativeBlock


class Positions(NamedTuple):
    """Pixels that are sampled together.

    rows, columns: int64 (P,), on the sampler's device, so that no step copies an index to it.
    height, width: of the image that they lie in.

    >>> raster_order(1, 2)[1].columns.tolist()
    [1]
    """

    rows: Tensor
    columns: Tensor
    height: int
    width: int


def raster_order(height: int, width: int, device: torch.device | None = None) -> list[Positions]:
    """Return one pixel at a time, in raster order.

    >>> [(int(here.rows), int(here.columns)) for here in raster_order(1, 2)]
    [(0, 0), (0, 1)]
    """
    return _in_order(torch.arange(height * width), height, width, device)


def wavefront_order(height: int, width: int, device: torch.device | None = None) -> list[Positions]:
    """Return all pixels with the same column + 2 row together, in increasing order.

    >>> [here.rows.tolist() for here in wavefront_order(2, 3)]
    [[0], [0], [0, 1], [1], [1]]
    """
    places = torch.arange(height * width)
    return _in_order(places % width + 2 * (places // width), height, width, device)


def _in_order(
    turns: Tensor, height: int, width: int, device: torch.device | None
) -> list[Positions]:
    """Group pixels by their turn; turns: (height * width), in raster order, on the CPU."""
    places = turns.argsort(stable=True)
    counts = [count for count in turns.bincount().tolist() if count]
    rows = (places // width).to(device).split(counts)
    columns = (places % width).to(device).split(counts)
    return [Positions(*pair, height, width) for pair in zip(rows, columns, strict=True)]


class ConvolutionCache:
    """The input activations of one masked convolution while an image is sampled.

    The image is zero-padded as the layer pads. Values are (batch * positions, channels), batch
    slowest. The capacity is one image; positions of a larger one raise IndexError.

    >>> layer = MaskedConv2d(2, 3, 3, "B")
    >>> cache = ConvolutionCache(layer, batch=1, height=4, width=4)
    >>> cache(torch.ones(1, 2), raster_order(4, 4)[0]).shape
    torch.Size([1, 3])
    """

    def __init__(self, layer: MaskedConv2d, batch: int, height: int, width: int):
        weight = layer.weight.detach()
        self.height = height
        self.width = width
        self.batch = batch
        self.reach = int(layer.padding[0])
        self.stride = width + 2 * self.reach
        self.rows = weight.new_zeros(batch, (height + self.reach) * self.stride, layer.in_channels)
        # What the mask lets through comes first in the kernel's raster order. Counted here and not
        # read from the mask, which would stall a GPU.
        taps = torch.arange(layer.taps, device=weight.device)
        side = layer.kernel_size[0]
        centre = side // 2
        dilation = int(layer.dilation[0])
        # All padded rows lie one after another in ``rows``, so a tap is a constant offset from its
        # position. A tap left of the image falls into the padding at the end of the row above.
        self.offsets = dilation * ((taps // side - centre) * self.stride + taps % side - centre)
        # (out, taps x in), in the order in which ``read`` flattens the taps.
        self.matrix = weight.flatten(2)[:, :, : layer.taps].permute(0, 2, 1).flatten(1).contiguous()
        self.bias = layer.bias

    def write(self, values: Tensor, here: Positions) -> None:
        """Store the layer's input at these positions."""
        by_image = values.unflatten(0, (self.batch, -1))
        self.rows[:, self._index(here)] = by_image.to(self.rows.dtype)

    def read(self, here: Positions) -> Tensor:
        """The layer's output at these positions, from what has been written."""
        index = self._index(here)[:, None] + self.offsets
        taps = self.rows[:, index].flatten(2).flatten(0, 1)
        return F.linear(taps, self.matrix, self.bias)

    def __call__(self, values: Tensor, here: Positions) -> Tensor:
        """Store, then compute (mask B: the present position is seen)."""
        self.write(values, here)
        return self.read(here)

    def _index(self, here: Positions) -> Tensor:
        if here.height > self.height or here.width > self.width:
            raise IndexError(f"the cache holds {self.height}x{self.width} positions")
        return (here.rows + self.reach) * self.stride + here.columns + self.reach


class BlockCaches:
    """Caches of every masked convolution of ``layers.block_stack(..., causal=True)``.

    >>> from pixelpush.image.layers import block_stack
    >>> caches = BlockCaches(block_stack("residual", 2, 3, causal=True), batch=1, height=4, width=4)
    >>> len(caches.caches)
    6
    """

    def __init__(self, blocks: nn.Sequential, batch: int, height: int, width: int):
        self.blocks = blocks
        self.caches = {
            layer: ConvolutionCache(layer, batch, height, width)
            for layer in blocks.modules()
            if isinstance(layer, MaskedConv2d)
        }

    def __call__(self, values: Tensor, here: Positions) -> Tensor:
        """The stack's output (batch * positions, channels) at these positions."""
        for block in self.blocks:
            if isinstance(block, ResidualMultiplicativeBlock):
                values = self._multiplicative(block, values, here)
            else:
                assert isinstance(block, ResidualBlock)
                values = self._residual(block, values, here)
        return values

    def _multiplicative(self, block, values: Tensor, here: Positions) -> Tensor:
        hidden = _pointwise(block.down, values)
        for unit in block.units:
            hidden = unit.combine(hidden, self.caches[unit.convolution](hidden, here))
        return values + _pointwise(block.up, hidden)

    def _residual(self, block, values: Tensor, here: Positions) -> Tensor:
        hidden = self.caches[block.first](F.silu(values), here)
        return values + self.caches[block.second](F.silu(hidden), here)


def _pointwise(layer: nn.Conv2d, values: Tensor) -> Tensor:
    return F.linear(values, layer.weight[:, :, 0, 0], layer.bias)
