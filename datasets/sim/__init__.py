"""The simulated bin: endless, deterministic pushing video with the structure of the recorded set.

``open_sim(laboratory, split)`` gives a split. An episode is a pure function of (laboratory, split,
number, size). splits.py says which objects it has, stations.py which robot; scene.py, arm.py,
objects.py build the model; policy.py, physics.py push; renderer.py (with rays, culling, lighting,
textures, materials) makes the frames; generate.py puts it together; prepare.py and workers.py write
the store; episodes.py and noise.py read it; manifest.py pins the bytes. docs/simulated_bin.md
describes the data."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pixelpush.datasets.sim.episodes import SimulatedEpisodes

__all__ = ["open_sim"]


def open_sim(
    laboratory: str,
    split: str,
    size: int = 64,
    episodes: int | None = None,
    noise: bool = True,
    root: str | os.PathLike[str] | None = None,
    workers: int | None = None,
) -> SimulatedEpisodes:
    """A split ("train", "val", "test-seen", "test-novel") of a laboratory ("sim", "sim-diverse",
    "sim-cameras").

    size: 64, 128 or 256. episodes: how many, the first ones; by default 5000 of train and 256 of
    the others. What is missing under ``root`` (default: the data root) is made first, by
    ``workers`` processes (default: one per CPU), telling so on stderr. With ``noise``,
    ``extra["noise_floor"]`` of an episode is the entropy of its sensor noise. Raises InputError for
    unknown values, a store of another version of the scene, or a full disk."""
    from pixelpush.datasets.sim.episodes import SimulatedEpisodes
    from pixelpush.datasets.sim.prepare import ensure_split
    from pixelpush.datasets.sim.splits import check_episodes

    count = check_episodes(split, episodes)
    workers = workers if workers is not None else os.cpu_count() or 1
    path = ensure_split(
        laboratory, split, size, count, workers=workers, root=None if root is None else Path(root)
    )
    return SimulatedEpisodes(path, laboratory, split, count, noise)
