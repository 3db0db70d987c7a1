"""What teaches to find objects and to foresee their ways: the labels of the simulated bin."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelpush.vpn.layered.dynamics import outline_of
from pixelpush.vpn.layered.objects import ObjectLayer
from pixelpush.vpn.layered.slots import Slots

# The first label of an object in a segmentation; before it are the floor and the arm.
_FIRST = 2
# Weight of an object's pixels, which are few, among the classes; and of the votes' distance.
_CLASSES = (1.0, 1.0, 1.5)
_VOTES = 0.15
# Displacements: pixels within which the error counts squared, and how far off, in pixels, the past
# is shown, since at a rollout's end it is not the truth.
_NEAR = 0.5
_OFF = 0.3


class ObjectLesson(NamedTuple):
    """Labelled frames of B episodes.

    frame: uint8 (B, C, H, W), at the time (B,), and segmentation: (B, H, W), its pixels' labels.
    vectors: (B, T, V), normalised. places: (B, T, N, 2), of the objects in pixels, NaN for none.
    hands: (B, T, 2, 2), of fingertip and hand.

    >>> ObjectLesson._fields
    ('frame', 'segmentation', 'time', 'vectors', 'places', 'hands')
    """

    frame: Tensor
    segmentation: Tensor
    time: Tensor
    vectors: Tensor
    places: Tensor
    hands: Tensor


class ObjectErrors(NamedTuple):
    """What teaches the objects.

    classes: nats per pixel. votes: pixels, on objects. hands: pixels (smooth L1). ways: pixels, of
    one step of every object from a true past (Huber's loss).

    >>> ObjectErrors._fields
    ('classes', 'votes', 'hands', 'ways')
    """

    classes: Tensor
    votes: Tensor
    hands: Tensor
    ways: Tensor

    def loss(self) -> Tensor:
        """What is minimised."""
        return self.classes + _VOTES * self.votes + self.hands + self.ways


def object_errors(layer: ObjectLayer, code: Tensor, lesson: ObjectLesson) -> ObjectErrors:
    """The errors of a layer; code: (B, K), the drawing's, of the lesson's frame.

    >>> layer = ObjectLayer(vector=5, code=4, colours=3, size=16, most=2)
    >>> grey = torch.full((1, 3, 16, 16), 100, dtype=torch.uint8)
    >>> still = torch.full((1, 3, 1, 2), 8.0)
    >>> lesson = ObjectLesson(grey, grey[:, 0] * 0, torch.zeros(1).long(), torch.zeros(1, 3, 5),
    ...     still, torch.zeros(1, 3, 2, 2))
    >>> errors = object_errors(layer, torch.zeros(1, 4), lesson)
    >>> errors.votes.item()  # nothing is labelled as an object
    0.0
    """
    seen = lesson.segmentation.long()
    row = torch.arange(len(seen), device=seen.device)
    known = lesson.places.nan_to_num()
    logits, votes = layer.slots(lesson.frame)
    weights = torch.tensor(_CLASSES, device=logits.device)
    classes = F.cross_entropy(logits, seen.clamp(max=_FIRST), weight=weights)
    objects = seen >= _FIRST
    here = known[row, lesson.time]
    at = here[row[:, None, None], (seen - _FIRST).clamp(min=0, max=here.shape[1] - 1)]
    off = (votes - (at.movedim(-1, 1) - _pixels(seen))).abs().sum(dim=1)
    voted = (off * objects).sum() / objects.sum().clamp(min=1)
    hands = torch.cat((lesson.hands[:, :-1], lesson.hands[:, 1:]), dim=2)
    steps = hands.shape[1]
    vectors = lesson.vectors[:, :steps].flatten(0, 1)
    codes = code[:, None].expand(-1, steps, -1).flatten(0, 1)
    found = layer.hands(vectors, codes)
    handed = F.smooth_l1_loss(found, hands.flatten(0, 1))
    return ObjectErrors(classes, voted, handed, _ways(layer, lesson, here, hands, vectors))


def _ways(
    layer: ObjectLayer, lesson: ObjectLesson, here: Tensor, hands: Tensor, vectors: Tensor
) -> Tensor:
    places, seen = lesson.places, lesson.segmentation
    alive = (~places[:, 0].isnan().any(dim=-1)).float()
    numbers = torch.arange(places.shape[2], device=places.device) + _FIRST
    mask = (seen[:, None] == numbers[:, None, None]).float()
    outline = outline_of(Slots(here, alive, mask))
    known = places.nan_to_num()
    steps = hands.shape[1]
    earlier = torch.cat((known[:, :1], known[:, :1], known), dim=1)
    past = (known[:, :steps], earlier[:, 1 : 1 + steps], earlier[:, :steps])
    shown = _OFF * torch.randn_like(past[0])
    given = tuple((part + shown).flatten(0, 1) for part in past)
    alive, outline = (_repeated(part, steps) for part in (alive, outline))
    way = layer.dynamics(given, alive, outline, hands.flatten(0, 1), vectors)
    true = (known[:, 1:] - known[:, :steps]).flatten(0, 1)
    away = ((way - true).square().sum(dim=-1) + 1e-6).sqrt()
    error = torch.where(away < _NEAR, away.square() / (2 * _NEAR), away - _NEAR / 2)
    return (error * alive).sum() / alive.sum().clamp(min=1)


def _repeated(part: Tensor, times: int) -> Tensor:
    """(B, ...) -> (B times, ...), each entry ``times`` in a row."""
    return part[:, None].expand(-1, times, *part.shape[1:]).flatten(0, 1)


def _pixels(like: Tensor) -> Tensor:
    """Column and row (2, H, W) of every pixel."""
    height, width = like.shape[-2:]
    columns = torch.arange(width, device=like.device).expand(height, width)
    rows = torch.arange(height, device=like.device)[:, None].expand(height, width)
    return torch.stack((columns, rows)).float()
