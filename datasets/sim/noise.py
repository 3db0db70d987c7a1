"""Sensor noise of an exactly known discrete distribution, and its entropy: the floor of every
likelihood.

A clean level x is read as y with p(y | x) proportional to exp(-(y - x)^2 / (2 sigma^2)), y in
0..255, sigma = 0.45 levels, renormalised for every x: near 0 and 255 the distribution is another
one, but nothing is clipped. Offsets beyond 8 levels are left out (their mass is below 1e-60), so
that all levels 8..247 share one distribution exactly. Given the clean frame, sub-pixels are
independent, so no model can do better on average than the mean entropy, 0.515 nats."""

from __future__ import annotations

import math

import numpy as np

from pixelpush.datasets.hashing import hash64
from pixelpush.datasets.sim.draw import uniforms, word

SIGMA = 0.45
REACH = 8
_PURPOSE = word("sensor noise")


def _table() -> np.ndarray:
    weight = [math.exp(-(d * d) / (2 * SIGMA * SIGMA)) for d in range(REACH + 1)]
    table = np.zeros((256, 256))
    for x in range(256):
        levels = range(max(0, x - REACH), min(255, x + REACH) + 1)
        total = math.fsum(weight[abs(y - x)] for y in levels)
        for y in levels:
            table[x, y] = weight[abs(y - x)] / total
    return table


def _entropy(row: np.ndarray) -> float:
    return -math.fsum(p * math.log(p) for p in row.tolist() if p > 0)


PROBABILITY = _table()
"""float64 (256, 256): p(y | x) at [x, y]; rows sum to 1."""

ENTROPY = np.array([_entropy(row) for row in PROBABILITY])
"""float64 (256,): the entropy of p(. | x) in nats."""

_CUMULATIVE = np.cumsum(PROBABILITY, axis=1)
_MIDDLE = _CUMULATIVE[128, 128 - REACH : 128 + REACH]


def noise_floor(clean: np.ndarray) -> np.ndarray:
    """float32 (T,): the mean entropy of the noise on clean frames, in nats per sub-pixel.

    clean: uint8 (T, C, H, W).

    >>> noise_floor(np.full((1, 3, 8, 8), 128, np.uint8)).round(3).tolist()
    [0.5149999856948853]
    """
    counts = [np.bincount(frame.ravel(), minlength=256) for frame in clean]
    return np.array(
        [math.fsum((count * ENTROPY).tolist()) / count.sum() for count in counts], dtype=np.float32
    )


def noise_key(split: str, episode: int) -> int:
    """The key of an episode's noise.

    >>> noise_key("val", 0) == noise_key("train", 0)
    False
    """
    return hash64(word(split), episode)


def add_noise(clean: np.ndarray, key: int, first: int = 0) -> np.ndarray:
    """A noisy copy of clean frames, uint8 (T, C, H, W), drawn from ``key``.

    ``clean[0]`` is the episode's frame ``first``; each frame has its own stream, so that a part
    reads as in the whole.

    >>> clean = np.full((2, 3, 8, 8), 128, np.uint8)
    >>> noisy = add_noise(clean, key=7)
    >>> bool((add_noise(clean[1:], 7, first=1) == noisy[1:]).all())
    True
    >>> sorted(set(noisy.ravel().tolist()))
    [127, 128, 129]
    """
    noisy = np.empty_like(clean)
    for index, frame in enumerate(clean):
        noisy[index] = _read(
            frame.ravel(), uniforms(frame.size, _PURPOSE, key, first + index)
        ).reshape(frame.shape)
    return noisy


def _read(clean: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Inverse CDF: the smallest level whose cumulative probability exceeds the draw."""
    offset = np.searchsorted(_MIDDLE, draws, side="right") - REACH
    read = (clean.astype(np.int16) + offset).astype(np.uint8)
    edge = np.flatnonzero((clean < REACH) | (clean > 255 - REACH))
    for level in np.unique(clean[edge]):
        where = edge[clean[edge] == level]
        low = max(0, int(level) - REACH)
        high = min(255, int(level) + REACH)
        # The last level takes whatever rounding leaves of the unit interval.
        read[where] = low + np.searchsorted(
            _CUMULATIVE[level, low:high], draws[where], side="right"
        )
    return read
