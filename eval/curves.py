"""Training runs side by side: their metrics.jsonl as one figure and one line each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np

from pixelpush.errors import InputError
from pixelpush.eval.figures import figure_file
from pixelpush.eval.likelihood.videos import row_names
from pixelpush.eval.text import number, text_table
from pixelpush.training.metrics import BEST_KEY
from pixelpush.training.task import SCORE

# Colour-blind safe (Okabe and Ito).
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


@dataclass(frozen=True)
class RunCurves:
    """A run's curves, (n, 2) each: (examples or minutes, nats per sub-pixel).

    training: means since the line before. validation: on the first validation items.

    >>> RunCurves(np.array([[64.0, 2.5]]), np.zeros((0, 2))).training.tolist()
    [[64.0, 2.5]]
    """

    training: np.ndarray
    validation: np.ndarray


def read_curves(run: Path, against: str) -> RunCurves:
    """Read a run's metrics.jsonl. against: 'examples' or 'minutes' of training steps.

    Minutes leave out validation and saving. Raises InputError for a folder without metrics.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "metrics.jsonl"
    ...     _ = file.write_text(json.dumps({"examples": 64, SCORE: 2.5}))
    ...     read_curves(Path(folder), "examples").training.tolist()
    [[64.0, 2.5]]
    """
    path = run / "metrics.jsonl"
    if not path.is_file():
        raise InputError(f"{run}: no metrics.jsonl; it is no run folder, or nothing was trained.")
    training: list[tuple[float, float]] = []
    validation: list[tuple[float, float]] = []
    place = 0.0
    for line_number, text in enumerate(path.read_text().splitlines(), 1):
        try:
            line = json.loads(text)
            if against == "examples":
                place = line["examples"]
            elif SCORE in line:
                place = line["seconds"] / 60
        except (ValueError, KeyError, TypeError):
            raise InputError(
                f"{path}, line {line_number}: no line of metrics with {against}; runs of earlier "
                "versions have --against examples only."
            ) from None
        if SCORE in line:
            training.append((place, line[SCORE]))
        if BEST_KEY in line:
            validation.append((place, line[BEST_KEY]))
    return RunCurves(np.array(training).reshape(-1, 2), np.array(validation).reshape(-1, 2))


def draw_curves(runs: Sequence[Path], out: Path, against: str) -> str:
    """Draw the runs into ``out`` and return a table: a line for each with its last and best values.

    Raises InputError for a folder that is no run.

    >>> draw_curves([Path("nowhere")], Path("curves.png"), "examples")
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: nowhere: no metrics.jsonl; it is no run folder, or nothing ...
    """
    names = row_names([str(run) for run in runs])
    found = [read_curves(run, against) for run in runs]
    with figure_file(out, 8, 4.4, dpi=160) as figure:
        axes = figure.add_subplot(xlabel=_AXES[against], ylabel="nats per sub-pixel")
        for colour, name, curves in zip(cycle(_COLOURS), names, found, strict=False):
            axes.plot(*curves.training.T, color=colour, lw=0.8, alpha=0.5)
            axes.plot(*curves.validation.T, "o-", color=colour, ms=3, lw=1.4, label=name)
        axes.set_title("thin: training, marked: validation", fontsize=9, loc="left")
        axes.grid(alpha=0.3)
        axes.legend(frameon=False, fontsize=8)
    rows = [
        [name, *_cells(curves.training, against), *_cells(curves.validation, against)]
        for name, curves in zip(names, found, strict=True)
    ]
    header = ["", *_header("training", against), *_header("validation", against)]
    return f"{text_table(header, rows)}\n{out}"


_AXES = {"examples": "examples seen", "minutes": "minutes of training steps"}


def _header(name: str, against: str) -> list[str]:
    return [f"{name}, last", f"{name}, best", f"at {against}"]


def _cells(curve: np.ndarray, against: str) -> list[str]:
    """Last value, lowest value and where it is."""
    if len(curve) == 0:
        return [number(None)] * 3
    place, best = curve[curve[:, 1].argmin()]
    return [number(curve[-1, 1]), number(best), number(place, 0 if against == "examples" else 1)]
