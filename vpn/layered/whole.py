"""What teaches a model to keep objects whole in futures of its own.

In a past of the model's own a pushed object is where its way leads, not where the truth has it. So
there the truth cannot teach how it looks in the next frame; but it is rigid, and moves on as it
is. Such targets make a sample that has lost some of its pixels whole again."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

# Covered by an object, beside one, under the arm: masks above these.
_COVERED = 0.5
_TOUCHED = 0.1
_ARM = 0.2
_MOSTLY_ARM = 0.5
# Deviation in levels of a sprite's noise: samples are not to be flatter than frames.
_NOISE = 0.5


class WholeObjects(NamedTuple):
    """The objects of the frames that follow T frames of B videos, laid before nothing.

    sprites: levels (B, T, C, H, W), in the arm's shadow, and mask: (B, T, 1, H, W). arm: of the
    same shape, where it is drawn. homes: (B, T, H, W), what has left its home lay there.

    >>> WholeObjects._fields
    ('sprites', 'mask', 'arm', 'homes')
    """

    sprites: Tensor
    mask: Tensor
    arm: Tensor
    homes: Tensor


def whole_targets(objects: WholeObjects, frames: Tensor, unlearnt: Tensor) -> tuple[Tensor, Tensor]:
    """Return frames in which the objects are where their ways lead, and what teaches nothing.

    frames: uint8 (B, T, C, H, W), the true ones. unlearnt: bool (B, T, H, W), which is returned
    with the objects' homes and edges beside what it has.

    >>> one = torch.ones(1, 1, 1, 2, 2)
    >>> objects = WholeObjects(200 * one, one, 0 * one, one[:, :, 0])
    >>> nothing = torch.zeros(1, 1, 2, 2, dtype=torch.bool)
    >>> targets, unlearnt = whole_targets(objects, (0 * one).byte(), nothing)
    >>> bool((targets > 190).all()), bool(unlearnt.any())
    (True, False)
    """
    noise = _NOISE * torch.randn_like(objects.sprites)
    sprites = (objects.sprites + noise).round().clamp(0, 255).byte()
    covered = (objects.mask > _COVERED) & (objects.arm < _ARM)
    touched = (objects.mask > _TOUCHED)[:, :, 0] | (objects.homes > _TOUCHED)
    behind = objects.arm[:, :, 0] < _MOSTLY_ARM
    unlearnt = (unlearnt | touched) & behind & ~covered[:, :, 0]
    return torch.where(covered, sprites, frames), unlearnt
