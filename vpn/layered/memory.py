"""Memory of what is still: the picture behind the arm, learnt from the frames where it was seen.

A running mean of each pixel's readings, as in ``vpn/background.py``, with three differences. Where
the arm is drawn the memory keeps what it had, so that what the arm uncovers comes back as it was;
what the arm has hidden from the start is not known (count 0). A reading that departs from the
memory replaces it only when a second one agrees with it: a single stray sample of a rollout is
forgotten. And what was replaced is kept beside it, as in mixtures of two Gaussians a pixel
(Stauffer and Grimson 1999): strays of a rollout that agree with each other cannot wipe out what
has been seen for long, and one reading that agrees with it brings it back. A deterministic function
of the past, without weights."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

# Readings that a mean remembers at most, so that slow changes of light are followed.
LONGEST = 64.0
# The level of a doubt or a former picture that is not there: no reading is near it.
_NOWHERE = -1000.0


class Memory(NamedTuple):
    """The mean of what is still, behind the arm.

    mean: float32 (B, C, H, W), levels. count: float32 (B, 1, H, W), readings in it; 0 where none
    was seen. doubt: (B, C, H, W), the last reading that departed, or -1000 where the last one
    agreed. former: (B, C, H, W), the best known picture that was replaced, -1000 where none was,
    and former_count: (B, 1, H, W), the readings in it.

    >>> empty(1, 3, 4, 4, torch.device("cpu")).doubt.max().item()
    -1000.0
    """

    mean: Tensor
    count: Tensor
    doubt: Tensor
    former: Tensor
    former_count: Tensor


def empty(batch: int, colours: int, height: int, width: int, device: torch.device) -> Memory:
    """Return the memory before the first frame.

    >>> empty(1, 3, 4, 4, torch.device("cpu")).count.max().item()
    0.0
    """
    mean = torch.zeros(batch, colours, height, width, device=device)
    count = torch.zeros(batch, 1, height, width, device=device)
    return Memory(mean, count, mean + _NOWHERE, mean + _NOWHERE, count)


def remember(memory: Memory, frame: Tensor, hidden: Tensor, threshold: float) -> Memory:
    """Take one uint8 frame (B, C, H, W) into the memory.

    hidden: bool (B, 1, H, W), where the arm is drawn before what the memory holds. threshold:
    levels by which readings of a still pixel may differ.

    >>> frame = torch.full((1, 1, 1, 1), 100, dtype=torch.uint8)
    >>> seen = torch.zeros(1, 1, 1, 1, dtype=torch.bool)
    >>> memory = remember(empty(1, 1, 1, 1, frame.device), frame, seen, 5)
    >>> memory = remember(memory, frame + 50, seen, 5)  # a stray reading
    >>> memory.mean.item(), remember(memory, frame + 50, seen, 5).mean.item()
    (100.0, 150.0)
    """
    frame = frame.float()
    new = memory.count == 0
    agrees = _near(frame, memory.mean, threshold) & ~new
    returns = _near(frame, memory.former, threshold) & ~agrees & ~hidden
    again = _near(frame, memory.doubt, threshold) & ~agrees & ~returns
    starts = (new | again) & ~hidden & ~returns
    takes = (agrees & ~hidden) | returns
    before = torch.where(returns, memory.former, memory.mean)
    count = torch.where(returns, memory.former_count, memory.count)
    count = torch.where(takes, (count + 1).clamp(max=LONGEST), count)
    count = torch.where(starts, 1.0, count)
    mean = before + (frame - before) / count.clamp(min=1)
    mean = torch.where(takes, mean, torch.where(starts, frame, memory.mean))
    departs = ~agrees & ~returns & ~starts & ~hidden
    doubt = torch.where(departs, frame, torch.where(hidden, memory.doubt, _NOWHERE))
    kept = returns | (starts & (memory.count >= memory.former_count) & ~new)
    former = torch.where(kept, memory.mean, memory.former)
    former_count = torch.where(kept, memory.count, memory.former_count)
    return Memory(mean, count, doubt, former, former_count)


def _near(a: Tensor, b: Tensor, threshold: float) -> Tensor:
    return (a - b).abs().amax(dim=1, keepdim=True) <= threshold
