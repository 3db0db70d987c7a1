"""Samples of pixels: what each shows, and when a pixel needs more of them.

Arrays of levels over s samples of n pixels are float32 (3, s, n)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

f32 = np.float32


@dataclass(frozen=True)
class Samples:
    """Some samples of n pixels.

    levels: float32 (3, s, n), developed, of pixels that see something moving; of the others, by how
    much the shadows of moving things change the still scene's levels. geom: int32 (s, n). moving,
    shaded: bool (s, n), where something moving is seen, and where it hides the lamp from what is
    still.

    >>> still = np.zeros((4, 2), bool)
    >>> samples = Samples(np.zeros((3, 4, 2), f32), np.zeros((4, 2), np.int32), still, still)
    >>> samples.joined(samples).levels.shape
    (3, 8, 2)
    """

    levels: np.ndarray
    geom: np.ndarray
    moving: np.ndarray
    shaded: np.ndarray

    def joined(self, more: Samples) -> Samples:
        """These samples and more of the same pixels.

        >>> still = np.zeros((4, 2), bool)
        >>> samples = Samples(np.zeros((3, 4, 2), f32), np.zeros((4, 2), np.int32), still, still)
        >>> samples.joined(samples).geom.shape
        (8, 2)
        """
        return Samples(
            np.concatenate((self.levels, more.levels), axis=1),
            np.concatenate((self.geom, more.geom)),
            np.concatenate((self.moving, more.moving)),
            np.concatenate((self.shaded, more.shaded)),
        )

    def of(self, pixels: np.ndarray) -> Samples:
        """These samples of some of the pixels.

        >>> still = np.zeros((4, 2), bool)
        >>> samples = Samples(np.zeros((3, 4, 2), f32), np.zeros((4, 2), np.int32), still, still)
        >>> samples.of(np.array([1])).levels.shape
        (3, 4, 1)
        """
        return Samples(
            self.levels[..., pixels],
            self.geom[:, pixels],
            self.moving[:, pixels],
            self.shaded[:, pixels],
        )

    def rough(self, bound: float, edges_only: bool) -> np.ndarray:
        """Where samples differ so much that the mean of more may be another: bool (n,).

        bound: by how many levels. edges_only: where they also see different geoms.

        >>> levels = np.zeros((3, 2, 2), f32)
        >>> levels[0, 1, 0] = 9  # the first pixel's samples differ
        >>> still = np.zeros((2, 2), bool)
        >>> samples = Samples(levels, np.zeros((2, 2), np.int32), still, still)
        >>> samples.rough(4.0, edges_only=False).tolist(), samples.rough(4.0, True).tolist()
        ([True, False], [False, False])
        """
        rough = spread(self.levels) > bound
        return rough & (self.geom != self.geom[0]).any(axis=0) if edges_only else rough

    def mean(self, still: np.ndarray) -> np.ndarray:
        """The levels of the pixels, float32 (3, n).

        still: the still scene's, from all its samples; where nothing moving is seen, these samples
        only say how they change.

        >>> moving = np.array([[True, False]])
        >>> samples = Samples(np.ones((3, 1, 2), f32), np.zeros((1, 2), np.int32), moving, ~moving)
        >>> samples.mean(np.full((3, 2), 100, f32))[0].tolist()
        [1.0, 101.0]
        """
        return np.where(self.moving.any(axis=0), 0, still) + mean(self.levels)


def mean(levels: np.ndarray) -> np.ndarray:
    """The mean over the samples, (3, s, n) -> (3, n).

    They are added pair by pair in a fixed order; s is a power of two.

    >>> mean(np.array([1, 2, 3, 6], f32).reshape(1, 4, 1)).tolist()
    [[3.0]]
    """
    total = levels
    while total.shape[1] > 1:
        half = total.shape[1] // 2
        total = total[:, :half] + total[:, half:]
    return total[:, 0] * f32(1 / levels.shape[1])


def spread(levels: np.ndarray) -> np.ndarray:
    """The largest difference between samples in any colour: (3, s, n) -> (n,).

    >>> spread(np.array([1, 2, 3, 6], f32).reshape(1, 4, 1)).tolist()
    [5.0]
    """
    return (levels.max(axis=1) - levels.min(axis=1)).max(axis=0)


def most(labels: np.ndarray) -> np.ndarray:
    """The label that most samples have, the smallest of those that tie: (s, n) -> (n,).

    >>> most(np.array([[0, 2], [1, 1], [1, 2], [0, 2]])).tolist()
    [0, 2]
    """
    found = np.unique(labels)
    if not found.size:
        return labels[0]
    counts = np.stack([(labels == label).sum(axis=0) for label in found])
    return found[counts.argmax(axis=0)]
