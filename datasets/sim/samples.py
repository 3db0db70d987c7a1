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
    still."""

    levels: np.ndarray
    geom: np.ndarray
    moving: np.ndarray
    shaded: np.ndarray

    def joined(self, more: Samples) -> Samples:
        """These samples and more of the same pixels."""
        return Samples(
            np.concatenate((self.levels, more.levels), axis=1),
            np.concatenate((self.geom, more.geom)),
            np.concatenate((self.moving, more.moving)),
            np.concatenate((self.shaded, more.shaded)),
        )

    def of(self, pixels: np.ndarray) -> Samples:
        """These samples of some of the pixels."""
        return Samples(
            self.levels[..., pixels],
            self.geom[:, pixels],
            self.moving[:, pixels],
            self.shaded[:, pixels],
        )

    def rough(self, bound: float, edges_only: bool) -> np.ndarray:
        """Where samples differ so much that the mean of more may be another: bool (n,).

        bound: by how many levels. edges_only: where they also see different geoms."""
        rough = spread(self.levels) > bound
        return rough & (self.geom != self.geom[0]).any(axis=0) if edges_only else rough

    def mean(self, still: np.ndarray) -> np.ndarray:
        """The levels of the pixels, float32 (3, n).

        still: the still scene's, from all its samples; where nothing moving is seen, these samples
        only say how they change."""
        return np.where(self.moving.any(axis=0), 0, still) + mean(self.levels)


def mean(levels: np.ndarray) -> np.ndarray:
    """The mean over the samples, (3, s, n) -> (3, n).

    They are added pair by pair in a fixed order; s is a power of two."""
    total = levels
    while total.shape[1] > 1:
        half = total.shape[1] // 2
        total = total[:, :half] + total[:, half:]
    return total[:, 0] * f32(1 / levels.shape[1])


def spread(levels: np.ndarray) -> np.ndarray:
    """The largest difference between samples in any colour: (3, s, n) -> (n,)."""
    return (levels.max(axis=1) - levels.min(axis=1)).max(axis=0)


def most(labels: np.ndarray) -> np.ndarray:
    """The label that most samples have, the smallest of those that tie: (s, n) -> (n,)."""
    found = np.unique(labels)
    if not found.size:
        return labels[0]
    counts = np.stack([(labels == label).sum(axis=0) for label in found])
    return found[counts.argmax(axis=0)]
