"""Options of the speed table. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pixelpush.errors import InputError
from pixelpush.settings import Device

Graph = Literal["auto", "cuda", "compile", "none"]


@dataclass(frozen=True)
class SpeedSettings:
    """How samplers are timed. Raises InputError for a count below 1.

    >>> SpeedSettings(videos=2).frames
    18
    """

    batch: int | None = None
    """Videos or images sampled at once. Left out: 1 video, 30 images."""
    videos: int = 5
    """Videos averaged, after one for warming up."""
    frames: int = 18
    """Frames in a video."""
    plain_steps: int = 30
    """Sub-pixel steps of the plain O(TN) sampler that are timed; a whole frame is extrapolated from
    them."""
    graph: Graph = "auto"
    """How the frame step becomes one graph: a CUDA graph, torch.compile, or not at all; auto: CUDA
    if it is there."""
    precision: Literal["32", "bf16"] = "32"
    """Arithmetic of the networks; distributions are float32 in both."""
    device: Device = "auto"
    """Where to compute; auto takes a GPU where there is one."""
    minutes: float = 1.5
    """Be done in about so many minutes at most: a slow sampler gets fewer videos, then fewer frames
    or steps, at least one; the table says how many. 0: as many as the other options say."""

    def __post_init__(self):
        for name in ("batch", "videos", "frames", "plain_steps"):
            count = getattr(self, name)
            if count is not None and count < 1:
                raise InputError(f"--{name.replace('_', '-')} must be at least 1, got {count}.")
        if self.minutes < 0:
            raise InputError(f"--minutes must not be negative, got {self.minutes:g}.")

    @property
    def videos_at_once(self) -> int:
        """The batch of video samplers: one video, where nothing was asked for."""
        return self.batch or 1
