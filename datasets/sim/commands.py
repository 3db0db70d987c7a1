"""What 'pixelpush prepare sim' runs. Nothing heavy is imported before a call."""

from __future__ import annotations

import os
from pathlib import Path


def prepare_sim(
    episodes: int = 5000,
    size: int = 64,
    workers: int = os.cpu_count() or 1,
    val_episodes: int = 256,
    test_episodes: int = 256,
    root: Path | None = None,
    rebuild: bool = False,
) -> None:
    """Make the simulated bin: all its splits. Run it again to go on after a kill, or to get more
    episodes.

    Args:
        episodes: Episodes of train; episode i is the same whatever their number. size: Height and
        width of the frames, in pixels: 64, 128 or 256. workers: Processes that make episodes at the
        same time. val_episodes: Episodes of val. test_episodes: Episodes of test-seen and of
        test-novel. root: Folder to put it in; by default the data root ($PIXELPUSH_DATA, else
        ~/.cache/pixelpush). rebuild: Replace stores, also those that another version made.
    """
    from pixelpush.datasets.sim.prepare import ensure_split
    from pixelpush.datasets.sim.splits import check_episodes, check_size
    from pixelpush.datasets.store import summary

    counts = {
        "train": episodes,
        "val": val_episodes,
        "test-seen": test_episodes,
        "test-novel": test_episodes,
    }
    check_size(size)
    for split, count in counts.items():
        check_episodes(split, count)
    for split, count in counts.items():
        print(
            summary(ensure_split(split, size, count, workers=workers, root=root, rebuild=rebuild))
        )
