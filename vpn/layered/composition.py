"""Laying the layers over each other: memory, the last frame moved by flow, the drawn arm."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelpush.image.layers import zero
from pixelpush.vpn.layered.drawing import Drawing
from pixelpush.vpn.layered.objects import Painted, lit_frame
from pixelpush.vpn.motion import FLOW_UNIT, warp

# By how many logits one unit of the network's output corrects the drawn mask.
_CORRECTION = 4.0
# The doubt's logit of a new network: the memory is believed until training says otherwise. So is
# what has replaced what it held before.
_TRUSTED = -6.0
_REPLACED = -4.0
# The logit of a new network's trust in painted objects.
_PAINTED = 3.0


class Layers(NamedTuple):
    """The layers of one predicted frame, from back to front.

    Pictures: float32 (N, C, H, W) in levels. Masks and shade: float32 (N, 1, H, W) in 0..1. Memory
    and moved are as they look without the arm's shadow. centre: all of them composed. flow: float32
    (N, 2, H, W), how many columns and rows away each pixel of ``moved`` was read in the last frame.

    objects, objects_mask: the painted objects, without the arm's shadow; None where a model has
    none.

    >>> Layers._fields[-4:]
    ('centre', 'flow', 'objects', 'objects_mask')
    """

    memory: Tensor
    moved: Tensor
    moved_mask: Tensor
    shade: Tensor
    arm: Tensor
    arm_mask: Tensor
    centre: Tensor
    flow: Tensor
    objects: Tensor | None = None
    objects_mask: Tensor | None = None


class Seen(NamedTuple):
    """What is known when the next frame is composed.

    frame: uint8 (N, C, H, W), the last one. memory: levels, of the same shape, and count: (N, 1, H,
    W), the readings in it. former, former_count: the same of what the memory held before. arm: bool
    (N, 1, H, W), where the arm is in the last frame, and shade: (N, 1, H, W), the light that its
    shadow leaves there.

    >>> Seen._fields
    ('frame', 'memory', 'count', 'former', 'former_count', 'arm', 'shade')
    """

    frame: Tensor
    memory: Tensor
    count: Tensor
    former: Tensor
    former_count: Tensor
    arm: Tensor
    shade: Tensor

    @property
    def lit(self) -> Tensor:
        """The last frame without the arm's shadow, levels."""
        return lit_frame(self.frame, self.shade)

    @property
    def known(self) -> Tensor:
        """The memory, and where nothing is known the last frame, levels."""
        return torch.where(self.count > 0, self.memory, self.lit)

    @property
    def alternative(self) -> Tensor:
        """What the memory held before, and where it held nothing else what is known, levels."""
        return torch.where(self.former_count > 0, self.former, self.known)


class Composition(nn.Module):
    """The network that composes the predicted frame from its layers.

        lit = frame / shade;  known = memory where it is known, else lit, but f where the arm was
        likely = known + r (former - known);  back = likely + d (f - likely)
        source = back where the arm was, else lit;  behind = back + m (warp(source, flow) - back)
        with objects o over o' (their masks in the next and the last frame), trusted by t:
        source <- source + t o' (back - source);  behind <- behind + t o (sprites - behind)
        centre = the drawn arm and shadow over behind, with the mask a

    features (N, D, g, g) say what lies where nothing is known (f), where the memory is doubted
    (d), where what it held before is right (r; a rollout's own strays have replaced it), where the
    last frame goes (flow), where it hides the memory (m), and where the drawn mask (a) is wrong.
    Arm and shadow are taken out of the last frame before it moves, so that no copy of them stays
    behind. A new network moves nothing and leaves the drawn mask as it is.

    >>> composition = Composition(features=4, patch=2, colours=3)
    >>> frame = torch.zeros(1, 3, 8, 8, dtype=torch.uint8)
    >>> one = torch.ones(1, 1, 8, 8)
    >>> known = Seen(frame, frame.float(), one, frame.float(), 0 * one, one < 0, one)
    >>> drawn = Drawing(torch.zeros(1, 3, 8, 8), one, one)
    >>> composition(torch.zeros(1, 4, 4, 4), known, drawn).centre.shape
    torch.Size([1, 3, 8, 8])
    """

    def __init__(
        self, features: int, patch: int, colours: int, hidden: int = 32, paints: bool = False
    ):
        super().__init__()
        self.enter = nn.Conv2d(features, hidden, 3, padding=1)
        self.parts = 2, 1, 1, colours, 1, 1
        if paints:
            self.parts += (1,)
        self.leave = nn.Conv2d(hidden, sum(self.parts) * patch**2, 1)
        self.patch = patch
        zero(self.leave)

    def forward(
        self, features: Tensor, seen: Seen, drawn: Drawing, painted: Painted | None = None
    ) -> Layers:
        hidden = F.pixel_shuffle(self.leave(F.silu(self.enter(features))), self.patch).float()
        with torch.autocast(features.device.type, enabled=False):
            parts = hidden.split(self.parts, dim=1)
            flow, moved_logit, correction, fill, doubt, former = parts[:6]
            flow = FLOW_UNIT * flow
            filled = (127.5 + 127.5 * fill).clamp(0, 255)
            known = torch.where(seen.arm & (seen.count == 0), filled, seen.known)
            replaced = torch.where(seen.former_count > 0, seen.former - known, 0.0)
            likely = known + torch.sigmoid(former + _REPLACED) * replaced
            back = likely + torch.sigmoid(doubt + _TRUSTED) * (filled - likely)
            source = torch.where(seen.arm, back, seen.lit)
            if painted is not None:
                trust = torch.sigmoid(parts[6] + _PAINTED)
                source = source + trust * painted.last_mask * (back - source)
            moved = warp(source, flow)
            moved_mask = torch.sigmoid(moved_logit)
            behind = back + moved_mask * (moved - back)
            if painted is not None:
                behind = behind + trust * (painted.next - painted.next_mask * behind)
            arm_mask = torch.sigmoid(drawn.logit + _CORRECTION * correction)
            centre = drawn.over(behind, arm_mask)
        layers = Layers(back, moved, moved_mask, drawn.shade, drawn.picture, arm_mask, centre, flow)
        if painted is None:
            return layers
        sprites = painted.next / painted.next_mask.clamp(min=1e-3)
        return layers._replace(objects=sprites, objects_mask=trust * painted.next_mask)
