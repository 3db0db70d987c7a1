"""Where chosen pixels go: the model's own flow moves a distribution over places.

A planner asks where a point of the picture will be. The encoder already says, for every pixel of
the next frame, where in the last frame it was read, and how far that moved frame hides what is
still.
The same reading moves a distribution over places (Finn and Levine 2017, section IV: designated
pixels)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from pixelpush.vpn.motion import warp

# Below this share of its mass a distribution counts as lost; it then stays where it was.
_LOST = 0.05


class Moving(NamedTuple):
    """How pixels of the last frame get into the next one.

    flow: float32 (N, 2, H, W), how many columns and rows away each pixel was read. share: float32
    (N, 1, H, W) in 0..1, of each pixel that was read there; the rest did not move.

    >>> Moving(torch.zeros(1, 2, 4, 4), torch.ones(1, 1, 4, 4)).share.shape
    torch.Size([1, 1, 4, 4])
    """

    flow: Tensor
    share: Tensor


def point_mass(points: Tensor, size: int, spread: float = 1.0) -> Tensor:
    """Return distributions float32 (P, size, size) round points (P, 2), column and row in pixels.

    The centre of the first pixel is (0, 0). spread: standard deviation in pixels, so that a flow
    that changes from pixel to pixel does not tear a single pixel away.

    >>> mass = point_mass(torch.tensor([[3.0, 5.0]]), 8)
    >>> divmod(int(mass.argmax()), 8)
    (5, 3)
    """
    places = torch.arange(size, dtype=torch.float32, device=points.device)
    columns = torch.exp(-((places - points[:, :1].float()) ** 2) / (2 * spread**2))
    rows = torch.exp(-((places - points[:, 1:].float()) ** 2) / (2 * spread**2))
    mass = rows[:, :, None] * columns[:, None, :]
    return mass / mass.sum(dim=(1, 2), keepdim=True).clamp(min=1e-30)


def move_points(mass: Tensor, moving: Moving) -> Tensor:
    """Move distributions (N, P, H, W) by one frame; each still sums to 1.

        p'(x) = share(x) p(x + flow(x)) + (1 - share(x)) p(x), divided by its sum

    A distribution of which nothing is read any more stays where it was.

    >>> mass = point_mass(torch.tensor([[3.0, 5.0]]), 8)[None]
    >>> left = torch.tensor([1.0, 0.0]).view(1, 2, 1, 1).expand(1, 2, 8, 8)
    >>> divmod(int(move_points(mass, Moving(left, torch.ones(1, 1, 8, 8))).argmax()), 8)
    (5, 2)
    """
    moved = mass + moving.share * (warp(mass, moving.flow) - mass)
    total = moved.sum(dim=(2, 3), keepdim=True)
    return torch.where(total > _LOST, moved / total.clamp(min=_LOST), mass)


def mean_distance(mass: Tensor, goals: Tensor) -> Tensor:
    """Return the expected distance (N, P) in pixels of distributions from goals (P, 2).

    >>> mass = point_mass(torch.tensor([[3.0, 5.0]]), 8, spread=0.1)[None]
    >>> round(mean_distance(mass, torch.tensor([[3.0, 1.0]])).item(), 3)
    4.0
    """
    height, width = mass.shape[-2:]
    columns = torch.arange(width, device=mass.device) - goals[:, :1].float()
    rows = torch.arange(height, device=mass.device) - goals[:, 1:].float()
    distance = torch.hypot(rows[:, :, None], columns[:, None, :])
    return (mass * distance).sum(dim=(2, 3))


def mean_place(mass: Tensor) -> Tensor:
    """Return the expected places (N, P, 2), column and row, of distributions (N, P, H, W).

    >>> mass = point_mass(torch.tensor([[3.0, 5.0]]), 9, spread=0.1)[None]
    >>> mean_place(mass).round(decimals=3).tolist()
    [[[3.0, 5.0]]]
    """
    height, width = mass.shape[-2:]
    columns = (mass.sum(dim=2) * torch.arange(width, device=mass.device)).sum(dim=-1)
    rows = (mass.sum(dim=3) * torch.arange(height, device=mass.device)).sum(dim=-1)
    return torch.stack((columns, rows), dim=-1)
