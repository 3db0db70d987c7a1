"""What can be asked of a rollout: how futures are sampled, what is written. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pixelpush.errors import InputError


@dataclass(frozen=True)
class RolloutSettings:
    """How futures are sampled. Raises InputError for a value out of range.

    The seed, the episode's number and the sample's number decide every draw.

    >>> RolloutSettings(samples=2).temperature
    1.0
    """

    samples: int = 3
    """Futures for each episode."""
    seed: int = 0
    """The same seed gives the same files."""
    temperature: float = 1.0
    """Below 1: more cautious samples; 1: the model's own distribution."""
    steps: int | None = None
    """Frames to sample. Left out: 18, or what the episode or the list of actions has."""
    states: Literal["recorded", "predicted"] = "recorded"
    """Future states of recorded episodes: given to the model, as in the papers, or predicted by it
    from the actions."""
    batch_size: int = 16
    """Futures sampled at once."""

    def __post_init__(self):
        for name in ("samples", "batch_size"):
            if getattr(self, name) < 1:
                raise InputError(
                    f"--{name.replace('_', '-')} must be at least 1, got {getattr(self, name)}."
                )
        if self.steps is not None and self.steps < 1:
            raise InputError(f"--steps must be at least 1, got {self.steps}.")
        if self.seed < 0:
            raise InputError(f"--seed must not be negative, got {self.seed}.")
        if not 0 < self.temperature < float("inf"):
            raise InputError(f"--temperature must be above 0, got {self.temperature}.")


@dataclass(frozen=True)
class RolloutOutputs:
    """What is written of the futures, and where. Raises InputError for an impossible frame rate.

    >>> RolloutOutputs(Path("out")).frames_per_second
    5
    """

    out: Path
    """Folder for the MP4s, the film strips (PNG), the arrays (NPZ) and rollout.json."""
    upscale: int = 0
    """Also render the futures at this many pixels (128, 256) by video super-resolution: a second
    MP4 and strip."""
    upscalers: tuple[str, ...] = ()
    """Runs or saved models of the 2x steps, in order. Left out: the shipped push-upscale-128 and
    push-upscale-256."""
    quality: bool = False
    """Measure PSNR, SSIM and best-of-N against the truth over the horizon: quality.json and
    quality.png."""
    frames_per_second: int = 5
    """Speed of the MP4s."""
    quiet: bool = False
    """No progress bar."""

    def __post_init__(self):
        if not 1 <= self.frames_per_second <= 120:
            raise InputError(f"--frames-per-second must be 1 to 120, got {self.frames_per_second}.")
