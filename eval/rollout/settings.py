"""Options of a rollout: how futures are sampled, what is written. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pixelpush.errors import InputError
from pixelpush.settings import check_seed, check_temperature


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
    """Every sub-pixel is drawn from its distribution to the power 1/temperature. 1: the model's;
    below: more cautious; 0: the likeliest levels. Other than 1 takes several times as long."""
    steps: int | None = None
    """Frames to sample. Left out: 18, or what the episode or the list of actions has."""
    states: Literal["recorded", "predicted"] = "recorded"
    """Future states of recorded episodes: given to the model, as in the papers, or predicted by it
    from the actions."""
    beyond: Literal["refuse", "hold", "loop"] = "refuse"
    """Where --steps goes beyond the actions: refuse, hold the last action, or loop, beginning again
    with the first."""
    batch_size: int = 16
    """Futures sampled at once on a GPU, where their number changes roundings; a CPU samples one
    after another, and a future is the same, to the byte, in any number."""

    def __post_init__(self):
        for name in ("samples", "batch_size"):
            if getattr(self, name) < 1:
                raise InputError(
                    f"--{name.replace('_', '-')} must be at least 1, got {getattr(self, name)}."
                )
        if self.steps is not None and self.steps < 1:
            raise InputError(f"--steps must be at least 1, got {self.steps}.")
        check_seed(self.seed)
        check_temperature(self.temperature, "--temperature")


@dataclass(frozen=True)
class RolloutOutputs:
    """What is written of the futures, and where. Raises InputError for an impossible frame rate.

    >>> RolloutOutputs(Path("out")).frames_per_second
    5
    """

    out: Path
    """Folder for films (MP4, GIF), strips and a contact sheet (PNG), arrays (NPZ), per-frame tables
    (CSV), rollout.json, and index.html, which shows them all. Rollouts of earlier runs stay."""
    upscale: int = 0
    """Also render the futures at this many pixels (128, 256) by video super-resolution: a second
    MP4 and strip."""
    upscalers: tuple[str, ...] = ()
    """Runs or saved models of the 2x steps, in order. Left out: the shipped push-upscale-128 and
    push-upscale-256."""
    quality: bool = False
    """Measure PSNR, SSIM and best-of-N against the truth over the horizon, what moves, sharpness,
    stray pixels, the arm's pose and pushed objects: quality.json and quality.png."""
    pose_reader: str = ""
    """For --quality: a saved pose reader, which reads the arm's pose from pictures. Left out: the
    shipped one where the data is the simulated bin."""
    layers: bool = False
    """Show the layers that the first sample was composed of as rows of the strip: memory, the last
    frame moved, the drawn arm, their composition. For models with the layered encoder."""
    lpips: Path | None = None
    """Weights of LPIPS on AlexNet, a file of your own (docs/evaluation.md): distances by step in
    perceptual.json."""
    fvd: Path | None = None
    """Weights of I3D, a file of your own (docs/evaluation.md): FVD over the episodes in
    perceptual.json."""
    frames_per_second: int = 5
    """Speed of the MP4s and GIFs."""
    quiet: bool = False
    """No progress bar."""

    def __post_init__(self):
        if not 1 <= self.frames_per_second <= 120:
            raise InputError(f"--frames-per-second must be 1 to 120, got {self.frames_per_second}.")
