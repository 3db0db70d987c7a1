"""The figures of likelihood reports: a panel for each metric, and what a family has beside them."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

from pixelpush.eval.calibration import Calibration, draw_coverage, draw_ranks
from pixelpush.eval.figures import figure_file
from pixelpush.eval.likelihood import metrics
from pixelpush.eval.likelihood.image_tables import published_rows
from pixelpush.eval.likelihood.images import ImageReport
from pixelpush.eval.likelihood.metrics import HEADLINE, Family, Metric
from pixelpush.eval.likelihood.report import LikelihoodReport
from pixelpush.eval.likelihood.tables import COLUMNS, FLOOR_ROW, REFERENCE_ROW
from pixelpush.eval.statistics import Ratio
from pixelpush.published import ROBOT_PUSHING, ROBOT_PUSHING_SOURCE
from pixelpush.vpn.decoders import KINDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Colour-blind safe (Okabe and Ito).
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_PANELS_A_ROW = 3

# Draws one panel: its title, axes and lines.
Panel = Callable[["Axes"], None]


@dataclass(frozen=True)
class _Line:
    """A row of the report. splits: the metrics' figures, by split. style: of matplotlib."""

    name: str
    splits: Mapping[str, Mapping[str, metrics.Figure]]
    style: str = "-"


def likelihood_figure(
    report: LikelihoodReport, path: Path, calibrated: Calibration | None = None
) -> None:
    """Draw a report on video models: a panel for each metric of ``METRICS`` that has a column, the
    published figures, the curve over the last split's frames, and the calibration where given.

    >>> import tempfile
    >>> from pixelpush.eval.likelihood.settings import EvalProtocol
    >>> from pixelpush.eval.likelihood.report import SplitFacts
    >>> facts = SplitFacts("sim val", None, None, 2, 2, 0, True, 36, 110592, None)
    >>> report = LikelihoodReport(EvalProtocol(), [], None, {"val": facts})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     likelihood_figure(report, Path(folder) / "a.png")
    ...     (Path(folder) / "a.png").is_file()
    True
    """
    lines = [
        _Line(
            name,
            {split: summary.figures for split, summary in summaries.items()},
            "--" if name == REFERENCE_ROW else "-",
        )
        for name, summaries in report.rows(REFERENCE_ROW)
    ]
    floors = {
        name: {HEADLINE: facts.floor.mean}
        for name, facts in report.splits.items()
        if facts.floor is not None
    }
    lines += [_Line(FLOOR_ROW, floors, ":")] if floors else []
    splits = list(report.splits)
    panels = _metric_panels("video", lines, splits)
    panels.append(functools.partial(_draw_published, splits))
    panels.append(functools.partial(_draw_curve, report))
    if calibrated is not None:
        panels.append(functools.partial(draw_ranks, calibrated))
        panels.append(functools.partial(draw_coverage, calibrated))
    _write(panels, path)


def image_likelihood_figure(report: ImageReport, path: Path) -> None:
    """Draw a report on image models: a panel for each metric of ``METRICS`` that has a column, with
    the published figures of the data set as thin lines.

    >>> import tempfile
    >>> from pixelpush.eval.likelihood.images import ImageModelScores, ImageSummary
    >>> figures = metrics.measure("image", metrics.Scores([2.0], [4], [1]))
    >>> found = {"test": ImageSummary(figures, 1, 1, None)}
    >>> model = ImageModelScores("a", "gated-pixelcnn", 8, 100, found)
    >>> report = ImageReport("objects", [model], "32", "cpu")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     image_likelihood_figure(report, Path(folder) / "a.png")
    ...     (Path(folder) / "a.png").is_file()
    True
    """
    lines = [
        _Line(model.name, {split: found.figures for split, found in model.splits.items()})
        for model in report.models
    ]
    splits = list(dict.fromkeys(split for line in lines for split in line.splits))
    for name, cells in published_rows(report.data).items():
        figures = {metric: float(cell) for metric, cell in cells.items()}
        lines.append(_Line(name, dict.fromkeys(splits, figures), ":"))
    _write(_metric_panels("image", lines, splits), path)


def _metric_panels(family: Family, lines: Sequence[_Line], splits: Sequence[str]) -> list[Panel]:
    """A panel for each metric with a column of which some line has a figure, as in the tables."""
    return [
        functools.partial(_draw_metric, metric, lines, splits)
        for metric in metrics.metrics_of(family)
        if metric.column
        and any(
            figures.get(metric.name) is not None
            for line in lines
            for figures in line.splits.values()
        )
    ]


def _draw_metric(metric: Metric, lines: Sequence[_Line], splits: Sequence[str], axes: Axes) -> None:
    for colour, line in zip(cycle(_COLOURS), lines, strict=False):
        found = [line.splits.get(split, {}).get(metric.name) for split in splits]
        values, errors = zip(*map(_value_and_error, found), strict=True)
        if all(math.isnan(value) for value in values):
            continue
        look = {"marker": "o", "ms": 4, "ls": line.style, "lw": 1.2, "color": colour}
        axes.errorbar(range(len(splits)), values, errors, label=line.name, **look)
    _finish(axes, splits, metric.header)


def _value_and_error(figure: metrics.Figure) -> tuple[float, float]:
    """What is drawn of a figure; NaN, which leaves a gap, where there is none."""
    if isinstance(figure, Ratio):
        return figure.value, figure.standard_error or 0.0
    return (math.nan if figure is None else figure), 0.0


def _draw_published(splits: Sequence[str], axes: Axes) -> None:
    look = {"ms": 4, "lw": 1.2, "color": "0.35", "mfc": "white"}
    for marker, (kind, values) in zip(cycle("osD^"), ROBOT_PUSHING.items(), strict=False):
        places = [place for place, split in enumerate(splits) if split in values]
        if places:
            nats = [values[splits[place]] for place in places]
            axes.plot(places, nats, marker=marker, label=KINDS[kind].label, **look)
    header = metrics.find_metric(HEADLINE).header
    _finish(axes, splits, header, f"published, Google robot pushing\n({ROBOT_PUSHING_SOURCE})")


def _draw_curve(report: LikelihoodReport, axes: Axes) -> None:
    """The headline over the last split's frames."""
    split = list(report.splits)[-1]
    rows = report.rows(REFERENCE_ROW)
    for colour, (name, summaries) in zip(cycle(_COLOURS), rows, strict=False):
        points = summaries[split].per_frame
        frames = [point.frame for point in points]
        nats = [point.nats_per_subpixel for point in points]
        style = "--" if name == REFERENCE_ROW else "-"
        marker = "o" if len(points) < 2 else None
        axes.plot(frames, nats, ls=style, lw=1.2, marker=marker, color=colour)
    floor = report.splits[split].floor
    if floor is not None:
        axes.axhline(floor.mean.value, ls=":", color="0.4")
    axes.set(title=f"over frames, {split}", xlabel="frame index in the episode")
    axes.locator_params(axis="x", integer=True)


def _finish(axes: Axes, splits: Sequence[str], unit: str, title: str | None = None) -> None:
    axes.set_xticks(range(len(splits)), [COLUMNS.get(split, split) for split in splits])
    axes.set(title=title or unit, ylabel=unit)
    axes.margins(x=0.15)
    if axes.has_data():
        axes.legend(fontsize=7, frameon=False)


def _write(panels: Sequence[Panel], path: Path) -> None:
    rows = math.ceil(len(panels) / _PANELS_A_ROW)
    with figure_file(path, 11, 3.6 * rows, dpi=160) as figure:
        places = figure.subplots(rows, _PANELS_A_ROW, squeeze=False).flatten()
        for axes, draw in zip(places, panels, strict=False):
            draw(axes)
        for axes in places[len(panels) :]:
            axes.set_axis_off()
