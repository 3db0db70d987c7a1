"""The command ``pixelpush speed``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pixelpush.cli.options import check_outputs
from pixelpush.errors import InputError
from pixelpush.eval.speed.settings import SpeedSettings


@dataclass(frozen=True)
class SpeedOptions:
    """Options of ``pixelpush speed``.

    Example:
        >>> SpeedOptions(images=True).preset
        'push-small'
    """

    preset: Literal["push-small", "push", "paper"] = "push-small"
    """Sizes of the models: those for two CPU cores, for a GPU, or the paper's. Weights do not
    matter and are random."""
    images: bool = False
    """Image models instead: plain, cached and multiscale sampling of 32x32 images in float32. Of
    the other options they take --preset, --batch, --plain-steps, --device and --json."""
    sizes: tuple[int, ...] | None = None
    """Sides of the frames for the growth figure; the table is at 64. Left out: 16, 32, 64 and 128
    with --figure, else 64 alone."""
    distribution: Literal["published", "preset"] = "published"
    """Outputs of O(TN) and O(T log N): the published 256-way softmax, or what the preset has."""
    timing: SpeedSettings = field(default_factory=SpeedSettings)
    """How samplers are timed."""
    json: Path | None = None
    """Write every figure to this file."""
    figure: Path | None = None
    """Draw the growth with the frame's side into this PNG, PDF or SVG file."""
    quiet: bool = False
    """Say nothing while measuring."""


def speed(options: SpeedOptions) -> None:
    """Table 4: seconds a sampled frame for every video sampler, beside the published figures.

    Example:
        >>> speed(SpeedOptions(images=True, figure=Path("growth.png")))
        Traceback (most recent call last):
        pixelpush.errors.InputError: speed --images draws no figure and runs in float32; ...
    """
    check_outputs(options.json, options.figure)
    if options.images and (options.figure is not None or options.timing.precision != "32"):
        raise InputError(
            "speed --images draws no figure and runs in float32; leave out --figure and "
            "--precision."
        )

    from pixelpush.eval.speed import run

    outputs = run.Outputs(options.json, options.figure, options.quiet)
    if options.images:
        run.time_image_models(options.preset, options.timing, outputs)
    else:
        sizes = options.sizes
        run.time_video_models(options.preset, options.distribution, sizes, options.timing, outputs)
