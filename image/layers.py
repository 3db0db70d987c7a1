"""Building blocks that images and video share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar, overload

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelpush.errors import InputError
from pixelpush.registry import Registry

M = TypeVar("M", bound=nn.Module)


class Layers(nn.ModuleList, Generic[M]):
    """A module list that knows the type of its modules; otherwise PyTorch's own.

    >>> Layers([nn.Identity()])[0]
    Identity()
    """

    if TYPE_CHECKING:

        def __init__(self, modules: Iterable[M] = ()): ...

        def __iter__(self) -> Iterator[M]: ...

        @overload
        def __getitem__(self, idx: slice) -> Layers[M]: ...

        @overload
        def __getitem__(self, idx: int) -> M: ...

        def __getitem__(self, idx: int | slice) -> M | Layers[M]: ...


class MaskedConv2d(nn.Conv2d):
    """k x k convolution that sees only earlier pixels in raster order (van den Oord et al. 2016a).

    mask 'A' leaves the present pixel out, 'B' lets it in. The mask multiplies the weight in every
    call; the stored weight is never overwritten, and masked entries get no gradient. taps: how many
    entries of the kernel, the first in raster order, are let through. An even kernel raises
    InputError.

    >>> MaskedConv2d(1, 1, 3, "A").mask.tolist()
    [[1.0, 1.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """

    mask: Tensor

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, mask: str, dilation: int = 1
    ):
        if kernel_size % 2 == 0:
            raise InputError(f"a masked convolution needs an odd kernel, got {kernel_size}.")
        reach = dilation * (kernel_size // 2)
        super().__init__(in_channels, out_channels, kernel_size, padding=reach, dilation=dilation)
        sees_itself = {"A": False, "B": True}[mask]
        self.taps = kernel_size * kernel_size // 2 + sees_itself
        self.register_buffer("mask", raster_mask(kernel_size, sees_itself), False)

    def forward(self, inputs: Tensor) -> Tensor:
        # The product cuts the gradient too: masked entries never move.
        return F.conv2d(inputs, self.weight * self.mask, self.bias, 1, self.padding, self.dilation)


def raster_mask(kernel_size: int, include_centre: bool) -> Tensor:
    """Return (k, k) of ones before the centre in raster order, the centre by choice, zeros after.

    >>> raster_mask(3, include_centre=True)[1].tolist()
    [1.0, 1.0, 0.0]
    """
    mask = torch.zeros(kernel_size * kernel_size)
    centre = kernel_size * kernel_size // 2
    mask[: centre + include_centre] = 1.0
    return mask.view(kernel_size, kernel_size)


def convolution(
    in_channels: int, out_channels: int, kernel_size: int, causal: bool, dilation: int = 1
) -> nn.Conv2d:
    """Return a resolution-preserving convolution, masked (type B) if ``causal``.

    >>> type(convolution(1, 1, 3, causal=True)).__name__
    'MaskedConv2d'
    """
    if causal:
        return MaskedConv2d(in_channels, out_channels, kernel_size, "B", dilation)
    reach = dilation * (kernel_size // 2)
    return nn.Conv2d(in_channels, out_channels, kernel_size, padding=reach, dilation=dilation)


class MultiplicativeUnit(nn.Module):
    """The multiplicative unit of Kalchbrenner et al. (2016).

        MU(h) = g1 * tanh(g2 * h + g3 * u)

    g1, g2, g3 (sigmoid) and u (tanh) come from one 3x3 convolution of h.

    >>> MultiplicativeUnit(4)(torch.zeros(1, 4, 5, 5)).shape
    torch.Size([1, 4, 5, 5])
    """

    def __init__(self, channels: int, causal: bool = False, dilation: int = 1):
        super().__init__()
        self.convolution = convolution(channels, 4 * channels, 3, causal, dilation)

    def combine(self, inputs: Tensor, gates: Tensor) -> Tensor:
        """The unit's arithmetic, given the convolution's output ``gates``."""
        first, second, third, update = gates.chunk(4, dim=1)
        mixed = torch.sigmoid(second) * inputs + torch.sigmoid(third) * torch.tanh(update)
        return torch.sigmoid(first) * torch.tanh(mixed)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.combine(inputs, self.convolution(inputs))


class ResidualMultiplicativeBlock(nn.Module):
    """1x1 from 2c to c channels, two multiplicative units, 1x1 back, plus the input.

    Kalchbrenner et al. 2016. An odd number of channels raises InputError.

    >>> ResidualMultiplicativeBlock(4)(torch.zeros(1, 4, 5, 5)).shape
    torch.Size([1, 4, 5, 5])
    """

    def __init__(self, channels: int, causal: bool = False, dilation: int = 1):
        super().__init__()
        if channels % 2:
            raise InputError(
                f"a residual multiplicative block needs an even number of channels, got {channels}."
            )
        self.down = nn.Conv2d(channels, channels // 2, 1)
        self.units = nn.ModuleList(
            MultiplicativeUnit(channels // 2, causal, dilation) for _ in range(2)
        )
        self.up = nn.Conv2d(channels // 2, channels, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.down(inputs)
        for unit in self.units:
            hidden = unit(hidden)
        return inputs + self.up(hidden)


class ResidualBlock(nn.Module):
    """SiLU, 3x3, SiLU, 3x3, plus the input.

    The last convolution starts at zero: a new block is the identity.

    >>> bool((ResidualBlock(4)(torch.ones(1, 4, 5, 5)) == 1).all())
    True
    """

    def __init__(self, channels: int, causal: bool = False, dilation: int = 1):
        super().__init__()
        self.first = convolution(channels, channels, 3, causal, dilation)
        self.second = convolution(channels, channels, 3, causal, dilation)
        nn.init.zeros_(self.second.weight)
        if self.second.bias is not None:
            nn.init.zeros_(self.second.bias)

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs + self.second(F.silu(self.first(F.silu(inputs))))


BLOCKS: Registry[type[ResidualMultiplicativeBlock] | type[ResidualBlock]] = Registry(
    "block", {"multiplicative": ResidualMultiplicativeBlock, "residual": ResidualBlock}
)


def block_stack(
    kind: str, channels: int, count: int, causal: bool = False, dilation: int = 1
) -> nn.Sequential:
    """Return ``count`` blocks of one kind (a name of BLOCKS) at ``channels`` width.

    dilation: the largest, a power of two; block after block it is 1, 2, 4, ... up to this one, and
    again from 1 (Kalchbrenner et al. 2016: 1, 2, 4, 8, 1, 2, 4, 8).

    >>> [block.first.dilation[0] for block in block_stack("residual", 4, 5, dilation=4)]
    [1, 2, 4, 1, 2]
    """
    block = BLOCKS.find(kind)
    steps = dilation.bit_length()
    return nn.Sequential(*(block(channels, causal, 1 << number % steps) for number in range(count)))


def project_float32(inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Apply a 1x1 convolution in float32 whatever autocast says: (N, C, H, W) -> (N, D, H, W).

    weight: (D, C, 1, 1). bias: (D,).

    >>> project_float32(torch.ones(1, 2, 1, 1), torch.ones(1, 2, 1, 1), torch.ones(1)).item()
    3.0
    """
    assert bias is not None
    with torch.autocast(inputs.device.type, enabled=False):
        # A matrix product: on a CPU many times faster than a 1x1 convolution in float32. It also
        # leaves every parameter's map contiguous, as distributions want it.
        flat = inputs.float().flatten(2)
        filters = weight.float().flatten(1).expand(len(flat), -1, -1)
        return torch.baddbmm(bias.float()[:, None], filters, flat).unflatten(2, inputs.shape[2:])


def zero(layer: nn.Conv2d | nn.Linear) -> None:
    """Set a layer's weights and bias to zero, so that it adds nothing in a new network.

    >>> layer = nn.Conv2d(1, 1, 1)
    >>> zero(layer)
    >>> layer.weight.item()
    0.0
    """
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def coordinates(like: Tensor) -> Tensor:
    """Return two channels (N, 2, H, W) with the row and column of every position in [-1, 1].

    >>> coordinates(torch.zeros(1, 8, 1, 3))[0, 1].tolist()
    [[-1.0, 0.0, 1.0]]
    """
    count, _, height, width = like.shape
    rows = torch.linspace(-1, 1, height, device=like.device, dtype=like.dtype)
    columns = torch.linspace(-1, 1, width, device=like.device, dtype=like.dtype)
    return torch.stack(torch.meshgrid(rows, columns, indexing="ij")).expand(count, -1, -1, -1)
