"""Faults in the past that a model is shown: noise, shuffles, blur and mixtures of frames in random
regions.

A model that only ever saw recorded frames takes whatever is odd in its own samples for news and
passes it on. One that saw faulty pasts, and was scored on the clean future, learns not to."""

from __future__ import annotations

import numpy as np

from pixelpush.datasets.hashing import hash64

_LARGEST_REGION = 0.7  # of the frame's side
_STRAY = 0.01  # of the pixels: single ones of any colour
_CHANGED = 8  # levels
_REACH = 3  # frames, between those that are mixed


def corrupt(frames: np.ndarray, context: int, seed: int, index: int, epoch: int) -> np.ndarray:
    """A copy of uint8 frames (T, C, H, W) with faults in about half of those after the context.

    It is a pure function of its arguments.

    >>> clean = np.zeros((4, 3, 8, 8), np.uint8)
    >>> bool((corrupt(clean, 2, 0, 0, 0)[:2] == clean[:2]).all())
    True
    """
    random = np.random.Generator(np.random.PCG64(hash64(seed, index, epoch, 0xFA017)))
    shown = frames.copy()
    for time in range(context, len(frames)):
        if random.random() < 0.5:
            fault = _FAULTS[random.integers(len(_FAULTS))]
            rows, columns = (_range(random, size) for size in frames.shape[2:])
            near = np.clip(time + random.integers(-_REACH, _REACH + 1), 0, len(frames) - 1)
            region = shown[time, :, rows, columns]
            region[...] = fault(region, frames[near, :, rows, columns], random)
    if random.random() < 0.5:
        start = int(random.integers(context, len(frames)))
        _leave_debris(frames[0], shown[start:], random)
    return shown


def _leave_debris(first: np.ndarray, shown: np.ndarray, random: np.random.Generator) -> None:
    """Strays that stay for some frames at one place: what a rollout leaves where the arm has been,
    and what its own memory then takes for real.

    They lie in a region or wherever the picture has changed since the first frame. Their colours
    are the frame's."""
    shown = shown[: int(random.integers(1, len(shown) + 1))]
    height, width = first.shape[1:]
    where = np.zeros((height, width), bool)
    if random.random() < 0.5:
        where[_range(random, height), _range(random, width)] = True
    else:
        difference = np.abs(shown[0].astype(np.int16) - first.astype(np.int16))
        where |= difference.max(axis=0) > _CHANGED
    stray = where & (random.random((height, width)) < random.uniform(0.01, 0.25))
    count = int(stray.sum())
    chosen = random.integers(height, size=count), random.integers(width, size=count)
    shown[:, :, stray] = shown[0, :, chosen[0], chosen[1]].T


def _range(random: np.random.Generator, size: int) -> slice:
    length = max(1, int(size * random.uniform(0.1, _LARGEST_REGION)))
    start = int(random.integers(size - length + 1))
    return slice(start, start + length)


def _noise(region: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    strength = random.uniform(2, 30)
    noisy = region + strength * random.standard_normal(region.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def _shuffle(region: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Every pixel is one of its neighbours, at most ``reach`` away."""
    height, width = region.shape[1:]
    reach = int(random.integers(1, 4))
    rows, columns = np.indices((height, width))
    rows = np.clip(rows + random.integers(-reach, reach + 1, rows.shape), 0, height - 1)
    columns = np.clip(columns + random.integers(-reach, reach + 1, rows.shape), 0, width - 1)
    return region[:, rows, columns]


def _blur(region: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The mean of each pixel and its neighbours, once to three times."""
    blurred = region.astype(np.float32)
    for _ in range(int(random.integers(1, 4))):
        padded = np.pad(blurred, ((0, 0), (1, 1), (1, 1)), mode="edge")
        rows = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
        blurred = (rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]) / 9
    return np.rint(blurred).astype(np.uint8)


def _strays(region: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Single pixels of any colour."""
    stray = random.random(region.shape[1:]) < _STRAY
    colours = random.integers(0, 256, region.shape, dtype=np.uint8)
    return np.where(stray, colours, region)


def _mixture(region: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Single pixels as a near frame has them: what sampling pixel by pixel makes of an edge whose
    place is uncertain."""
    taken = random.random(region.shape[1:]) < random.uniform(0.02, 0.5)
    return np.where(taken, other, region)


# A region (C, h, w), the same region of a near frame, random numbers -> the faulty region.
_FAULTS = (_noise, _shuffle, _blur, _strays, _mixture)
