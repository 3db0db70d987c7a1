"""Drawing the arm: state, action and a code of the first frame give a picture of arm and shadow.

The state says where the arm is, so a network can draw it without looking at any later frame.
Nothing of this layer is copied from frame to frame, so it does not drift in a rollout."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelpush.image.layers import ResidualBlock
from pixelpush.image.pixels import to_unit

# The mask's logit of a new network: nothing is drawn until training says so.
_TRANSPARENT = -2.0
# The coarsest map that a drawing grows from has this side.
_SEED = 4


class Drawing(NamedTuple):
    """A drawn arm and its mask.

    picture: float32 (N, C, H, W), levels 0..255. logit: float32 (N, 1, H, W), of the mask.

    >>> Drawing(torch.zeros(1, 3, 8, 8), torch.zeros(1, 1, 8, 8)).logit.shape
    torch.Size([1, 1, 8, 8])
    """

    picture: Tensor
    logit: Tensor


class ArmDrawing(nn.Module):
    """(vector (N, V), code (N, K)) -> ``Drawing``; ``encode`` gives the code of a first frame.

    vector: normalised state and action at frame t; the drawing is of frame t + 1. The code tells
    stations apart: camera, light, make of the arm. widths: of the maps of side 4, 8, 16, ...; the
    last is half the frame's side, from which 2x2 pixels unfold.

    >>> drawing = ArmDrawing(vector=2, colours=1, size=16, widths=(8, 4))
    >>> code = drawing.encode(torch.zeros(1, 1, 16, 16, dtype=torch.uint8))
    >>> drawing(torch.zeros(1, 2), code).picture.shape
    torch.Size([1, 1, 16, 16])
    """

    def __init__(
        self, vector: int, colours: int, size: int, widths: tuple[int, ...], code: int = 32
    ):
        super().__init__()
        assert _SEED << len(widths) == size
        self.widths = widths
        self.colours = colours
        self.look = nn.Sequential(
            nn.Conv2d(colours, 24, 4, stride=4),
            nn.SiLU(),
            nn.Conv2d(24, 48, 3, stride=2, padding=1),
            nn.SiLU(),
            nn.Conv2d(48, 64, 3, stride=2, padding=1),
            nn.SiLU(),
            nn.Flatten(),
        )
        side = -(-size // 16)
        self.code = nn.Linear(64 * side * side, code)
        self.enter = nn.Sequential(
            nn.Linear(vector + code, 256),
            nn.SiLU(),
            nn.Linear(256, 256),
            nn.SiLU(),
            nn.Linear(256, widths[0] * _SEED**2),
        )
        self.stages = nn.ModuleList(
            nn.Sequential(
                ResidualBlock(wide),
                nn.Conv2d(wide, 4 * narrow, 1),
                nn.PixelShuffle(2),
                ResidualBlock(narrow),
            )
            for wide, narrow in pairwise(widths)
        )
        self.leave = nn.Conv2d(widths[-1], 4 * (colours + 1), 3, padding=1)

    def encode(self, first: Tensor) -> Tensor:
        """Code (N, K) of frames uint8 (N, C, H, W).

        In float32: convolutions of maps this small have given NaN gradients in bfloat16."""
        with torch.autocast(first.device.type, enabled=False):
            return self.code(self.look(to_unit(first)))

    def forward(self, vector: Tensor, code: Tensor) -> Drawing:
        hidden = self.enter(torch.cat((vector.to(code.dtype), code), dim=1))
        hidden = hidden.unflatten(1, (self.widths[0], _SEED, _SEED))
        hidden = hidden.contiguous(memory_format=torch.channels_last)
        for stage in self.stages:
            hidden = stage(hidden)
        out = F.pixel_shuffle(self.leave(F.silu(hidden)), 2).float()
        picture = (127.5 + 127.5 * out[:, : self.colours]).clamp(0, 255)
        return Drawing(picture, out[:, self.colours :] + _TRANSPARENT)


def drawing_errors(
    drawing: Drawing, target: Tensor, behind: Tensor, threshold: float = 8.0
) -> tuple[Tensor, Tensor]:
    """Return the two errors, in levels, that teach a drawing.

    The first is the mean distance from the target of the drawing laid over ``behind``. The second
    is that of the picture alone, where the target differs from ``behind`` by more than
    ``threshold``. With the first alone the mask learns nothing: an arm that is not drawn yet is
    best left transparent. target: uint8 (N, C, H, W). behind: levels, of the same shape.

    >>> drawn = Drawing(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4))
    >>> black = torch.zeros(1, 1, 4, 4)
    >>> drawing_errors(drawn, black.byte(), black)[0].item()
    0.0
    """
    target = target.float()
    changed = ((target - behind).abs().amax(dim=1, keepdim=True) > threshold).float()
    composed = behind + torch.sigmoid(drawing.logit) * (drawing.picture - behind)
    distance = (drawing.picture - target).abs().mean(dim=1, keepdim=True)
    where_changed = (changed * distance).sum() / changed.sum().clamp(min=1)
    return (composed - target).abs().mean(), where_changed
