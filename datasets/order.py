"""Which episode comes when, and which of its frames: pure functions of (seed, epoch, index)."""

from __future__ import annotations

import numpy as np

from pixelpush.datasets.hashing import permutation, randint
from pixelpush.errors import InputError

# What a random number is for; the same key never serves two purposes.
_ORDER, _CLIP = 1, 2


def epoch_order(seed: int, epoch: int, count: int) -> np.ndarray:
    """int64 (count,): every example once, in the order of this epoch."""
    return permutation(count, seed, _ORDER, epoch)


def training_clip(seed: int, epoch: int, index: int, length: int, clip_frames: int) -> int:
    """The first frame of the window of ``clip_frames`` that epoch ``epoch`` takes of episode ``index``.

    Every window lies inside the episode, each equally likely. An episode shorter than the window is an InputError.
    """
    if clip_frames < 1:
        raise InputError(f"a clip must have at least 1 frame, got {clip_frames}.")
    if length < clip_frames:
        raise InputError(
            f"episode {index} has {length} frames, a clip needs {clip_frames}; prepare the data with "
            f"--min-frames {clip_frames} or use shorter clips."
        )
    return randint(length - clip_frames + 1, seed, _CLIP, epoch, index)


def evaluation_clips(length: int, clip_frames: int, context: int) -> list[tuple[int, int]]:
    """Windows (start, stop) in which every frame after the first ``context`` is predicted exactly once.

    A window's first ``context`` frames are given, the others predicted; windows overlap by ``context``, and the last
    may be shorter. An episode of no more than ``context`` frames has nothing to predict, which is an InputError.
    """
    if context < 0 or clip_frames <= context:
        raise InputError(f"clips of {clip_frames} frames with {context} frames of context predict nothing.")
    if length <= context:
        raise InputError(f"an episode of {length} frames has nothing to predict after {context} frames of context.")
    starts = range(0, length - context, clip_frames - context)
    return [(start, min(start + clip_frames, length)) for start in starts]
