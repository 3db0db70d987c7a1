"""Sampling a masked convolutional network without running it on the whole image for every pixel.

Every masked convolution keeps its input activations; a new position costs one small matrix product
from its cached neighbours. Positions that cannot see each other may be computed together: through
3x3 raster masks a pixel sees (row - 1, column + 1) at the furthest, at every depth, so all pixels
with equal column + 2 row are independent given the earlier ones. This wavefront is exact and takes
W + 2 (H - 1) steps instead of H W."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelpush.image.layers import MaskedConv2d, ResidualBlock, ResidualMultiplicativeBlock


def raster_order(height: int, width: int) -> list[tuple[Tensor, Tensor]]:
    """Return (rows, columns) of one pixel at a time, in raster order.

    >>> [(int(row), int(column)) for row, column in raster_order(1, 2)]
    [(0, 0), (0, 1)]
    """
    return [
        (torch.tensor([row]), torch.tensor([column]))
        for row in range(height)
        for column in range(width)
    ]


def wavefront_order(height: int, width: int) -> list[tuple[Tensor, Tensor]]:
    """Return (rows, columns) of all pixels with the same column + 2 row, in increasing order.

    >>> [rows.tolist() for rows, _ in wavefront_order(2, 3)]
    [[0], [0], [0, 1], [1], [1]]
    """
    order = []
    for front in range(width + 2 * (height - 1)):
        rows = torch.arange(height)
        columns = front - 2 * rows
        inside = (columns >= 0) & (columns < width)
        order.append((rows[inside], columns[inside]))
    return order


class ConvolutionCache:
    """The input activations of one masked convolution while an image is sampled.

    The image is zero-padded as the layer pads. Values are (batch * positions, channels), batch
    slowest. The capacity is one image; positions outside raise IndexError.

    >>> layer = MaskedConv2d(2, 3, 3, "B")
    >>> cache = ConvolutionCache(layer, batch=1, height=4, width=4)
    >>> place = torch.tensor([0])
    >>> cache(torch.ones(1, 2), place, place).shape
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
        taps = layer.mask.nonzero()
        dilation = int(layer.dilation[0])
        centre = layer.kernel_size[0] // 2
        steps = (taps - centre) * dilation
        self.offsets = steps[:, 0] * self.stride + steps[:, 1]
        self.matrix = weight[:, :, taps[:, 0], taps[:, 1]].permute(0, 2, 1).flatten(1).contiguous()
        self.bias = layer.bias

    def write(self, values: Tensor, rows: Tensor, columns: Tensor) -> None:
        """Store the layer's input at these positions."""
        self.rows[:, self._index(rows, columns)] = values.unflatten(0, (self.batch, -1)).to(
            self.rows.dtype
        )

    def read(self, rows: Tensor, columns: Tensor) -> Tensor:
        """The layer's output at these positions, from what has been written."""
        index = self._index(rows, columns)[:, None] + self.offsets
        taps = self.rows[:, index].flatten(2).flatten(0, 1)
        return F.linear(taps, self.matrix, self.bias)

    def __call__(self, values: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        """Store, then compute (mask B: the present position is seen)."""
        self.write(values, rows, columns)
        return self.read(rows, columns)

    def _index(self, rows: Tensor, columns: Tensor) -> Tensor:
        if int(rows.max()) >= self.height or int(columns.max()) >= self.width:
            raise IndexError(f"the cache holds {self.height}x{self.width} positions")
        return ((rows + self.reach) * self.stride + columns + self.reach).to(self.rows.device)


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

    def __call__(self, values: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        """The stack's output (batch * positions, channels) at these positions."""
        for block in self.blocks:
            if isinstance(block, ResidualMultiplicativeBlock):
                values = self._multiplicative(block, values, rows, columns)
            else:
                assert isinstance(block, ResidualBlock)
                values = self._residual(block, values, rows, columns)
        return values

    def _multiplicative(self, block, values: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        hidden = _pointwise(block.down, values)
        for unit in block.units:
            hidden = unit.combine(hidden, self.caches[unit.convolution](hidden, rows, columns))
        return values + _pointwise(block.up, hidden)

    def _residual(self, block, values: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        hidden = self.caches[block.first](F.silu(values), rows, columns)
        return values + self.caches[block.second](F.silu(hidden), rows, columns)


def _pointwise(layer: nn.Conv2d, values: Tensor) -> Tensor:
    return F.linear(values, layer.weight[:, :, 0, 0], layer.bias)
