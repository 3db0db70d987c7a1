"""Finding the objects of a frame: every pixel votes for the place of the object that it belongs to,
and votes that fall together are a slot.

Voting for centres is an old idea of detection (Leibe et al. 2004), here with soft counts: but for
which peaks are taken, places and masks are smooth functions of the votes."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelpush.image.pixels import to_unit

# Pixels that one unit of the network's output stands for.
_VOTE_UNIT = 4.0
# Deviation, in pixels, of a vote's weight in the count, and in the means that follow.
_COUNTED = 1.0
_GATHERED = 1.5
# Pixels that must vote alike, and farther than this from its slot a pixel belongs to none.
_LEAST = 4.0
_FARTHEST = 3.5
_TWINS = 1.0  # pixels
_PEAK = 5  # pixels: the side of the square in which a peak is the largest count


class Slots(NamedTuple):
    """At most K objects of N frames.

    place: float32 (N, K, 2), column and row in pixels. alive: (N, K), 1 where there is an object,
    else 0. mask: (N, K, H, W) in 0..1, the share of each pixel that belongs to it.

    >>> Slots._fields
    ('place', 'alive', 'mask')
    """

    place: Tensor
    alive: Tensor
    mask: Tensor


class _Block(nn.Sequential):
    def __init__(self, inputs: int, channels: int):
        super().__init__(
            nn.Conv2d(inputs, channels, 3, padding=1), nn.GroupNorm(4, channels), nn.SiLU()
        )


class SlotNet(nn.Module):
    """uint8 frames (N, C, H, W) -> class logits (N, 3, H, W) and votes (N, 2, H, W).

    The classes are floor, arm and object; a vote says how many columns and rows away the place of
    the pixel's object is. A U-Net (Ronneberger et al. 2015) of three scales.

    >>> logits, votes = SlotNet(colours=3)(torch.zeros(1, 3, 16, 16, dtype=torch.uint8))
    >>> logits.shape, votes.shape
    (torch.Size([1, 3, 16, 16]), torch.Size([1, 2, 16, 16]))
    """

    def __init__(self, colours: int, widths: tuple[int, int, int] = (32, 48, 64)):
        super().__init__()
        fine, middle, coarse = widths
        self.first = _Block(4 * colours + 2, fine)
        self.second = nn.Sequential(_Block(4 * fine, middle), _Block(middle, middle))
        self.third = nn.Sequential(_Block(4 * middle, coarse), _Block(coarse, coarse))
        self.up_third = nn.Conv2d(coarse, 4 * middle, 1)
        self.after_second = _Block(middle, middle)
        self.up_second = nn.Conv2d(middle, 4 * fine, 1)
        self.after_first = _Block(fine, fine)
        self.out = nn.Conv2d(fine, 4 * 5, 1)

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        folded = F.pixel_unshuffle(to_unit(frames), 2)
        side = folded.shape[-1]
        grid = (torch.arange(side, device=frames.device) + 0.5) * 2 / side - 1
        rows = grid[None, None, :, None].expand(len(frames), 1, side, side)
        folded = torch.cat((folded, rows, rows.transpose(2, 3)), dim=1)
        fine = self.first(folded.contiguous(memory_format=torch.channels_last))
        middle = self.second(F.pixel_unshuffle(fine, 2))
        coarse = self.third(F.pixel_unshuffle(middle, 2))
        middle = self.after_second(middle + F.pixel_shuffle(self.up_third(coarse), 2))
        fine = self.after_first(fine + F.pixel_shuffle(self.up_second(middle), 2))
        logits, votes = F.pixel_shuffle(self.out(fine), 2).float().split((3, 2), dim=1)
        return logits, _VOTE_UNIT * votes


def group(logits: Tensor, votes: Tensor, most: int) -> Slots:
    """Gather votes into at most ``most`` slots; arguments as ``SlotNet`` returns them.

    >>> logits = torch.full((1, 3, 16, 16), -9.0)
    >>> logits[:, 2, 4:8, 4:8] = 9.0
    >>> rows = torch.arange(16.0).view(16, 1).expand(16, 16)
    >>> slots = group(logits, torch.stack((5 - rows.T, 6 - rows))[None], most=2)
    >>> slots.alive.tolist(), slots.place[0, 0].round(decimals=2).tolist()
    ([[1.0, 0.0]], [5.0, 6.0])
    """
    height, width = logits.shape[-2:]
    belongs = logits.softmax(dim=1)[:, 2].flatten(1)
    columns = torch.arange(width, device=logits.device, dtype=torch.float32)
    rows = torch.arange(height, device=logits.device, dtype=torch.float32)
    across = (votes[:, 0] + columns).flatten(1)
    down = (votes[:, 1] + rows[:, None]).flatten(1)
    # A Gaussian is a product of one along each axis, so the counts of all places are one product.
    near = torch.exp(-0.5 * ((across[..., None] - columns) / _COUNTED).square())
    beside = torch.exp(-0.5 * ((down[..., None] - rows) / _COUNTED).square())
    counts = torch.bmm((beside * belongs[..., None]).transpose(1, 2), near)
    largest = F.max_pool2d(counts[:, None], _PEAK, stride=1, padding=_PEAK // 2)[:, 0]
    peaks = torch.where((counts == largest) & (counts >= _LEAST), counts, 0.0).flatten(1)
    count, index = peaks.topk(most, dim=1)
    place = torch.stack((index % width, index // width), dim=-1).float()
    alive = (count > 0).float()
    at = torch.stack((across, down), dim=-1)
    for _ in range(2):  # mean shift
        weight = belongs[:, None] * torch.exp(-0.5 * _distance(at, place, _GATHERED))
        total = weight.sum(dim=2, keepdim=True)
        place = torch.bmm(weight, at) / total.clamp(min=1e-6)
    # Two peaks of one object end in one place: the first stands for both.
    first = torch.ones(most, most, device=logits.device).tril(diagonal=-1)
    twins = (torch.cdist(place, place) < _TWINS) * first * alive[:, None]
    alive = alive * (twins.sum(dim=2) == 0)
    square = _distance(at, place, _GATHERED)
    closeness = torch.exp(-0.5 * square) * alive[..., None] + 1e-12
    share = closeness / closeness.sum(dim=1, keepdim=True)
    outlier = torch.exp(-((square * (_GATHERED / _FARTHEST) ** 2).square()))
    mask = belongs[:, None] * share * outlier * alive[..., None]
    return Slots(place * alive[..., None], alive, mask.unflatten(2, (height, width)))


def _distance(at: Tensor, place: Tensor, unit: float) -> Tensor:
    """Squared distances (N, K, P) of places (N, K, 2) from points (N, P, 2), in squared units."""
    return ((at[:, None] - place[:, :, None]) / unit).square().sum(dim=-1)
