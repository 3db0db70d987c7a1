"""Laying the layers over each other: memory, the last frame moved by flow, the drawn arm."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelpush.image.layers import zero
from pixelpush.vpn.layered.drawing import Drawing
from pixelpush.vpn.motion import FLOW_UNIT, warp

# By how many logits one unit of the network's output corrects the drawn mask.
_CORRECTION = 4.0


class Layers(NamedTuple):
    """The layers of one predicted frame, from back to front.

    Pictures: float32 (N, C, H, W) in levels. Masks: float32 (N, 1, H, W) in 0..1. centre: all of
    them composed. flow: float32 (N, 2, H, W), how many columns and rows away each pixel of
    ``moved`` was read in the last frame.

    >>> Layers._fields
    ('memory', 'moved', 'moved_mask', 'arm', 'arm_mask', 'centre', 'flow')
    """

    memory: Tensor
    moved: Tensor
    moved_mask: Tensor
    arm: Tensor
    arm_mask: Tensor
    centre: Tensor
    flow: Tensor


class Composition(nn.Module):
    """The network that composes the predicted frame from its layers.

        behind = memory + m (moved - memory);  centre = behind + a (arm - behind)

    features (N, D, g, g) say where the last frame goes, where it hides the memory (m), and where
    the drawn mask (a) is wrong. A new network moves nothing and leaves the drawn mask as it is.

    >>> composition = Composition(features=4, patch=2)
    >>> frame = torch.zeros(1, 3, 8, 8, dtype=torch.uint8)
    >>> drawn = Drawing(torch.zeros(1, 3, 8, 8), torch.zeros(1, 1, 8, 8))
    >>> composition(torch.zeros(1, 4, 4, 4), frame, frame.float(), drawn).centre.shape
    torch.Size([1, 3, 8, 8])
    """

    def __init__(self, features: int, patch: int, hidden: int = 32):
        super().__init__()
        self.enter = nn.Conv2d(features, hidden, 3, padding=1)
        self.leave = nn.Conv2d(hidden, 4 * patch**2, 1)
        self.patch = patch
        zero(self.leave)

    def forward(self, features: Tensor, frame: Tensor, memory: Tensor, drawn: Drawing) -> Layers:
        """frame: uint8 (N, C, H, W), the last one; memory: levels, of the same shape."""
        hidden = F.pixel_shuffle(self.leave(F.silu(self.enter(features))), self.patch).float()
        with torch.autocast(features.device.type, enabled=False):
            flow, moved_logit, correction = hidden.split((2, 1, 1), dim=1)
            flow = FLOW_UNIT * flow
            moved = warp(frame.float(), flow)
            moved_mask = torch.sigmoid(moved_logit)
            behind = memory + moved_mask * (moved - memory)
            arm_mask = torch.sigmoid(drawn.logit + _CORRECTION * correction)
            centre = behind + arm_mask * (drawn.picture - behind)
        return Layers(memory, moved, moved_mask, drawn.picture, arm_mask, centre, flow)
