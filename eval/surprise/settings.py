"""Options of ``surprise``. No torch."""

from __future__ import annotations

from dataclasses import dataclass

from pixelpush.errors import InputError


@dataclass(frozen=True)
class SurpriseSettings:
    """What is usual, and what counts as an alarm.

    >>> SurpriseSettings(false_alarms=0.05).regions
    8
    """

    usual_data: str = ""
    """Data that say what is usual. Left out: what the model was trained on."""
    usual_split: str = "val"
    """Their split."""
    usual_episodes: int = 64
    """Number of its first episodes: half give the spread, half the ranks."""
    false_alarms: float = 0.01
    """Share of frames without trouble that may alarm."""
    regions: int = 8
    """Regions on each side of the picture."""
    videos: int = 3
    """How many of the strangest episodes become an MP4."""
    strips: int = 10
    """Strangest moments in the strip picture."""
    roc: bool = False
    """Also disturb usual episodes in every known way and measure how much of it is found; on 'sim',
    the held-out arm and the novel objects too."""

    def __post_init__(self):
        if not 0 < self.false_alarms < 1:
            raise InputError(f"--false-alarms must be between 0 and 1, got {self.false_alarms}.")
        for name in ("usual_episodes", "regions", "strips"):
            if getattr(self, name) < 1:
                raise InputError(
                    f"--{name.replace('_', '-')} must be at least 1, got {getattr(self, name)}."
                )
        if self.videos < 0:
            raise InputError(f"--videos must not be negative, got {self.videos}.")
