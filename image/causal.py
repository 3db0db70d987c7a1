"""Causal convolutions whose window ends at the present row or pixel, and what they remember while
sampling."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelpush.errors import InputError
from pixelpush.image.layers import MaskedConv2d


class CausalConv2d(nn.Conv2d):
    """Convolution with a (rows, columns) kernel that ends at the present position.

    direction 'down': rows up to the present one, columns centred on it (odd kernel). 'right': rows
    up to the present one, columns up to the present one. 'shifted' moves the window one row up
    ('down') or one column left ('right'), so that it ends just before the present position: the
    convolution is then strictly causal. Zeros stand outside the image.

    >>> CausalConv2d(1, 2, (2, 3), "down")(torch.zeros(1, 1, 4, 5)).shape
    torch.Size([1, 2, 4, 5])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: tuple[int, int],
        direction: str,
        shifted: bool = False,
        stride: int = 1,
    ):
        super().__init__(in_channels, out_channels, kernel, stride=stride)
        rows, columns = kernel
        if direction == "down" and columns % 2 == 0:
            raise InputError(f"a downward convolution needs an odd kernel width, got {columns}.")
        self.direction = direction
        self.shifted = shifted
        self.above = rows - 1 + (shifted and direction == "down")
        self.left = columns // 2 if direction == "down" else columns - 1 + shifted
        self.right = columns // 2 if direction == "down" else 0

    def effective_weight(self) -> Tensor:
        """The weight that multiplies the inputs."""
        return self.weight

    def forward(self, inputs: Tensor) -> Tensor:
        padded = F.pad(inputs, (self.left, self.right, self.above, 0))
        if self.shifted:
            # ``above`` or ``left`` holds one zero more where the window is shifted, so the cut
            # gives an output of the input's size whose windows end one position earlier.
            padded = padded[:, :, :-1] if self.direction == "down" else padded[..., :-1]
        return F.conv2d(padded, self.effective_weight(), self.bias, self.stride)

    def at_row(self, inputs: Tensor, row: int) -> Tensor:
        """Return output row (N, out, 1, W) of a stride-1 convolution.

        Only the rows of its window are read."""
        last = row - self.shifted
        window = crop(
            inputs,
            last - self.kernel_size[0] + 1,
            last,
            -self.left,
            inputs.shape[3] - 1 + self.right,
        )
        return F.conv2d(window, self.effective_weight(), self.bias)

    def at_pixel(self, inputs: Tensor, row: int, column: int) -> Tensor:
        """Return the output (N, out) of a 'right' stride-1 convolution at one pixel.

        Only the pixel's window is read."""
        last = column - self.shifted
        window = crop(
            inputs, row - self.kernel_size[0] + 1, row, last - self.kernel_size[1] + 1, last
        )
        return F.linear(window.flatten(1), self.effective_weight().flatten(1), self.bias)


def crop(inputs: Tensor, top: int, bottom: int, left: int, right: int) -> Tensor:
    """Return rows top..bottom and columns left..right of (N, C, H, W), both ends included.

    Zeros stand outside the image.

    >>> crop(torch.ones(1, 1, 2, 2), -1, 0, 0, 1)[0, 0].tolist()
    [[0.0, 0.0], [1.0, 1.0]]
    """
    height, width = inputs.shape[2:]
    inside = inputs[:, :, max(top, 0) : max(bottom + 1, 0), max(left, 0) : max(right + 1, 0)]
    outside = (max(-left, 0), max(right + 1 - width, 0), max(-top, 0), max(bottom + 1 - height, 0))
    # A window wholly above or left of the image is all padding.
    wanted = (bottom + 1 - top, right + 1 - left)
    padded = F.pad(inside, outside) if any(outside) else inside
    return padded[:, :, : wanted[0], : wanted[1]]


@dataclass
class RowCache:
    """The last input rows of a 'down' convolution, and its weight, computed once per image.

    rows: (N, C, kernel rows, W). ``push`` advances the cache in place; the caller owns it and may
    copy it.

    >>> layer = CausalConv2d(1, 2, (2, 3), "down")
    >>> RowCache.start(layer, torch.zeros(1), width=5).advance(torch.ones(1, 1, 1, 5)).shape
    torch.Size([1, 2, 1, 5])
    """

    weight: Tensor
    bias: Tensor | None
    reach: int
    stride: int
    rows: Tensor

    @classmethod
    def start(cls, layer: CausalConv2d, like: Tensor, width: int) -> RowCache:
        """Return an empty cache for inputs ``width`` wide.

        Batch, dtype and device are those of ``like``."""
        rows = like.new_zeros(len(like), layer.in_channels, layer.kernel_size[0], width)
        return cls(layer.effective_weight(), layer.bias, layer.left, layer.stride[1], rows)

    def push(self, row: Tensor) -> None:
        """Take the next input row (N, C, 1, W)."""
        self.rows = torch.cat((self.rows[:, :, 1:], row), dim=2)

    def output(self) -> Tensor:
        """The output row (N, out, 1, W / stride) whose window ends at the last input row."""
        # The kept rows are exactly one window high: no padding and no stride along rows.
        return F.conv2d(self.rows, self.weight, self.bias, (1, self.stride), (0, self.reach))

    def advance(self, row: Tensor) -> Tensor:
        """``push``, then ``output``."""
        self.push(row)
        return self.output()


@dataclass
class PixelCache:
    """The last input rows of a convolution that runs pixel by pixel, and its weight matrix.

    rows: (N, C, kernel rows, left + W + right), with zeros around the image. Pixels of the present
    row that are not reached yet are zero. ``push`` and ``next_row`` advance the cache in place; the
    caller owns it and may copy it.

    >>> layer = CausalConv2d(1, 2, (2, 2), "right")
    >>> PixelCache.start(layer, torch.zeros(1), width=5).advance(torch.ones(1, 1), 0).shape
    torch.Size([1, 2])
    """

    matrix: Tensor
    bias: Tensor | None
    left: int
    kernel: int
    rows: Tensor

    @classmethod
    def start(cls, layer: CausalConv2d | MaskedConv2d, like: Tensor, width: int) -> PixelCache:
        """Return an empty cache for images ``width`` wide.

        Batch, dtype and device are those of ``like``."""
        if isinstance(layer, MaskedConv2d):
            left = right = int(layer.padding[0])
            rows = left + 1
            # Below the centre row the mask is zero everywhere, so those rows are not kept.
            weight = (layer.weight * layer.mask)[:, :, :rows]
        else:
            left = layer.left
            right = layer.right
            rows = layer.kernel_size[0]
            weight = layer.effective_weight()
        buffer = like.new_zeros(len(like), layer.in_channels, rows, left + width + right)
        return cls(weight.flatten(1), layer.bias, left, layer.kernel_size[1], buffer)

    def next_row(self) -> None:
        """Go to the start of the next row; calling it before the first row does no harm."""
        self.rows = F.pad(self.rows[:, :, 1:], (0, 0, 0, 1))

    def push(self, values: Tensor, column: int) -> None:
        """Take the input (N, C) at ``column`` of the present row."""
        self.rows[:, :, -1, self.left + column] = values

    def output(self, column: int) -> Tensor:
        """The convolution's output (N, out) at ``column`` of the present row."""
        window = self.rows[:, :, :, column : column + self.kernel]
        return F.linear(window.flatten(1), self.matrix, self.bias)

    def advance(self, values: Tensor, column: int) -> Tensor:
        """``push``, then ``output``."""
        self.push(values, column)
        return self.output(column)


def pointwise(layer: nn.Conv2d, values: Tensor) -> Tensor:
    """Apply a 1x1 convolution to one pixel's values (N, C) -> (N, out).

    >>> pointwise(nn.Conv2d(3, 2, 1), torch.zeros(4, 3)).shape
    torch.Size([4, 2])
    """
    return F.linear(values, layer.weight.flatten(1), layer.bias)
