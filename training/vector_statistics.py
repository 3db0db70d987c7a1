"""Statistics of states and actions, by which a model normalises what enters it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from pixelpush.datasets.episodes import EpisodeDataset
from pixelpush.datasets.inspection import near_constant

# Statistics come from at most this many episodes, spread evenly over the split.
_STATISTICS_EPISODES = 512


def vector_statistics(
    episodes: EpisodeDataset,
) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return ((mean, deviation) of states, the same of actions), float32.

    They are taken over at most 512 evenly spread episodes.

    >>> from pixelpush.datasets.episodes import Episode
    >>> vectors = np.array([[0.0], [2.0]], np.float32)
    >>> episode = Episode(np.zeros((2, 3, 8, 8), np.uint8), vectors, vectors, "one")
    >>> vector_statistics([episode])[0]
    (tensor([1.]), tensor([1.]))
    """
    count = min(len(episodes), _STATISTICS_EPISODES)
    chosen = [episodes[number * len(episodes) // count] for number in range(count)]
    found = []
    for name in ("states", "actions"):
        rows = np.concatenate([getattr(episode, name) for episode in chosen]).astype(np.float64)
        found.append(
            (torch.from_numpy(rows.mean(0)).float(), torch.from_numpy(rows.std(0)).float())
        )
    return found[0], found[1]


def usable_scale(
    statistics: tuple[Tensor, Tensor], kind: str, names: Sequence[str]
) -> tuple[Tensor, Tensor]:
    """Return (mean, deviation) with a deviation of 1 for entries that are (nearly) constant.

    This is said on stderr. Divided by next to nothing, a centimetre elsewhere would be thousands of
    deviations.

    >>> usable_scale((torch.zeros(2), torch.tensor([0.0, 3.0])), "state", ["x", "y"])[1]
    tensor([1., 3.])
    """
    mean, deviation = statistics
    steady = torch.from_numpy(near_constant(mean.double().numpy(), deviation.double().numpy()))
    if steady.any():
        which = ", ".join(name for name, still in zip(names, steady, strict=True) if still)
        print(
            f"(nearly) constant in the training episodes, so scaled by 1: {kind} {which}.",
            file=sys.stderr,
        )
    return mean, deviation.masked_fill(steady, 1.0)
