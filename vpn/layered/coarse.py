"""A wide view: convolutions at ever coarser scales."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from pixelpush.image.layers import block_stack

_WIDEST = 128  # channels at most of the coarse scales


class WideCoarse(nn.Module):
    """Half the resolution at twice the width, recursively; the vector enters at every scale.

    >>> import torch
    >>> coarse = WideCoarse(4, scales=1, vector=2, block="residual")
    >>> coarse(torch.zeros(1, 4, 8, 8), torch.zeros(1, 2)).shape
    torch.Size([1, 4, 8, 8])
    """

    def __init__(self, channels: int, scales: int, vector: int, block: str):
        super().__init__()
        wide = min(2 * channels, _WIDEST)
        self.down = nn.Conv2d(channels, wide, 2, stride=2)
        self.vector = nn.Linear(vector, wide)
        self.before = block_stack(block, wide, 2)
        self.after = block_stack(block, wide, 1)
        self.coarser = WideCoarse(wide, scales - 1, vector, block) if scales > 1 else None
        self.up = nn.Conv2d(wide, 4 * channels, 1)

    def forward(self, features: Tensor, vector: Tensor) -> Tensor:
        coarse = self.before(self.down(features) + self.vector(vector)[:, :, None, None])
        if self.coarser is not None:
            coarse = self.coarser(coarse, vector)
        return features + F.pixel_shuffle(self.up(self.after(coarse)), 2)
