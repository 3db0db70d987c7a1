"""From per-episode scores to a split's figures: totals and counts apart, divided once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pixelpush.datasets.episodes import Episode
from pixelpush.errors import InputError
from pixelpush.vpn.scoring import EpisodeScore

# Episode.extra: float32 (T,), mean entropy of the known noise, nats per sub-pixel.
NOISE_FLOOR = "noise_floor"


@dataclass(frozen=True)
class Ratio:
    """Total nats over total sub-pixels. standard_error: over episodes; None for a single one.

    >>> Ratio(1.0, None).value
    1.0
    """

    value: float
    standard_error: float | None


@dataclass(frozen=True)
class FramePoint:
    """One point of the curve over time. frame: index in the episode, from 0; episodes: how many
    reach it.

    >>> FramePoint(frame=2, nats_per_subpixel=1.0, episodes=8).frame
    2
    """

    frame: int
    nats_per_subpixel: float
    episodes: int


def ratio(nats: Sequence[float], subpixels: Sequence[int]) -> Ratio:
    """sum(nats) / sum(sub-pixels) and its standard error over episodes, which may differ in length.

    The error is the linearised one of a ratio estimator (Cochran, Sampling Techniques, 3rd ed.,
    equation 6.13 without the finite-population factor); for episodes of one length it is the
    standard deviation over sqrt(n).

    >>> ratio([2.0, 6.0], [2, 2])
    Ratio(value=2.0, standard_error=1.0)
    """
    total = math.fsum(nats)
    count = sum(subpixels)
    n = len(nats)
    value = total / count
    if n < 2:
        return Ratio(value, None)
    # se^2 = n / (n - 1) sum of (x_i - R c_i)^2 / C^2, with R = sum x / C and C = sum c.
    residual = math.fsum((x - value * c) ** 2 for x, c in zip(nats, subpixels, strict=True))
    return Ratio(value, math.sqrt(residual * n / (n - 1)) / count)


def frame_curve(scores: Sequence[EpisodeScore], context: int) -> list[FramePoint]:
    """Nats per sub-pixel of each frame index, over the episodes that have that frame.

    >>> score = EpisodeScore("a", frames=2, subpixels=8, nats=12.0, frame_nats=(4.0, 8.0))
    >>> [point.nats_per_subpixel for point in frame_curve([score], context=2)]
    [1.0, 2.0]
    """
    longest = max(score.frames for score in scores)
    curve = []
    for step in range(longest):
        there = [score for score in scores if score.frames > step]
        nats = math.fsum(score.frame_nats[step] for score in there)
        curve.append(
            FramePoint(
                context + step, nats / sum(s.subpixels // s.frames for s in there), len(there)
            )
        )
    return curve


def episode_floor(episode: Episode, context: int) -> float | None:
    """Nats of the known noise over exactly the predicted frames, or None where the data say nothing
    of it.

    >>> rows = np.zeros((3, 5), np.float32)
    >>> episode_floor(Episode(np.zeros((3, 3, 8, 8), np.uint8), rows, rows, "a"), context=2) is None
    True
    """
    floor = episode.extra.get(NOISE_FLOOR)
    if floor is None:
        return None
    if floor.shape != (len(episode.frames),) or not np.isfinite(floor).all():
        raise InputError(
            f"episode {episode.id}: {NOISE_FLOOR} must be {len(episode.frames)} finite numbers, "
            "one a frame, got shape "
            f"{floor.shape}; prepare the data again."
        )
    return math.fsum(floor[context:].astype(np.float64)) * math.prod(episode.frames.shape[1:])


@dataclass(frozen=True)
class MeanAndError:
    """A mean of independent values. standard_error: None for a single one.

    >>> MeanAndError(1.0, None).mean
    1.0
    """

    mean: float
    standard_error: float | None


def mean_and_error(values: Sequence[float]) -> MeanAndError:
    """The mean of values and its standard error.

    >>> mean_and_error([1.0, 3.0])
    MeanAndError(mean=2.0, standard_error=1.0)
    """
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return MeanAndError(mean, None)
    return MeanAndError(mean, float(np.std(values, ddof=1)) / math.sqrt(len(values)))


def bits_per_dimension(nats_per_subpixel: float) -> float:
    """The same likelihood in bits.

    >>> round(bits_per_dimension(1.0), 4)
    1.4427
    """
    return nats_per_subpixel / math.log(2)
