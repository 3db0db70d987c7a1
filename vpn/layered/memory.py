"""Memory of what is still: the picture behind the arm, learnt from the frames where it was seen.

A running mean of each pixel's readings, as in ``vpn/background.py``, with two differences. Where
the arm is drawn the memory keeps what it had, so that what the arm uncovers comes back as it was;
what the arm has hidden from the start is not known (count 0). And a reading that departs from the
memory replaces it only when a second one agrees with it: a single stray sample of a rollout is
forgotten. A deterministic function of the past, without weights."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

# Readings that a mean remembers at most, so that slow changes of light are followed.
LONGEST = 64.0


class Memory(NamedTuple):
    """The mean of what is still, behind the arm.

    mean: float32 (B, C, H, W), levels. count: float32 (B, 1, H, W), readings in it; 0 where none
    was seen. doubt: (B, C, H, W), the last reading that departed, or -1000 where the last one
    agreed.

    >>> empty(1, 3, 4, 4, torch.device("cpu")).doubt.max().item()
    -1000.0
    """

    mean: Tensor
    count: Tensor
    doubt: Tensor


def empty(batch: int, colours: int, height: int, width: int, device: torch.device) -> Memory:
    """Return the memory before the first frame.

    >>> empty(1, 3, 4, 4, torch.device("cpu")).count.max().item()
    0.0
    """
    mean = torch.zeros(batch, colours, height, width, device=device)
    return Memory(mean, torch.zeros(batch, 1, height, width, device=device), mean - 1000)


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
    again = _near(frame, memory.doubt, threshold) & ~agrees
    starts = (new | again) & ~hidden
    takes = agrees & ~hidden
    count = torch.where(takes, (memory.count + 1).clamp(max=LONGEST), memory.count)
    count = torch.where(starts, 1.0, count)
    mean = memory.mean + (frame - memory.mean) / count.clamp(min=1)
    mean = torch.where(takes, mean, torch.where(starts, frame, memory.mean))
    departs = ~agrees & ~starts & ~hidden
    doubt = torch.where(departs, frame, torch.where(hidden, memory.doubt, -1000.0))
    return Memory(mean, count, doubt)


def _near(a: Tensor, b: Tensor, threshold: float) -> Tensor:
    return (a - b).abs().amax(dim=1, keepdim=True) <= threshold
