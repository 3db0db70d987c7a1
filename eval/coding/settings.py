"""Options of lossless coding. No torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CompressSettings:
    """How splits are coded.

    >>> CompressSettings(episodes=4).threads
    1
    """

    episodes: int | None = None
    """Code only this many first episodes (or images) of each split."""
    context: int | None = None
    """Video models: frames kept as stills, from which the others are predicted. Left out: as in
    training."""
    clip_frames: int | None = None
    """Video models: the model starts anew after this many frames, from the last ones before. Left
    out: the run's 20."""
    batch_size: int = 64
    """Image models: images coded together."""
    threads: int = 1
    """Threads of the arithmetic. The decoder takes as many: another number may sum in another
    order."""
