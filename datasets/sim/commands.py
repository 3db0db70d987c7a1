"""What 'pixelpush prepare sim' and its sisters run."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pixelpush.datasets.sim.names import default_others


@dataclass(frozen=True)
class SimOptions:
    """Options of ``pixelpush prepare sim``, ``sim-diverse`` and ``sim-cameras``.

    Example:
        >>> SimOptions(episodes=1000).size
        64
    """

    episodes: int = 5000
    """Episodes of train; episode i does not depend on their number."""
    size: int = 64
    """Height and width of the frames, in pixels: 64, 128 or 256."""
    workers: int = os.cpu_count() or 1
    """Processes that make episodes at the same time."""
    val_episodes: int | None = None
    """Episodes of val; by default a tenth of --episodes, at least 16 and at most 256."""
    test_episodes: int | None = None
    """Episodes of test-seen and of test-novel; by default as many as of val."""
    root: Path | None = None
    """Folder to put it in; by default the data root ($PIXELPUSH_DATA, else ~/.cache/pixelpush)."""
    rebuild: bool = False
    """Replace stores, also those that another version made."""


def prepare_sim(options: SimOptions) -> None:
    """Make the simulated bin, all splits: one robot at ten like stations, and a held-out station.

    Run it again to go on after a kill, or to get more episodes.

    Example:
        >>> prepare_sim(SimOptions(size=100))
        Traceback (most recent call last):
        pixelpush.errors.InputError: sim: frames are 64, 128, 256 pixels high and wide, not 100.
    """
    _prepare("sim", options)


def prepare_sim_diverse(options: SimOptions) -> None:
    """Make sim-diverse, all splits: the simulated bin with ten different robots.

    Run it again to go on after a kill, or to get more episodes.

    Example:
        >>> prepare_sim_diverse(SimOptions(episodes=0))
        Traceback (most recent call last):
        pixelpush.errors.InputError: sim/train: episodes must be 1 to 10000000, not 0.
    """
    _prepare("sim-diverse", options)


def prepare_sim_cameras(options: SimOptions) -> None:
    """Make sim-cameras, all splits: the stations of sim, each training episode with its own camera.

    Run it again to go on after a kill, or to get more episodes.

    Example:
        >>> prepare_sim_cameras(SimOptions(workers=0))
        Traceback (most recent call last):
        pixelpush.errors.InputError: sim: workers must be 1 to 1024, not 0.
    """
    _prepare("sim-cameras", options)


def _prepare(laboratory: str, options: SimOptions) -> None:
    # It loads the physics, which 'prepare' of recordings does without.
    from pixelpush.datasets.sim.prepare import prepare_splits

    others = default_others(options.episodes)
    val = others if options.val_episodes is None else options.val_episodes
    test = val if options.test_episodes is None else options.test_episodes
    counts = {"train": options.episodes, "val": val, "test-seen": test, "test-novel": test}
    prepare_splits(
        laboratory,
        counts,
        options.size,
        workers=options.workers,
        root=options.root,
        rebuild=options.rebuild,
    )
