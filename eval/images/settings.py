"""Options of a picture of an image model. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from pixelpush.errors import InputError
from pixelpush.settings import check_seed, check_temperature

Kind = Literal["grid", "strip", "layouts", "upscale", "complete"]
Part = Literal["class", "caption", "parts", "masks"]
# ``--label A --label B``: a field of several values that is given one value at a time.
Labels = Annotated[
    tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(name="label", metavar="CLASS")
]
Captions = Annotated[
    tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(name="caption", metavar="TEXT")
]
Parts = Annotated[
    tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(name="part", metavar="NAME=X,Y")
]
Uses = Annotated[
    tyro.conf.UseAppendAction[tuple[Part, ...]], tyro.conf.arg(name="use", metavar="PART")
]


@dataclass(frozen=True)
class PictureSettings:
    """What a picture shows. Raises InputError for a count below 1.

    >>> PictureSettings(kind="grid", rows=2).samples
    4
    """

    kind: Kind = "grid"
    """grid: samples side by side, a row for each condition; strip: a sample at every scale, from
    coarse to fine; layouts: one caption with its parts and masks moved; upscale: super-resolution
    of real images; complete: the lower half of real images is sampled."""
    rows: int = 4
    """Rows of the picture: conditions, real images, or rows of an unconditional grid."""
    samples: int = 4
    """Samples in a row."""
    labels: Labels = ()
    """Class of a row, by name or number; repeat for more rows."""
    captions: Captions = ()
    """Caption of a row; repeat for more rows."""
    parts: Parts = ()
    """Where a part is: its name and its place as shares of the image; repeat for more parts."""
    mask: Path | None = None
    """Grey PNG of 32x32 pixels: 0 where nothing is known to be, 1 + class elsewhere."""
    use: Uses = ()
    """Which parts of the data's conditions are given: class, caption, parts, masks; repeat for
    more. Left out: all of them."""
    data: str = ""
    """Image set for conditions and real images, as NAME or NAME:FOLDER. Left out: what the model
    was trained on."""
    split: str = "val"
    """Its split."""
    first: int = 0
    """Number of the split's first image to use."""
    given: int = 8
    """Side of the images that upscale starts from."""
    seed: int = 0
    """The same seed gives the same picture."""
    temperature: float = 1.0
    """Every sub-pixel is drawn from its distribution to the power 1/temperature. 1: the model's;
    below: more cautious; 0: the likeliest levels. Other than 1 takes several times as long."""

    def __post_init__(self):
        for name in ("rows", "samples"):
            if getattr(self, name) < 1:
                raise InputError(f"--{name} must be at least 1, got {getattr(self, name)}.")
        check_seed(self.seed)
        check_temperature(self.temperature, "--temperature")

    @property
    def says_a_condition(self) -> bool:
        """Whether a condition is spelt out, so that none is taken from the data."""
        return bool(self.labels or self.captions or self.parts or self.mask)
