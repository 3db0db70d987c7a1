"""Lessons in drawing the arm: a few frames of one episode and what lies behind the arm in them."""

from __future__ import annotations

import numpy as np

from pixelpush.datasets.episodes import Episode

# Arrays of a lesson, in the order that ``VideoPixelNetwork.drawing_lesson`` takes them.
LESSON = ("first", "states", "actions", "times", "frames", "behind")
_FRAMES = 2  # drawn of each episode
_MEDIAN_OF = 9  # frames: the arm stays at one place for less than half of an episode


def drawing_lesson(episode: Episode, draw: int) -> dict[str, np.ndarray]:
    """Return the arrays of one lesson, a pure function of the episode and the number ``draw``.

    first: uint8 (C, H, W), a frame of the first quarter. states, actions: float32 (T, ...), from
    it on; the last ones are repeated where the episode ends. times: int64 (K,), frames: uint8 (K,
    C, H, W), those that follow the states at these times. behind: uint8 (C, H, W), each pixel's
    median over the episode: whatever moves stands before it.

    >>> vectors = np.zeros((8, 2), np.float32)
    >>> episode = Episode(np.zeros((8, 3, 4, 4), np.uint8), vectors, vectors, "one")
    >>> drawing_lesson(episode, 5)["frames"].shape
    (2, 3, 4, 4)
    """
    length = len(episode.frames)
    start = draw % (length // 4 + 1)
    steps = length - 1 - start
    # Every time takes other bits of the draw.
    times = np.array([(draw >> 8 * (1 + number)) % steps for number in range(_FRAMES)])
    rows = np.minimum(start + np.arange(length - 1), length - 1)
    chosen = np.linspace(0, length - 1, min(length, _MEDIAN_OF)).round().astype(int)
    # An order statistic, not a mean of two: a level that a pixel really had.
    middle = len(chosen) // 2
    return {
        "first": episode.frames[start],
        "states": episode.states[rows],
        "actions": episode.actions[rows],
        "times": times,
        "frames": episode.frames[start + times + 1],
        "behind": np.partition(episode.frames[chosen], middle, axis=0)[middle],
    }
