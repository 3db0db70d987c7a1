"""Weight-normalised convolutions with data-dependent initialisation (Salimans & Kingma 2016)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelpush.image.causal import CausalConv2d
from pixelpush.image.layers import project_float32


class NormedConv2d(CausalConv2d):
    """A causal convolution whose weight is gain * v / |v| per output channel; ``weight`` holds v.

    init_scale: standard deviation of the outputs after data-dependent initialisation.

    >>> layer = NormedConv2d(2, 3)
    >>> layer.effective_weight().flatten(1).norm(dim=1).round(decimals=4).tolist()
    [1.0, 1.0, 1.0]
    """

    output_dimension = 0

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: tuple[int, int] = (1, 1),
        direction: str = "right",
        shifted: bool = False,
        stride: int = 1,
        init_scale: float = 1.0,
    ):
        super().__init__(in_channels, out_channels, kernel, direction, shifted, stride)
        self.init_scale = init_scale
        self.gain = nn.Parameter(torch.full((out_channels,), init_scale))
        _start(self)

    def effective_weight(self) -> Tensor:
        return normalised(self.weight, self.gain, self.output_dimension)


class NormedTranspose2d(nn.ConvTranspose2d):
    """A stride-2 transposed convolution with a normalised weight: (N, C, h, w) -> (N, out, 2h, 2w).

    direction 'down': 2x3 kernel centred on the column; 'right': 2x2 kernel. Both look at the
    low-resolution position alone, 'down' also at its right neighbour. That is causal: the upper
    stream holds whole rows above the pixel.

    >>> NormedTranspose2d(2, 3, "down")(torch.zeros(1, 2, 4, 4)).shape
    torch.Size([1, 3, 8, 8])
    """

    output_dimension = 1

    def __init__(self, in_channels: int, out_channels: int, direction: str):
        wide = direction == "down"
        super().__init__(
            in_channels,
            out_channels,
            (2, 3 if wide else 2),
            stride=2,
            padding=(0, 1 if wide else 0),
            output_padding=(0, 1 if wide else 0),
        )
        self.init_scale = 1.0
        self.gain = nn.Parameter(torch.ones(out_channels))
        _start(self)

    def effective_weight(self) -> Tensor:
        return normalised(self.weight, self.gain, self.output_dimension)

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        # 1 for a kernel 3 wide, 0 for one 2 wide: the output is exactly twice the input.
        border = (0, self.kernel_size[1] // 3)
        return F.conv_transpose2d(input, self.effective_weight(), self.bias, 2, border, border)


class NormedProjection(NormedConv2d):
    """A weight-normalised 1x1 convolution that computes in float32: an output layer's.

    >>> NormedProjection(3, 2)(torch.zeros(1, 3, 4, 4, dtype=torch.bfloat16)).dtype
    torch.float32
    """

    def forward(self, inputs: Tensor) -> Tensor:
        return project_float32(inputs, self.effective_weight(), self.bias)


def normalised(direction: Tensor, gain: Tensor, output_dimension: int) -> Tensor:
    """Return gain * v / |v|, the norm over all dimensions but the output channel's.

    >>> normalised(torch.full((1, 4, 1, 1), 3.0), torch.tensor([2.0]), 0).flatten().tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    others = [dimension for dimension in range(4) if dimension != output_dimension]
    shape = [1] * 4
    shape[output_dimension] = -1
    return direction * (
        gain.view(shape) / torch.linalg.vector_norm(direction, dim=others, keepdim=True)
    )


def _start(layer: NormedConv2d | NormedTranspose2d) -> None:
    nn.init.normal_(layer.weight, std=0.05)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)


@torch.no_grad()
def initialise_from_data(module: nn.Module, forward: Callable[[], object]) -> None:
    """Set every normalised layer's gain and bias from data (Salimans & Kingma 2016, section 3).

    The layer's outputs on this data then have mean 0 and deviation ``init_scale``. forward: runs
    the network on a batch of data once; layers are set in the order in which it calls them, each on
    inputs that the layers before it, already set, have made.

    >>> layer = NormedConv2d(2, 3)
    >>> data = torch.randn(8, 2, 4, 4)
    >>> initialise_from_data(layer, lambda: layer(data))
    >>> [round(float(value), 3) for value in layer(data).detach().std((0, 2, 3), correction=0)]
    [1.0, 1.0, 1.0]
    """

    def set_layer(layer: nn.Module, arguments: tuple, output: Tensor) -> Tensor:
        assert isinstance(layer, NormedConv2d | NormedTranspose2d)
        assert layer.bias is not None
        centred = output - layer.bias.view(1, -1, 1, 1)
        deviation, mean = torch.std_mean(centred, dim=(0, 2, 3), correction=0)
        factor = layer.init_scale / (deviation + 1e-10)
        # A channel that this batch leaves constant keeps its gain: there is nothing to scale it by.
        factor = torch.where(deviation > 1e-6, factor, torch.ones_like(factor))
        # With f = init_scale / deviation: gain f and bias -mean f give (output - mean) f.
        layer.gain.mul_(factor)
        layer.bias.copy_(-mean * factor)
        return (centred - mean.view(1, -1, 1, 1)) * factor.view(1, -1, 1, 1)

    with contextlib.ExitStack() as hooks:
        for layer in module.modules():
            if isinstance(layer, NormedConv2d | NormedTranspose2d):
                handle = layer.register_forward_hook(set_layer)
                hooks.callback(handle.remove)
        forward()
