"""Sensor noise of exactly known distribution, and its entropy: the floor of any likelihood on the simulated bin.

A clean level x in 0..255 is read as y with p(y | x) = w(y - x) / sum over y' in 0..255 of w(y' - x), where w is a
Gaussian of ``SIGMA`` levels: near 0 and 255 the noise is renormalised over the levels there are, not clipped onto them.
Given the clean picture, sub-pixels are independent, so no model can do better on average than the mean of
H[x] = -sum_y p(y | x) ln p(y | x).
"""

from __future__ import annotations

import math

import numpy as np

SIGMA = 1.0

_REACH = 7  # w falls below 2^-32 of its peak beyond; draws have 32 bits
_GUIDE_BITS = 12  # the guide table answers by a draw's top bits, except in cells that a threshold splits
_SPLIT = 127


def _distribution() -> np.ndarray:
    weight = [math.exp(-0.5 * (offset / SIGMA) ** 2) for offset in range(256)]
    table = np.array([[weight[abs(y - x)] for y in range(256)] for x in range(256)])
    return table / table.sum(axis=1, keepdims=True)


PROBABILITY = _distribution()
"""float64 (256, 256): p(y | x) at [x, y]; rows sum to 1."""

ENTROPY = -(PROBABILITY * np.log(np.maximum(PROBABILITY, np.finfo(float).tiny))).sum(axis=1)
"""float64 (256,): H[x] in nats."""


def noise_floor(clean: np.ndarray) -> np.ndarray:
    """Mean entropy in nats per sub-pixel of each of the clean frames uint8 (T, C, H, W): float32 (T,)."""
    return np.array([np.bincount(frame.ravel(), minlength=256) @ ENTROPY / frame.size for frame in clean], np.float32)


def _class_of_level() -> np.ndarray:
    """Levels whose window of offsets is cut in the same way share a class; class ``_REACH`` is not cut."""
    levels = np.arange(256)
    return (np.minimum(levels, _REACH) + np.maximum(levels - (255 - _REACH), 0)).astype(np.int32)


def _thresholds() -> np.ndarray:
    """uint64 (classes, 2 reach): a draw u of 32 bits at or above the k-th raises the offset to at least k+1-reach."""
    rows = []
    for kind in range(2 * _REACH + 1):
        x = kind if kind <= _REACH else 255 - 2 * _REACH + kind
        window = [PROBABILITY[x, y] if 0 <= y <= 255 else 0.0 for y in range(x - _REACH, x + _REACH + 1)]
        below = np.cumsum(window) / sum(window)
        rows.append(np.rint(below[:-1] * 2.0**32).astype(np.uint64))
    return np.array(rows)


_CLASS = _class_of_level()
_THRESHOLDS = _thresholds()


def _guide() -> np.ndarray:
    """int8 (classes * cells): the offset of all draws in a cell, or ``_SPLIT``."""
    first = np.arange(2**_GUIDE_BITS, dtype=np.uint64) << np.uint64(32 - _GUIDE_BITS)
    last = first + np.uint64(2 ** (32 - _GUIDE_BITS) - 1)
    low = (first[None, :, None] >= _THRESHOLDS[:, None, :]).sum(-1)
    high = (last[None, :, None] >= _THRESHOLDS[:, None, :]).sum(-1)
    return np.where(low == high, low - _REACH, _SPLIT).astype(np.int8).ravel()


_GUIDE = _guide()


def add_noise(clean: np.ndarray, seed: int) -> np.ndarray:
    """A noisy reading of uint8 levels of any shape: a pure function of the levels and the 64-bit ``seed``.

    Inverse CDF on 32-bit draws: each probability is right to 2^-32.
    """
    levels = clean.ravel()
    # A bit generator's raw stream never changes between NumPy versions, unlike what Generator makes of it.
    draws = np.random.PCG64(seed).random_raw((levels.size + 1) // 2).astype("<u8").view("<u4")[: levels.size]
    kind = _CLASS[levels]
    cell = (draws >> np.uint32(32 - _GUIDE_BITS)).astype(np.int32)
    offset = _GUIDE[(kind << _GUIDE_BITS) + cell]
    split = np.flatnonzero(offset == _SPLIT)
    above = draws[split].astype(np.uint64)[:, None] >= _THRESHOLDS[kind[split]]
    offset[split] = above.sum(axis=1) - _REACH
    return (levels + offset.view(np.uint8)).reshape(clean.shape)  # two's complement: adding modulo 256 subtracts
