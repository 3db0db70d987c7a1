"""2x2 pixel groups and the sub-sampling pyramid (Reed et al. 2017, section 3.1, figure 2).

Group 1 is the upper-left pixel of every 2x2 block, 2 the upper-right, 3 the lower-left, 4 the
lower-right. All functions only move data; ``merge_groups`` is the inverse of ``split_groups``."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pixelpush.errors import InputError

GROUPS = 4


def split_groups(image: Tensor) -> list[Tensor]:
    """Split (..., H, W) into the four pixel groups, each (..., H/2, W/2).

    Raises InputError unless H and W are even.

    >>> [group.item() for group in split_groups(torch.arange(4).view(2, 2))]
    [0, 1, 2, 3]
    """
    height, width = image.shape[-2:]
    if height % 2 or width % 2:
        raise InputError(
            f"an image of {height}x{width} has no 2x2 blocks; height and width must be even."
        )
    return [image[..., row::2, column::2] for row in (0, 1) for column in (0, 1)]


def merge_groups(groups: Sequence[Tensor]) -> Tensor:
    """Merge four groups (..., h, w) into (..., 2h, 2w).

    >>> merge_groups([torch.full((1, 1), value) for value in range(4)]).tolist()
    [[0, 1], [2, 3]]
    """
    top = torch.stack((groups[0], groups[1]), dim=-1).flatten(-2)
    bottom = torch.stack((groups[2], groups[3]), dim=-1).flatten(-2)
    return torch.stack((top, bottom), dim=-2).flatten(-3, -2)


def subsample(image: Tensor, times: int = 1) -> Tensor:
    """Return the image ``times`` scales down: group 1 of group 1 of ...

    Its pixels are pixels of ``image``.

    >>> subsample(torch.arange(16).view(4, 4)).tolist()
    [[0, 2], [8, 10]]
    """
    step = 2**times
    return image[..., ::step, ::step]


def put_under(small: Tensor, large: Tensor, step: int = 2) -> Tensor:
    """Return the larger image's scores with the smaller one's at every ``step``-th pixel.

    small: (..., h, w). large: (..., step h, step w), without scores of its own at these pixels.

    >>> put_under(torch.ones(1, 1), torch.zeros(2, 2))
    tensor([[1., 0.],
            [0., 0.]])
    """
    score = large.clone()
    score[..., ::step, ::step] = small
    return score
