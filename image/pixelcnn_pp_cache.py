"""What a PixelCNN++ remembers while it samples, strided layers included.

A layer at depth s runs on the rows and columns that are multiples of 2^s; the upper stream runs
once a row, the lower one once a pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelpush.image.causal import PixelCache, RowCache
from pixelpush.image.pixels import mark_inside

if TYPE_CHECKING:
    from pixelpush.image.pixelcnn_pp import GatedResnet, PixelCNNPPTrunk


@dataclass
class BlockRows:
    """A gated resnet of the upper stream, row by row.

    >>> from pixelpush.image.pixelcnn_pp import GatedResnet
    >>> block = GatedResnet(filters=4, direction="down", short_cut=0, conditioning=0, dropout=0.0)
    >>> BlockRows.start(block, torch.zeros(1), width=5)(torch.zeros(1, 4, 1, 5), None, None).shape
    torch.Size([1, 4, 1, 5])
    """

    block: GatedResnet
    first: RowCache
    across: RowCache | None
    second: RowCache

    @classmethod
    def start(cls, block: GatedResnet, like: Tensor, width: int) -> BlockRows:
        across = None if block.across is None else RowCache.start(block.across, like, width)
        first, second = (
            RowCache.start(layer, like, width) for layer in (block.first, block.second)
        )
        return cls(block, first, across, second)

    def __call__(
        self, inputs: Tensor, short_cut: Tensor | None, conditioning: Tensor | None
    ) -> Tensor:
        across = self.across.advance if self.across else nn.Identity()
        term = self.block.term(conditioning)
        return self.block.combine(
            inputs, short_cut, term, self.first.advance, across, self.second.advance
        )


@dataclass
class BlockPixels:
    """A gated resnet of the lower stream, pixel by pixel.

    terms: the conditioning's row (N, 2F, w).

    >>> from pixelpush.image.pixelcnn_pp import GatedResnet
    >>> block = GatedResnet(filters=4, direction="right", short_cut=4, conditioning=0, dropout=0.0)
    >>> BlockPixels.start(block, torch.zeros(1), width=5).terms is None
    True
    """

    block: GatedResnet
    first: PixelCache
    across: PixelCache
    second: PixelCache
    terms: Tensor | None = None

    @classmethod
    def start(cls, block: GatedResnet, like: Tensor, width: int) -> BlockPixels:
        assert block.across is not None
        layers = (block.first, block.across, block.second)
        first, across, second = (PixelCache.start(layer, like, width) for layer in layers)
        return cls(block, first, across, second)

    def next_row(self, conditioning: Tensor | None) -> None:
        for cache in (self.first, self.across, self.second):
            cache.next_row()
        term = self.block.term(conditioning)
        self.terms = None if term is None else term[:, :, 0]

    def __call__(self, inputs: Tensor, short_cut: Tensor, column: int) -> Tensor:
        first, across, second = (
            lambda values, cache=cache: cache.advance(values, column)
            for cache in (self.first, self.across, self.second)
        )
        term = None if self.terms is None else self.terms[:, :, column]
        return self.block.combine(inputs, short_cut, term, first, across, second)


@dataclass
class ScaleCache:
    """What one scale of a PixelCNN++ remembers while sampling.

    down_rows, back_rows: the present rows of the upper stream that the lower one reads. grow_above,
    grow_before: normalised weights of the way back from the smaller scale.

    >>> from pixelpush.image.pixelcnn_pp import PixelCNNPPTrunk
    >>> trunk = PixelCNNPPTrunk(in_colours=3, filters=4, resnets=1, dropout=0.0)
    >>> cache = trunk.start(torch.zeros(1, 3, 8, 8, dtype=torch.uint8))
    >>> isinstance(cache.scales[0], ScaleCache)
    True
    """

    down_above: list[BlockRows]
    back_above: list[BlockRows]
    down_before: list[BlockPixels]
    back_before: list[BlockPixels]
    shrink_above: RowCache | None
    shrink_before: PixelCache | None
    grow_above: Tensor | None
    grow_before: Tensor | None
    # The last rows of this scale: outputs of the upper stream, and of its end on the way back for
    # the scale below.
    down_rows: list[Tensor]
    back_rows: list[Tensor]
    last_above: Tensor | None
    last_before: Tensor


@dataclass
class PixelCNNPPCache:
    """Everything a PixelCNN++ remembers while sampling.

    ``begin_row`` and ``pixel`` advance it in place.

    >>> from pixelpush.image.pixelcnn_pp import PixelCNNPPTrunk
    >>> trunk = PixelCNNPPTrunk(in_colours=3, filters=4, resnets=1, dropout=0.0)
    >>> image = torch.zeros(1, 3, 8, 8, dtype=torch.uint8)
    >>> features, cache = trunk.step(trunk.start(image), image, 0, 0)
    >>> len(cache.scales), features.shape
    (3, torch.Size([1, 4]))
    """

    trunk: PixelCNNPPTrunk
    conditioning: Tensor | None
    scales: list[ScaleCache]
    above_term: Tensor

    @classmethod
    def start(
        cls, trunk: PixelCNNPPTrunk, image: Tensor, conditioning: Tensor | None
    ) -> PixelCNNPPCache:
        like = trunk.enter_above.weight.new_zeros(len(image))
        scales = []
        for depth, scale in enumerate(trunk.scales):
            width = image.shape[3] >> depth
            last = depth == len(trunk.scales) - 1
            scales.append(
                ScaleCache(
                    [BlockRows.start(block, like, width) for block in scale.down_above],
                    [BlockRows.start(block, like, width) for block in scale.back_above],
                    [BlockPixels.start(block, like, width) for block in scale.down_before],
                    [BlockPixels.start(block, like, width) for block in scale.back_before],
                    None if last else RowCache.start(trunk.shrink_above[depth], like, width),
                    None if last else PixelCache.start(trunk.shrink_before[depth], like, width),
                    None if depth == 0 else trunk.grow_above[depth - 1].effective_weight(),
                    None if depth == 0 else trunk.grow_before[depth - 1].effective_weight(),
                    [],
                    [],
                    None,
                    like.new_zeros(len(image), trunk.out_channels, width),
                )
            )
        return cls(trunk, conditioning, scales, like)

    def begin_row(self, image: Tensor, row: int) -> None:
        """Run the upper stream of every scale that this row belongs to.

        The rows of the lower stream start with it."""
        trunk = self.trunk
        # A shifted window of two rows reaches two rows up.
        near = mark_inside(image[:, :, max(row - 2, 0) : row + 1]).to(self.above_term.dtype)
        self.above_term = trunk.before_above.at_row(near, min(row, 2))[:, :, 0]
        depths = _active(row, 0, len(self.scales))
        rows = [trunk.enter_above.at_row(near, min(row, 2))]
        for depth in range(depths):
            scale = self.scales[depth]
            condition = self._condition_row(row, depth)
            if depth:
                shrink = self.scales[depth - 1].shrink_above
                assert shrink is not None
                rows.append(shrink.output())
            scale.down_rows = []
            for block in scale.down_above:
                rows.append(block(rows[-1], None, condition))
                scale.down_rows.append(rows[-1][:, :, 0])
            if scale.shrink_above is not None:
                scale.shrink_above.push(rows[-1])
            for block in scale.down_before + scale.back_before:
                block.next_row(condition)
            if scale.shrink_before is not None:
                scale.shrink_before.next_row()
        self._return_row(row, depths, rows)

    def _return_row(self, row: int, depths: int, rows: list[Tensor]) -> None:
        upper = rows.pop() if depths == len(self.scales) else self._grow_row(row, depths)
        for depth in reversed(range(depths)):
            scale = self.scales[depth]
            condition = self._condition_row(row, depth)
            scale.back_rows = []
            for block in scale.back_above:
                upper = block(upper, rows.pop(), condition)
                scale.back_rows.append(upper[:, :, 0])
            scale.last_above = upper
            if depth:
                upper = self._grow_row(row, depth)

    def _grow_row(self, row: int, depth: int) -> Tensor:
        """The row of the scale above ``depth``, grown from the last row at ``depth``."""
        scale = self.scales[depth]
        layer = self.trunk.grow_above[depth - 1]
        assert scale.grow_above is not None
        assert scale.last_above is not None
        # With stride 2 and a kernel of two rows, an output row comes from one input row and one row
        # of the kernel.
        tap = (row >> (depth - 1)) % 2
        weight = scale.grow_above[:, :, tap : tap + 1]
        return F.conv_transpose2d(scale.last_above, weight, layer.bias, (1, 2), (0, 1), (0, 1))

    def _condition_row(self, row: int, depth: int) -> Tensor | None:
        return (
            None
            if self.conditioning is None
            else self.conditioning[:, :, row : row + 1, :: 2**depth]
        )

    def pixel(self, image: Tensor, row: int, column: int) -> Tensor:
        """Return the features (N, F) of one pixel.

        The lower stream of every scale that this pixel belongs to is run."""
        near = mark_inside(
            image[:, :, max(row - 1, 0) : row + 1, max(column - 1, 0) : column + 1]
        ).to(self.above_term.dtype)
        left = self.trunk.before_left.at_pixel(near, min(row, 1), min(column, 1))
        values = [left + self.above_term[:, :, column]]
        depths = _active(row, column, len(self.scales))
        for depth in range(depths):
            scale = self.scales[depth]
            here = column >> depth
            if depth:
                shrink = self.scales[depth - 1].shrink_before
                assert shrink is not None
                values.append(shrink.output(column >> (depth - 1)))
            for block, above in zip(scale.down_before, scale.down_rows, strict=True):
                values.append(block(values[-1], above[:, :, here], here))
            if scale.shrink_before is not None:
                scale.shrink_before.push(values[-1], here)
        lower = (
            values.pop() if depths == len(self.scales) else self._grow_pixel(row, column, depths)
        )
        for depth in reversed(range(depths)):
            scale = self.scales[depth]
            here = column >> depth
            for block, above in zip(scale.back_before, scale.back_rows, strict=True):
                lower = block(lower, torch.cat((above[:, :, here], values.pop()), dim=1), here)
            scale.last_before[:, :, here] = lower
            if depth:
                lower = self._grow_pixel(row, column, depth)
        return F.elu(lower)

    def _grow_pixel(self, row: int, column: int, depth: int) -> Tensor:
        """The pixel of the scale above ``depth``, grown from the last values at ``depth``."""
        scale = self.scales[depth]
        layer = self.trunk.grow_before[depth - 1]
        assert scale.grow_before is not None
        taps = scale.grow_before[:, :, (row >> (depth - 1)) % 2, (column >> (depth - 1)) % 2]
        return F.linear(scale.last_before[:, :, column >> depth], taps.T, layer.bias)


def _active(row: int, column: int, scales: int) -> int:
    """How many scales have a position at this row and column (the first always does)."""
    depth = 1
    while depth < scales and row % 2**depth == 0 and column % 2**depth == 0:
        depth += 1
    return depth
