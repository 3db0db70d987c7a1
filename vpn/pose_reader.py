"""Reading the arm's pose from one picture: does the sampled arm stand where the state says?

A small network, trained on true frames of one data set, reads the state from a picture. Its error
on samples stands beside its error on true frames. Neither blur nor grain lowers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelpush.image.layers import coordinates
from pixelpush.image.pixels import to_unit


@dataclass(frozen=True)
class PoseReaderConfig:
    """Sizes of a ``PoseReader``. frame_size: a multiple of 16.

    >>> PoseReaderConfig().frame_size
    64
    """

    frame_size: int = 64
    colours: int = 3
    state_dim: int = 5
    channels: int = 32


class PoseReader(nn.Module):
    """Frames uint8 (N, C, H, W) -> states float32 (N, S), in the data's units.

    >>> reader = PoseReader(PoseReaderConfig(frame_size=32, channels=4))
    >>> reader(torch.zeros(2, 3, 32, 32, dtype=torch.uint8)).shape
    torch.Size([2, 5])
    """

    family: ClassVar[str] = "pose"
    mean: Tensor
    std: Tensor

    def __init__(self, config: PoseReaderConfig):
        super().__init__()
        c = self.config = config
        widths = (c.channels, 2 * c.channels, 3 * c.channels, 4 * c.channels)
        entries = (c.colours + 2, *widths[:-1])
        self.down = nn.ModuleList(
            nn.Conv2d(narrow, wide, 4, stride=2, padding=1)
            for narrow, wide in zip(entries, widths, strict=True)
        )
        self.mix = nn.ModuleList(nn.Conv2d(wide, wide, 3, padding=1) for wide in widths)
        side = c.frame_size // 16
        self.read = nn.Sequential(
            nn.Flatten(),
            nn.Linear(widths[-1] * side * side, 256),
            nn.SiLU(),
            nn.Linear(256, c.state_dim),
        )
        self.register_buffer("mean", torch.zeros(c.state_dim))
        self.register_buffer("std", torch.ones(c.state_dim))

    def forward(self, frames: Tensor) -> Tensor:
        hidden = to_unit(frames)
        hidden = torch.cat((hidden, coordinates(hidden)), dim=1)
        for down, mix in zip(self.down, self.mix, strict=True):
            hidden = F.silu(down(hidden))
            hidden = hidden + F.silu(mix(hidden))
        return self.read(hidden).float() * self.std + self.mean
