"""What can be asked of a picture of an image model. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pixelpush.errors import InputError
from pixelpush.settings import check_temperature


@dataclass(frozen=True)
class PictureSettings:
    """What a picture shows. Raises InputError for a count below 1.

    >>> PictureSettings(kind="grid", n=4).columns
    8
    """

    kind: Literal["grid", "strip", "upscale", "complete"] = "grid"
    """grid: samples side by side; strip: a sample at every scale, with its caption and keypoints;
    upscale: super-resolution of real images; complete: the lower half of real images is sampled."""
    n: int = 16
    """Samples (grid), or rows of the other pictures."""
    samples: int = 4
    """Samples in a row of upscale and complete."""
    data: str = ""
    """Image set for conditions and real images, as NAME or NAME:FOLDER."""
    split: str = "val"
    """Its split."""
    first: int = 0
    """Number of the split's first image to use."""
    label: int | None = None
    """Class of every sample, for class-conditional models without --data."""
    given: int = 8
    """Side of the images that upscale starts from."""
    seed: int = 0
    """The same seed gives the same picture."""
    temperature: float = 1.0
    """Every sub-pixel is drawn from its distribution to the power 1/temperature. 1: the model's;
    below: more cautious; 0: the likeliest levels. Other than 1 takes several times as long."""
    columns: int = 8
    """Columns of the grid."""

    def __post_init__(self):
        for name in ("n", "samples", "columns"):
            if getattr(self, name) < 1:
                raise InputError(f"--{name} must be at least 1, got {getattr(self, name)}.")
        check_temperature(self.temperature, "--temperature")
