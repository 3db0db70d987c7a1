"""The command ``pixelpush curves``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from pixelpush.cli.options import check_outputs
from pixelpush.errors import InputError


@dataclass(frozen=True)
class CurvesOptions:
    """Options of ``pixelpush curves``.

    Example:
        >>> CurvesOptions(runs=(Path("runs/a"), Path("runs/b"))).against
        'examples'
    """

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Run folders."""
    out: Path = Path("curves.png")
    """PNG, PDF or SVG file to draw."""
    against: Literal["examples", "minutes"] = "examples"
    """What the curves run along: examples seen, or minutes of training steps."""


def curves(options: CurvesOptions) -> None:
    """Compare runs: training and validation likelihood of all of them in one figure.

    Example:
        >>> curves(CurvesOptions(runs=()))
        Traceback (most recent call last):
        pixelpush.errors.InputError: name at least one run folder: pixelpush curves RUN...
    """
    check_outputs(None, options.out)
    if not options.runs:
        raise InputError("name at least one run folder: pixelpush curves RUN...")

    from pixelpush.eval.curves import draw_curves

    print(draw_curves(options.runs, options.out, options.against))
