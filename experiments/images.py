"""The pictures of docs/images.md: sim-objects, and everything that the shipped image model draws.

python -m experiments.images docs/gallery/images
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import tyro

from pixelpush.datasets.objects.gallery import write_sheets
from pixelpush.errors import InputError
from pixelpush.eval.images.sample import draw_picture
from pixelpush.eval.images.settings import PictureSettings
from pixelpush.eval.likelihood.image_run import score_image_models
from pixelpush.eval.likelihood.outputs import Outputs
from pixelpush.eval.likelihood.settings import ScoringSettings
from pixelpush.saved import find_saved

_MUGS = (
    "a red mug in the middle on green felt",
    "a blue mug in the middle on green felt",
    "a yellow banana on the left on grey felt",
    "a yellow banana on the right on grey felt",
    "a red ball to the left of a blue block on white plastic",
    "a blue block to the left of a red ball on white plastic",
)

PICTURES = {
    "classes": PictureSettings(labels=("mug", "hammer", "banana", "duck", "ball"), samples=6),
    "captions": PictureSettings(captions=_MUGS, samples=6),
    "held-out-captions": PictureSettings(rows=5, samples=6, use=("caption",)),
    "masks": PictureSettings(rows=5, samples=5, use=("masks",)),
    "everything": PictureSettings(rows=5, samples=5),
    "layouts": PictureSettings(kind="layouts", rows=2, first=1),
    "scales": PictureSettings(kind="strip", rows=5),
    "super-resolution-8": PictureSettings(kind="upscale", rows=4, given=8),
    "super-resolution-16": PictureSettings(kind="upscale", rows=4, given=16),
}
"""Every kind of picture, by the name of its file."""


@dataclass(frozen=True)
class Options:
    """Where pictures go, and whose they are."""

    out: tyro.conf.Positional[Path]
    """Folder to write to."""
    model: str = "objects-multiscale"
    """Shipped name or run folder of a model of sim-objects."""
    temperature: float = 1.0
    """Of all samples."""
    images: int = 48
    """Images of val that are scored for the figure of nats."""


def main(options: Options) -> int:
    """Write every picture; the figure of nats last."""
    find_saved(options.model)  # before the minutes that sheets take
    for path in write_sheets(options.out):
        print(path)
    for name, settings in PICTURES.items():
        chosen = replace(settings, data="sim-objects", temperature=options.temperature)
        draw_picture(options.model, options.out / f"{name}.png", chosen, "auto")
    outputs = Outputs(figure=options.out / "nats.png", quiet=True, conditions=True)
    scoring = ScoringSettings(episodes=options.images)
    score_image_models([options.model], "sim-objects", ("val",), scoring, outputs)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(tyro.cli(Options, description=__doc__)))
    except InputError as error:
        print(f"images: {error}", file=sys.stderr)
        sys.exit(2)
