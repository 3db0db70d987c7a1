"""The pictures of docs/images.md: sim-objects, and everything that the shipped image models draw.

python -m experiments.images docs/gallery/images
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import tyro

from experiments.digits import write_digits
from pixelpush.datasets.objects.gallery import write_sheets
from pixelpush.errors import InputError
from pixelpush.eval.images.figures import Row, write_panel
from pixelpush.eval.images.sample import draw_picture
from pixelpush.eval.images.settings import PictureSettings
from pixelpush.eval.likelihood.image_run import score_image_models
from pixelpush.eval.likelihood.outputs import Outputs
from pixelpush.eval.likelihood.settings import ScoringSettings
from pixelpush.saved import find_saved
from pixelpush.vpn import load_model

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
"""Every kind of picture of sim-objects, by the name of its file."""

DIGITS = {
    "PixelCNN": "mnist-small-pixelcnn",
    "Row LSTM": "mnist-small-row-lstm",
    "Gated PixelCNN": "mnist-small-gated-pixelcnn",
    "Multiscale PixelCNN": "mnist-small-multiscale",
}
"""The shipped models of MNIST, by what stands under their samples."""

_DRAWN = {"rows": 4, "first": 2, "split": "test"}  # the digits 2 to 5
DIGIT_PICTURES = {
    "digits-completed": (
        "mnist-small-row-lstm",
        PictureSettings(kind="complete", samples=4, **_DRAWN),
    ),
    "digits-super-resolution-7": (
        "mnist-small-multiscale",
        PictureSettings(kind="upscale", samples=6, given=7, **_DRAWN),
    ),
    "digits-scales": ("mnist-small-multiscale", PictureSettings(kind="strip", rows=5)),
}
"""Pictures of digits that are drawn by one model, by the name of their file."""


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


def draw_digits(out: Path, temperature: float, samples: int = 10) -> None:
    """Write every picture of digits: a row of samples of each model, completions, scales."""
    rows = []
    for words, name in DIGITS.items():
        model = load_model(name, "cpu", family="image")
        drawn = model.sample(samples, None, torch.Generator().manual_seed(0), temperature)
        rows.append(Row(list(drawn.images.numpy()), words))
    write_panel(rows, ["samples"], out / "digits.png")
    with tempfile.TemporaryDirectory() as folder:
        data = write_digits(Path(folder))
        for file, (name, settings) in DIGIT_PICTURES.items():
            chosen = replace(settings, data=data, temperature=temperature)
            draw_picture(name, out / f"{file}.png", chosen, "cpu")


def main(options: Options) -> int:
    """Write every picture; the figure of nats last."""
    find_saved(options.model)  # before the minutes that sheets take
    options.out.mkdir(parents=True, exist_ok=True)
    draw_digits(options.out, options.temperature)
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
