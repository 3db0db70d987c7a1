"""Where hand and fingertip push objects: a small network over places in the picture."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from pixelpush.image.layers import zero
from pixelpush.vpn.layered.slots import Slots

DIRECTIONS = 12  # of an outline
_NEIGHBOURS = 3
# Features are of frames of this side, whatever the model's.
_SIDE = 64


def _mlp(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, hidden),
        nn.SiLU(),
        nn.Linear(hidden, hidden),
        nn.SiLU(),
        nn.Linear(hidden, outputs),
    )


class HandPlaces(nn.Module):
    """(vector (B, V), code of the first frame (B, K)) -> places (B, 4, 2) in pixels.

    Of fingertip and hand now, then of both in the next frame.

    >>> HandPlaces(vector=5, code=4, size=64)(torch.zeros(1, 5), torch.zeros(1, 4)).shape
    torch.Size([1, 4, 2])
    """

    def __init__(self, vector: int, code: int, size: int, hidden: int = 96):
        super().__init__()
        self.middle = size / 2
        self.net = _mlp(vector + code, hidden, 8)

    def forward(self, vector: Tensor, code: Tensor) -> Tensor:
        places = self.net(torch.cat((vector, code), dim=1)).unflatten(1, (4, 2))
        return self.middle * (1 + places)


class Dynamics(nn.Module):
    """Where objects go: displacements (B, K, 2) in pixels of the next frame.

    What decides is the gap: how far a point of the finger lies outside of the outline. The network
    weighs the object's own last motion, the finger's, and the direction away from the finger.

    >>> dynamics = Dynamics(vector=5, size=64)
    >>> place, alive, outline = torch.zeros(1, 3, 2), torch.ones(1, 3), torch.ones(1, 3, 13)
    >>> hands = torch.zeros(1, 4, 2)
    >>> dynamics((place, place, place), alive, outline, hands, torch.zeros(1, 5)).shape
    torch.Size([1, 3, 2])
    """

    def __init__(self, vector: int, size: int, hidden: int = 96, edge: int = 48):
        super().__init__()
        self.unit = size / _SIDE
        own = 6 + DIRECTIONS + 1 + 4 * 5 + 2 + vector
        self.own = _mlp(own, hidden, hidden)
        self.edge = nn.Sequential(
            nn.Linear(2 * own + 4, edge), nn.SiLU(), nn.Linear(edge, edge), nn.SiLU()
        )
        last = nn.Linear(hidden, 5)
        zero(last)
        self.out = nn.Sequential(nn.Linear(hidden + edge, hidden), nn.SiLU(), last)

    def forward(
        self,
        places: tuple[Tensor, Tensor, Tensor],
        alive: Tensor,
        outline: Tensor,
        hands: Tensor,
        vector: Tensor,
    ) -> Tensor:
        place, before, before2 = (part / self.unit for part in places)
        reach = outline[..., :DIRECTIONS] / self.unit
        area = outline[..., DIRECTIONS:] / self.unit**2
        tip, _, next_tip, next_hand = (hands / self.unit).unbind(1)
        motion = place - before
        points = tip, (tip + next_tip) / 2, next_tip, next_tip + 0.35 * (next_hand - next_tip)
        gaps = [_gap(place, point[:, None], reach) for point in points]
        pushed = (next_tip - tip)[:, None].expand_as(place)
        shared = vector[:, None].expand(-1, place.shape[1], -1)
        parts = (place / 32 - 1, motion, before - before2, reach / 3, area / 32)
        own = torch.cat((*parts, *gaps, pushed / 2, shared), dim=-1)
        around = self._around(own, place, alive, reach)
        out = self.out(torch.cat((self.own(own), around), dim=-1))
        free, keep, along, away = out.split((2, 1, 1, 1), dim=-1)
        way = motion * torch.sigmoid(keep - 2) + 2 * free + along * pushed + away * gaps[2][..., :2]
        return self.unit * way * alive[..., None]

    def _around(self, own: Tensor, place: Tensor, alive: Tensor, reach: Tensor) -> Tensor:
        """What the nearest other objects add (B, K, edge)."""
        count = place.shape[1]
        apart = (place[:, :, None] - place[:, None]).square().sum(dim=-1)
        nobody = 1e6 * (1 - alive)[:, None] + 1e6 * torch.eye(count, device=place.device)
        near, index = (apart + nobody).topk(min(_NEIGHBOURS, count), dim=2, largest=False)
        row = torch.arange(len(place), device=place.device)[:, None, None]
        other = own[row, index]
        towards = place[row, index] - place[:, :, None]
        distance = towards.norm(dim=-1, keepdim=True).clamp(min=0.3)
        direction = towards / distance
        mine = reach[:, :, None].expand(-1, -1, index.shape[2], -1)
        between = distance[..., 0] - _reach(mine, direction) - _reach(reach[row, index], -direction)
        gap = (between[..., None] / 2).clamp(-2, 3)
        weight = torch.exp(-((distance / 12) ** 2)) * (near < 1e5)[..., None]
        pair = torch.cat((own[:, :, None].expand_as(other), other), dim=-1)
        edges = self.edge(torch.cat((pair, towards / 6, distance / 6, gap), dim=-1))
        return (edges * weight).sum(dim=2)


def _reach(outline: Tensor, direction: Tensor) -> Tensor:
    """How far outlines (..., 12) reach in unit directions (..., 2)."""
    turn = torch.atan2(direction[..., 1], direction[..., 0]) * (DIRECTIONS / (2 * math.pi))
    turn = turn % DIRECTIONS
    lower = turn.floor()
    index = lower.long() % DIRECTIONS
    here = outline.gather(-1, index[..., None])[..., 0]
    there = outline.gather(-1, ((index + 1) % DIRECTIONS)[..., None])[..., 0]
    return here + (turn - lower) * (there - here)


def _gap(place: Tensor, point: Tensor, outline: Tensor) -> Tensor:
    """(B, K, 5): direction from a point to objects, turned round, gap, and way to the point."""
    towards = point - place
    distance = towards.norm(dim=-1, keepdim=True).clamp(min=0.3)
    direction = towards / distance
    gap = (distance[..., 0] - _reach(outline, direction)) / 2
    return torch.cat((direction, gap.clamp(-2, 3)[..., None], towards / 6), dim=-1)


def outline_of(slots: Slots) -> Tensor:
    """Outlines (N, K, 13) of slots: reach in pixels in twelve directions, and area.

    >>> mask = torch.zeros(1, 1, 16, 16)
    >>> mask[:, :, 4:9, 6:9] = 1
    >>> outline_of(Slots(torch.tensor([[[7.0, 6.0]]]), torch.ones(1, 1), mask))[0, 0, [0, 3, 12]]
    tensor([ 1.5000,  2.5000, 15.0000])
    """
    height, width = slots.mask.shape[-2:]
    device = slots.mask.device
    turns = torch.arange(DIRECTIONS, device=device) * (2 * math.pi / DIRECTIONS)
    columns = torch.arange(width, device=device) * turns.cos()[:, None, None]
    rows = torch.arange(height, device=device)[:, None] * turns.sin()[:, None, None]
    along = (columns + rows).flatten(1)
    inside = slots.mask.flatten(2)[:, :, None] > 0.5
    farthest = torch.where(inside, along, -1e6).amax(dim=-1)
    axes = torch.stack((turns.cos(), turns.sin()))
    reach = (farthest - slots.place @ axes + 0.5).clamp(min=0)
    return torch.cat((reach, slots.mask.flatten(2).sum(dim=-1, keepdim=True)), dim=-1)
