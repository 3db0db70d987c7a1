"""Objects: each is a sprite of the first frame with one way, along which the hand pushes it.

Objects are few and rigid, so one displacement for each says more than a flow for each pixel. The
slots are found once; from then on their places follow from states and actions alone, so that
nothing that was sampled can lead them astray. Where a recorded past has an object elsewhere, the
network that composes the frame sees it and leaves the sprite out."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils import _pytree as tree

from pixelpush.vpn.layered.dynamics import DIRECTIONS, Dynamics, HandPlaces, outline_of
from pixelpush.vpn.layered.memory import Memory, remember
from pixelpush.vpn.layered.slots import SlotNet, Slots, group

# An object that has come this far, in pixels, has left its home.
_LEFT = 0.4
# Where an object that has left its home covers more than this, it hides what lies behind.
_COVERS = 0.5
# A label nearer than this to a slot is that of the same object.
_NEAR = 3.0
# A shadow darker than this is not divided out: what is left of its pixels is noise.
FAINTEST = 0.25
# Sides, in pixels, of the squares whose known floor stands for what an object has left.
_AROUND = 9, 31


class Objects(NamedTuple):
    """The objects of B videos in one frame.

    found: the slots of the first frame. place, before, before2: (B, K, 2), in this frame and in the
    two before it. outline: (B, K, 13), how far the object reaches in twelve directions, and its
    area. lit: (B, C, H, W), the first frame without the arm's shadow, levels. left: (B, K), 1 once
    it has left its home.

    >>> Objects._fields
    ('found', 'place', 'before', 'before2', 'outline', 'lit', 'left')
    """

    found: Slots
    place: Tensor
    before: Tensor
    before2: Tensor
    outline: Tensor
    lit: Tensor
    left: Tensor


class Painted(NamedTuple):
    """The objects that have left their homes, in the last frame and in the next.

    last, next: levels (N, C, H, W), times the mask. last_mask, next_mask: (N, 1, H, W) in 0..1.

    >>> Painted._fields
    ('last', 'last_mask', 'next', 'next_mask')
    """

    last: Tensor
    last_mask: Tensor
    next: Tensor
    next_mask: Tensor


class Reading(NamedTuple):
    """What ``memory.remember`` takes beside the memory.

    >>> Reading._fields
    ('frame', 'hidden', 'threshold')
    """

    frame: Tensor
    hidden: Tensor
    threshold: float


class ObjectLayer(nn.Module):
    """Finds objects in the first frame, leads them along their ways, and paints them.

    >>> layer = ObjectLayer(vector=5, code=4, colours=3, size=16, most=2)
    >>> frame = torch.zeros(1, 3, 16, 16, dtype=torch.uint8)
    >>> objects = layer.begin(frame, torch.ones(1, 1, 16, 16))
    >>> layer.follow(objects, torch.zeros(1, 5), torch.zeros(1, 4)).place.shape
    torch.Size([1, 2, 2])
    """

    def __init__(self, vector: int, code: int, colours: int, size: int, most: int):
        super().__init__()
        self.most = most
        self.slots = SlotNet(colours)
        self.hands = HandPlaces(vector, code, size)
        self.dynamics = Dynamics(vector, size)

    def none(self, batch: int, colours: int, size: int, device: torch.device) -> Objects:
        """What stands in the carry before the first frame."""
        blank = torch.zeros(batch, self.most, device=device)
        place = blank[..., None].expand(-1, -1, 2)
        mask = blank[:, :, None, None].expand(-1, -1, size, size)
        outline = blank[..., None].expand(-1, -1, DIRECTIONS + 1)
        lit = torch.zeros(batch, colours, size, size, device=device)
        found = Slots(place, blank, mask)
        return Objects(found, place, place, place, outline, lit, blank)

    def begin_new(self, objects: Objects, seen: Tensor, frame: Tensor, lit: Tensor) -> Objects:
        """The same objects where a frame was seen before, seen (B, 1), else those of this frame."""
        if frame.device.type == "cpu" and bool((seen > 0).all()):
            return objects
        new = self.begin(frame, lit)
        return tree.tree_map(lambda old, fresh: _chosen(seen, old, fresh), objects, new)

    @torch.no_grad()
    def begin(self, frame: Tensor, lit: Tensor) -> Objects:
        """Objects of first frames uint8 (B, C, H, W); lit: without the arm's shadow, levels."""
        with torch.autocast(frame.device.type, enabled=False):
            logits, votes = self.slots(frame)
            found = group(logits, votes, self.most)
            place = found.place
            left = torch.zeros_like(found.alive)
            return Objects(found, place, place, place, outline_of(found), lit, left)

    @torch.no_grad()
    def follow(
        self, objects: Objects, vector: Tensor, code: Tensor, told: Tensor | None = None
    ) -> Objects:
        """The objects in the next frame; vector and code as the drawing has them.

        told: (B, K, 2), their places there, where they are known."""
        with torch.autocast(vector.device.type, enabled=False):
            hands = self.hands(vector.float(), code.float())
            places = objects.place, objects.before, objects.before2
            alive = objects.found.alive
            way = self.dynamics(places, alive, objects.outline, hands, vector.float())
            place = objects.place + way if told is None else told
            came = (place - objects.found.place).norm(dim=-1)
            left = torch.maximum(objects.left, (came > _LEFT).float()) * alive
        return objects._replace(
            place=place, before=objects.place, before2=objects.before, left=left
        )

    @torch.no_grad()
    def lead(
        self,
        objects: Objects,
        vector: Tensor,
        code: Tensor,
        told: Tensor | None,
        memory: Memory,
        reading: Reading,
    ) -> tuple[Memory, Objects, Painted]:
        """Take a frame into the memory and lead the objects to the next; paint them in both."""
        last = paint(objects)
        hidden = reading.hidden | (last[1] > _COVERS)
        memory = remember(memory, reading.frame, hidden, reading.threshold)
        led = self.follow(objects, vector, code, told)
        return leave(memory, objects, led), led, Painted(*last, *paint(led))


def _chosen(seen: Tensor, old: Tensor, fresh: Tensor) -> Tensor:
    return torch.where(seen.view(-1, *[1] * (old.dim() - 1)) > 0, old, fresh)


def lit_frame(frame: Tensor, shade: Tensor) -> Tensor:
    """A frame without the arm's shadow, levels.

    >>> lit_frame(torch.tensor([60.0, 200.0]), torch.tensor(0.5))
    tensor([120., 255.])
    """
    return (frame / shade.clamp(min=FAINTEST)).clamp(max=255)


def ways(found: Slots, labels: Tensor) -> Tensor:
    """Places (B, T, K, 2) of slots that go as the labels (B, T, N, 2) next to them do.

    A slot that has no label within three pixels stays.

    >>> found = Slots(torch.tensor([[[4.0, 4.0]]]), torch.ones(1, 1), torch.ones(1, 1, 8, 8))
    >>> ways(found, torch.tensor([[[[5.0, 4.0]], [[7.0, 4.0]]]]))[0, :, 0].tolist()
    [[4.0, 4.0], [6.0, 4.0]]
    """
    first = labels[:, 0].nan_to_num(nan=-1e3)
    apart = (found.place[:, :, None] - first[:, None]).norm(dim=-1)
    distance, index = apart.min(dim=2)
    index = index[:, None, :, None].expand(-1, labels.shape[1], -1, 2)
    came = (labels - labels[:, :1]).nan_to_num().gather(2, index)
    return found.place[:, None] + came * (distance < _NEAR)[:, None, :, None]


def paint(objects: Objects) -> tuple[Tensor, Tensor]:
    """Sprites of what has left its home, where it is now: (levels times mask, mask).

    Float32 (B, C, H, W) and (B, 1, H, W). Where two overlap they share the pixel.

    >>> mask = torch.ones(1, 1, 8, 8)
    >>> found = Slots(torch.zeros(1, 1, 2), torch.ones(1, 1), mask)
    >>> here = torch.zeros(1, 1, 2)
    >>> lit = torch.full((1, 3, 8, 8), 50.0)
    >>> objects = Objects(found, here + 4, here, here, here, lit, torch.ones(1, 1))
    >>> paint(objects)[1][0, 0, 5, :].tolist()
    [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]
    """
    mask = objects.found.mask
    batch, count, height, width = mask.shape
    sprites = torch.cat((mask[:, :, None] * objects.lit[:, None], mask[:, :, None]), dim=2)
    shift = (objects.place - objects.found.place).flatten(0, 1)
    columns = torch.arange(width, device=mask.device) + 0.5 - shift[:, 0, None, None]
    rows = torch.arange(height, device=mask.device)[:, None] + 0.5 - shift[:, 1, None, None]
    columns = columns.expand(-1, height, -1)
    rows = rows.expand(-1, -1, width)
    at = torch.stack((2 * columns / width - 1, 2 * rows / height - 1), dim=-1)
    moved = F.grid_sample(
        sprites.flatten(0, 1), at, mode="bilinear", padding_mode="zeros", align_corners=False
    )
    moved = moved.unflatten(0, (batch, count)) * objects.left[:, :, None, None, None]
    total = moved.sum(dim=1)
    total = total / total[:, -1:].clamp(min=1)
    return total[:, :-1], total[:, -1:]


def left_homes(objects: Objects) -> Tensor:
    """Return the masks (B, H, W), at home, of what has left it.

    >>> found = Slots(torch.zeros(1, 1, 2), torch.ones(1, 1), torch.ones(1, 1, 8, 8))
    >>> here = torch.zeros(1, 1, 2)
    >>> objects = Objects(found, here, here, here, here, here, torch.ones(1, 1))
    >>> left_homes(objects).mean().item()
    1.0
    """
    return (objects.left[:, :, None, None] * objects.found.mask).sum(dim=1)


def leave(memory: Memory, before: Objects, after: Objects) -> Memory:
    """The memory once objects have left their homes: there it holds the floor around them.

    One reading stands for it, so that what is seen there replaces it soon.

    >>> from pixelpush.vpn.layered.memory import empty
    >>> layer = ObjectLayer(vector=5, code=4, colours=3, size=16, most=2)
    >>> still = layer.begin(torch.zeros(1, 3, 16, 16).byte(), torch.zeros(1, 3, 16, 16))
    >>> leave(empty(1, 3, 16, 16, torch.device("cpu")), still, still).count.max().item()
    0.0
    """
    mask = after.found.mask
    new = (after.left > before.left).float()
    stays = ((1 - after.left)[:, :, None, None] * mask).sum(dim=1, keepdim=True)
    home = F.max_pool2d((new[:, :, None, None] * mask).sum(dim=1, keepdim=True), 3, 1, 1)
    emptied = (home > 0.3) & (stays < 0.3)
    # Known floor: not the home of any object, moved or not, and no pixel beside one.
    objects = F.max_pool2d(mask.sum(dim=1, keepdim=True), 5, 1, 2)
    known = ((memory.count > 0) & (objects < 0.1)).float()
    total = torch.zeros_like(memory.mean)
    share = torch.zeros_like(memory.count)
    for side, weight in zip(_AROUND, (1.0, 1e-3), strict=True):
        window = (side, 1, side // 2)
        total = total + weight * F.avg_pool2d(known * memory.mean, *window)
        share = share + weight * F.avg_pool2d(known, *window)
    floor = torch.where(share > 0, total / share.clamp(min=1e-9), memory.mean)
    return Memory(
        torch.where(emptied, floor, memory.mean),
        torch.where(emptied, 1.0, memory.count),
        torch.where(emptied, -1000.0, memory.doubt),
        torch.where(emptied, -1000.0, memory.former),
        torch.where(emptied, 0.0, memory.former_count),
    )
