"""A running mean of what has not changed: the image that distributions are centred on.

A still pixel under sensor noise is best predicted by the mean of all its readings, not by the last
one: with noise of variance v, the mean of n readings errs by v/n. The mean starts anew wherever a
pixel departs from it, so for what moves it is the previous frame. It is a deterministic function of
the frames seen, and so allowed in an exact likelihood."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

# Readings that a mean remembers at most, so that slow changes of light are followed.
LONGEST = 64.0


class Background(NamedTuple):
    """The running mean of a video's still pixels.

    mean: float32 (B, C, H, W), levels 0..255. count: float32 (B, 1, H, W), readings in it; 0 before
    any frame.

    >>> empty(1, 3, 4, 4, torch.device("cpu")).count.shape
    torch.Size([1, 1, 4, 4])
    """

    mean: Tensor
    count: Tensor


def empty(batch: int, colours: int, height: int, width: int, device: torch.device) -> Background:
    """Return the background before the first frame.

    >>> empty(1, 3, 4, 4, torch.device("cpu")).count.max().item()
    0.0
    """
    mean = torch.zeros(batch, colours, height, width, device=device)
    return Background(mean, torch.zeros(batch, 1, height, width, device=device))


def observe(background: Background, frame: Tensor, threshold: float) -> Background:
    """Take one uint8 frame (B, C, H, W) into the mean.

    A pixel starts anew where any colour departs by more than ``threshold`` levels; with threshold 0
    the mean is the frame itself.

    >>> background = empty(1, 1, 1, 1, torch.device("cpu"))
    >>> for level in (100, 102):
    ...     background = observe(background, torch.full((1, 1, 1, 1), level).byte(), threshold=5.0)
    >>> background.mean.item(), background.count.item()
    (101.0, 2.0)
    """
    frame = frame.float()
    difference = frame - background.mean
    still = (difference.abs().amax(dim=1, keepdim=True) <= threshold) & (background.count > 0)
    # m <- m + (x - m) / n with n at most LONGEST: an exact mean first, a sliding one later.
    count = torch.where(still, (background.count + 1).clamp(max=LONGEST), 1.0)
    return Background(torch.where(still, background.mean + difference / count, frame), count)
