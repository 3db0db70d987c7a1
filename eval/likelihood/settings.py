"""Options of scoring. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pixelpush.settings import Device


@dataclass(frozen=True)
class ScoringSettings:
    """How whole splits are scored.

    >>> ScoringSettings(episodes=4).video_batch("cpu")
    2
    """

    reference: bool = True
    """Video models: fit and print the reference row, a logistic mixture around the same sub-pixel
    of the previous frame."""
    reference_split: str = "train"
    """Split on which the reference row is fitted."""
    episodes: int | None = None
    """Score only this many first episodes (or images) of each split; the output says that it is not
    the whole split."""
    protocol: Literal["episodes", "paper"] = "episodes"
    """Video models: episodes scores every frame after the context, longer episodes in overlapping
    clips; paper scores one sequence of 20 frames from each episode, the first 20, two of them
    given, as the papers' figures are, and leaves shorter episodes out."""
    context: int | None = None
    """Video models: frames given and not counted. Left out: as in training."""
    clip_frames: int | None = None
    """Video models: longer episodes are cut into clips of this many frames, each with its own
    context. Left out: the run's 20."""
    batch_size: int | None = None
    """Episodes or images scored at once; the result does not depend on it. Left out: 16, or 2
    episodes on a CPU, where more are not faster."""
    device: Device = "auto"
    """Where to compute; auto takes a GPU where there is one."""
    precision: Literal["32", "bf16"] = "32"
    """Arithmetic of the network: float32, or bfloat16 (autocast). Likelihoods are float32 and sums
    float64 in both."""

    def video_batch(self, device: str) -> int:
        """Episodes scored at once on a device.

        >>> ScoringSettings().video_batch("cuda"), ScoringSettings(batch_size=5).video_batch("cpu")
        (16, 5)
        """
        return self.batch_size or (2 if device == "cpu" else 16)


@dataclass(frozen=True)
class EvalProtocol:
    """What is counted and how it is computed, with nothing left open.

    context: given frames, not counted. clip_frames: longer episodes are cut into clips of this many
    frames, each with its own context, so that every other frame is predicted once. sequences:
    'episodes', or 'paper' where only the first 20 frames of each episode were scored.

    >>> EvalProtocol(context=2).clip_frames
    20
    """

    context: int = 2
    clip_frames: int = 20
    precision: str = "32"
    device: str = "cpu"
    batch_size: int = 16
    sequences: str = "episodes"
