"""From a laboratory's name to a split of the simulated bin, made where it is missing."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pixelpush.datasets.sim.episodes import SimulatedEpisodes
from pixelpush.datasets.sim.prepare import ensure_split


def open_sim(
    laboratory: str,
    split: str,
    size: int = 64,
    episodes: int | None = None,
    noise: bool = True,
    root: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    least: int | None = None,
) -> SimulatedEpisodes:
    """A split of a laboratory of the simulated bin, made where it is missing.

    laboratory: "sim", "sim-diverse" or "sim-cameras". split: "train", "val", "test-seen" or "test-
    novel". size: 64, 128 or 256. episodes: how many, the first ones. Left out, all that are
    prepared, which a line on stderr counts, but ``least`` of them if that is given; where none are,
    64 of train and 16 of the others are made. What is missing under ``root`` (default: the data
    root) is made first, by ``workers`` processes (default: one per CPU), and a line on stderr says
    so. With ``noise``, ``extra["noise_floor"]`` of an episode is the entropy of its sensor noise.
    Raises InputError for unknown values, a store of another version of the scene, or a full disk.

    >>> open_sim("sim", "test")
    Traceback (most recent call last):
    pixelpush.errors.InputError: sim: no split 'test'; it has train, val, test-seen, test-novel.
    """
    path = ensure_split(
        laboratory,
        split,
        size,
        least if episodes is None else episodes,
        workers=os.cpu_count() or 1 if workers is None else workers,
        root=None if root is None else Path(root),
    )
    found = SimulatedEpisodes(path, laboratory, split, episodes, noise)
    if episodes is None:
        print(f"{found.name}: {len(found)} episodes, as prepared in {path}", file=sys.stderr)
    return found
