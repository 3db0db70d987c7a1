"""The command ``pixelpush sample``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pixelpush.eval.images.settings import PictureSettings
from pixelpush.settings import Device


@dataclass(frozen=True)
class SampleOptions:
    """Options of ``pixelpush sample``.

    Example:
        >>> SampleOptions("objects-multiscale", Path("grid.png")).device
        'auto'
    """

    model: str
    """Run folder or saved image model."""
    out: Path
    """PNG file to write."""
    picture: PictureSettings = field(default_factory=PictureSettings)
    """What is drawn."""
    device: Device = "auto"
    """Where to compute; auto takes a GPU where there is one."""


def sample(options: SampleOptions) -> None:
    """Sample an image model: a grid, scale-by-scale strips, super-resolution or completions, as
    PNG.

    Example:
        >>> sample(SampleOptions("nowhere", Path("grid.png")))
        Traceback (most recent call last):
        pixelpush.errors.InputError: nowhere: neither a run folder, a saved model nor a ...
    """
    from pixelpush.eval.images.sample import draw_picture

    draw_picture(options.model, options.out, options.picture, options.device)
