"""Options that ``listen`` and ``surprise`` share. No torch."""

from __future__ import annotations

from dataclasses import dataclass

from pixelpush.settings import Device


@dataclass(frozen=True)
class WatchSettings:
    """How episodes are scored.

    >>> WatchSettings().episodes
    64
    """

    episodes: int = 64
    """Number of the split's first episodes to score; all where it has fewer."""
    context: int | None = None
    """Frames given and not scored. Left out: as in training."""
    clip_frames: int | None = None
    """Longer episodes are cut into clips of this many frames. Left out: the run's 20."""
    batch_size: int = 8
    """Clips scored at once; the result does not depend on it."""
    device: Device = "auto"
    """Where to compute; auto takes a GPU where there is one."""
