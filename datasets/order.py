"""Which episode comes when, and which of its frames: pure functions of (seed, epoch, index)."""

from __future__ import annotations

import numpy as np

from pixelpush.datasets.hashing import permutation, randint
from pixelpush.errors import InputError

# What a random number is for; the same key never serves two purposes.
_ORDER = 1
_CLIP = 2


def epoch_order(seed: int, epoch: int, count: int) -> np.ndarray:
    """int64 (count,): every example once, in the order of this epoch.

    >>> sorted(epoch_order(seed=0, epoch=1, count=3).tolist())
    [0, 1, 2]
    """
    return permutation(count, seed, _ORDER, epoch)


def training_clip(seed: int, epoch: int, index: int, length: int, clip_frames: int) -> int:
    """The first frame of the window that epoch ``epoch`` takes of episode ``index``.

    length: frames of the episode; clip_frames: of the window. Every window lies inside the episode,
    each equally likely. An episode shorter than the window is an InputError.

    >>> 0 <= training_clip(seed=0, epoch=0, index=0, length=30, clip_frames=20) <= 10
    True
    """
    if clip_frames < 1:
        raise InputError(f"a clip must have at least 1 frame, got {clip_frames}.")
    if length < clip_frames:
        raise InputError(
            f"episode {index} has {length} frames, a clip needs {clip_frames}; prepare the data "
            "with "
            f"--min-frames {clip_frames} or use shorter clips."
        )
    return randint(length - clip_frames + 1, seed, _CLIP, epoch, index)
