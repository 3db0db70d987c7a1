"""The one list of likelihood metrics: tables, JSON and figures of videos and images go through it.

To add a metric, write a function of ``Scores`` and append a ``Metric`` to ``METRICS``."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from pixelpush.eval.statistics import Ratio, bits_per_dimension, ratio
from pixelpush.eval.text import MISSING, number, with_error

Family = Literal["video", "image"]
# A metric's value; None where the data do not determine it.
Figure = Ratio | float | None


@dataclass(frozen=True)
class Scores:
    """What a metric is computed from: one model on one split, with one item an episode.

    nats: minus the log-likelihood of each episode (or image). subpixels, frames: how many of them
    were predicted; an image is one frame. floors: nats of the known noise, where it is known.
    reference: nats of the reference row, where it was fitted.

    >>> Scores([2.0, 4.0], [1, 1], [1, 1]).total
    6.0
    """

    nats: Sequence[float]
    subpixels: Sequence[int]
    frames: Sequence[int]
    floors: Sequence[float] | None = None
    reference: Sequence[float] | None = None

    @property
    def total(self) -> float:
        """Nats of the whole split."""
        return math.fsum(self.nats)

    def above(self, other: Sequence[float] | None) -> Ratio | None:
        """Paired difference to other nats of the same episodes, nats per sub-pixel, and error."""
        if other is None:
            return None
        paired = [mine - theirs for mine, theirs in zip(self.nats, other, strict=True)]
        return ratio(paired, self.subpixels)


@dataclass(frozen=True)
class Metric:
    """A figure of one model on one split.

    name: its key in JSON. header: of its column. function: computes it. digits: printed. families:
    the models that have it. column: whether the table of a split and the figure show it.

    >>> METRICS[1].name, METRICS[1].header
    ('nats_per_subpixel', 'nats/sub-pixel')
    """

    name: str
    header: str
    function: Callable[[Scores], Figure]
    digits: int = 4
    families: tuple[Family, ...] = ("video", "image")
    column: bool = True

    def cell(self, figure: Figure, digits: int | None = None) -> str:
        """The figure as text, with its error where it has one; a dash where there is none."""
        shown = self.digits if digits is None else digits
        if isinstance(figure, Ratio):
            return with_error(figure.value, figure.standard_error, shown)
        return number(figure, shown)

    def to_json(self, figure: Figure) -> dict[str, object]:
        """The figure under its name. The headline's error lies beside it, another's within it."""
        if not isinstance(figure, Ratio):
            return {self.name: figure}
        with_its_error = {
            "nats_per_subpixel": figure.value,
            "standard_error": figure.standard_error,
        }
        return with_its_error if self.name == HEADLINE else {self.name: with_its_error}


def nats_per_subpixel(scores: Scores) -> Ratio:
    """Total nats over total sub-pixels, with one standard error over episodes or images.

    >>> nats_per_subpixel(Scores([2.0, 4.0], [1, 1], [1, 1])).value
    3.0
    """
    return ratio(scores.nats, scores.subpixels)


# The figure that every table leads with; published figures are compared with it.
HEADLINE = "nats_per_subpixel"
METRICS: list[Metric] = [
    Metric(
        "nats_per_image",
        "nats/image",
        lambda scores: scores.total / len(scores.nats),
        digits=2,
        families=("image",),
    ),
    Metric(HEADLINE, "nats/sub-pixel", nats_per_subpixel),
    Metric(
        "bits_per_dimension",
        "bits/dim",
        lambda scores: bits_per_dimension(nats_per_subpixel(scores).value),
    ),
    Metric(
        "nats_per_frame",
        "nats/frame",
        lambda scores: scores.total / sum(scores.frames),
        digits=1,
        families=("video",),
        column=False,
    ),
    Metric(
        "above_floor",
        "above floor",
        lambda scores: scores.above(scores.floors),
    ),
    Metric(
        "above_reference",
        "minus reference",
        lambda scores: scores.above(scores.reference),
        families=("video",),
    ),
]


def metrics_of(family: Family) -> list[Metric]:
    """The metrics of a family of models, in the order of the tables.

    >>> [metric.header for metric in metrics_of("image")]
    ['nats/image', 'nats/sub-pixel', 'bits/dim', 'above floor']
    """
    return [metric for metric in METRICS if family in metric.families]


def find_metric(name: str) -> Metric:
    """The metric of this name.

    >>> find_metric("bits_per_dimension").header
    'bits/dim'
    """
    return next(metric for metric in METRICS if metric.name == name)


def measure(family: Family, scores: Scores) -> dict[str, Figure]:
    """Every metric of a family, by name.

    >>> measure("image", Scores([2.0], [4], [1]))["nats_per_image"]
    2.0
    """
    return {metric.name: metric.function(scores) for metric in metrics_of(family)}


def metric_table_columns(
    family: Family, rows: Sequence[dict[str, str]]
) -> tuple[list[str], list[list[str]]]:
    """Headers and cells of the metrics' columns; columns in which no row has a figure are left out.

    rows: cells by the metric's name; a name that is missing is an empty cell.

    >>> metric_table_columns("image", [{"nats_per_subpixel": "1.5", "above_floor": "-"}])
    (['nats/sub-pixel'], [['1.5']])
    """
    columns = [
        metric
        for metric in metrics_of(family)
        if metric.column and any(row.get(metric.name, "") not in ("", MISSING) for row in rows)
    ]
    cells = [[row.get(metric.name, "") for metric in columns] for row in rows]
    return [metric.header for metric in columns], cells
