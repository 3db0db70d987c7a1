"""Samples of pixels: what each shows, and when a pixel needs more of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

f32 = np.float32


@dataclass(frozen=True)
class Samples:
    """Some samples of n pixels. levels: developed, float32 (samples, 3, n). still: what the still
    scene alone has there. geom: int32 (samples, n). moving: bool, where something moving is seen.
    """

    levels: np.ndarray
    still: np.ndarray
    geom: np.ndarray
    moving: np.ndarray

    def joined(self, more: Samples) -> Samples:
        """These samples and more of the same pixels."""
        return Samples(
            np.concatenate((self.levels, more.levels)),
            np.concatenate((self.still, more.still)),
            np.concatenate((self.geom, more.geom)),
            np.concatenate((self.moving, more.moving)),
        )

    def of(self, pixels: np.ndarray) -> Samples:
        """These samples of some of the pixels."""
        return Samples(
            self.levels[..., pixels],
            self.still[..., pixels],
            self.geom[:, pixels],
            self.moving[:, pixels],
        )

    def rough(self, bound: float, edges_only: bool) -> np.ndarray:
        """bool (n,): where samples differ by more than ``bound`` levels, so that the mean of more
        of them may be another one. edges_only: where they also see different geoms."""
        seen = self._seen()
        rough = (seen.max(axis=0) - seen.min(axis=0)).max(axis=0) > bound
        return rough & (self.geom != self.geom[0]).any(axis=0) if edges_only else rough

    def mean(self, still: np.ndarray) -> np.ndarray:
        """float32 (3, n). still: the still scene's level from all its samples; where nothing
        moving is seen, these samples only say how it changes."""
        return np.where(self.moving.any(axis=0), 0, still) + mean(self._seen())

    def _seen(self) -> np.ndarray:
        some = self.moving.any(axis=0)
        return np.where(some, self.levels, self.levels - self.still)


def mean(samples: np.ndarray) -> np.ndarray:
    """Over the first axis, added pair by pair in a fixed order; its length is a power of two."""
    total = samples
    while len(total) > 1:
        half = len(total) // 2
        total = total[:half] + total[half:]
    return total[0] * f32(1 / len(samples))


def most(labels: np.ndarray) -> np.ndarray:
    """The label that most samples have, the smallest of those that tie: (samples, n) -> (n,)."""
    found = np.unique(labels)
    if not found.size:
        return labels[0]
    counts = np.stack([(labels == label).sum(axis=0) for label in found])
    return found[counts.argmax(axis=0)]
