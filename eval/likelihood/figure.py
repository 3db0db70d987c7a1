"""The figure of a likelihood report: splits side by side, and the curve over frames."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pixelpush.eval.calibration import draw_calibration
from pixelpush.eval.likelihood.report import LikelihoodReport, Summary
from pixelpush.eval.likelihood.tables import COLUMNS, FLOOR_ROW, REFERENCE_ROW
from pixelpush.files import atomic_file
from pixelpush.published import ROBOT_PUSHING, ROBOT_PUSHING_SOURCE
from pixelpush.vpn.decoders import KINDS

# Colour-blind safe (Okabe and Ito).
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def likelihood_figure(
    report: LikelihoodReport, path: Path, calibrated: dict[str, Any] | None = None
) -> None:
    """Draw splits side by side, the published figures, the curve over the last split's frames and,
    below, a report of ``eval.calibration`` where one is given."""
    splits = list(report.splits)
    height = 3.6 if calibrated is None else 7.2
    figure = Figure(figsize=(11, height), layout="constrained")
    panels = figure.subplots(1 if calibrated is None else 2, 3, squeeze=False)
    ours, published, curve = panels[0]
    if calibrated is not None:
        draw_calibration(calibrated, panels[1, 0], panels[1, 1])
        panels[1, 2].set_axis_off()
    rows = report.rows(REFERENCE_ROW)
    for colour, (name, summaries) in zip(cycle(_COLOURS), rows, strict=False):
        style = "--" if name == REFERENCE_ROW else "-"
        _draw_splits(ours, name, [summaries[split] for split in splits], colour, style)
        points = summaries[splits[-1]].per_frame
        frames = [point.frame for point in points]
        nats = [point.nats_per_subpixel for point in points]
        marker = "o" if len(points) < 2 else None
        curve.plot(frames, nats, ls=style, lw=1.2, marker=marker, color=colour)
    floors = [facts.floor.mean.value for facts in report.splits.values() if facts.floor is not None]
    if len(floors) == len(splits):
        places = range(len(splits))
        ours.plot(places, floors, ls=":", marker="_", ms=14, color="0.4", label=FLOOR_ROW)
        curve.axhline(floors[-1], ls=":", color="0.4")
    _draw_published(published, splits)
    _finish(ours, splits, "this report")
    _finish(published, splits, f"published, Google robot pushing\n({ROBOT_PUSHING_SOURCE})")
    curve.set(title=f"over frames, {splits[-1]}", xlabel="frame index in the episode")
    curve.xaxis.set_major_locator(MaxNLocator(integer=True))
    with atomic_file(path) as partial:
        figure.savefig(partial, dpi=160)


def _draw_splits(axes: Axes, name: str, summaries: list[Summary], colour: str, style: str) -> None:
    values = [summary.headline.value for summary in summaries]
    errors = [summary.headline.standard_error or 0.0 for summary in summaries]
    look = {"marker": "o", "ms": 4, "ls": style, "lw": 1.2, "color": colour, "label": name}
    axes.errorbar(range(len(values)), values, errors, **look)


def _draw_published(axes: Axes, splits: list[str]) -> None:
    look = {"ms": 4, "lw": 1.2, "color": "0.35", "mfc": "white"}
    for marker, (kind, values) in zip(cycle("osD^"), ROBOT_PUSHING.items(), strict=False):
        places = [place for place, split in enumerate(splits) if split in values]
        if places:
            nats = [values[splits[place]] for place in places]
            axes.plot(places, nats, marker=marker, label=KINDS[kind].label, **look)


def _finish(axes: Axes, splits: list[str], title: str) -> None:
    axes.set_xticks(range(len(splits)), [COLUMNS.get(split, split) for split in splits])
    axes.set(title=title, ylabel="nats per sub-pixel")
    axes.margins(x=0.15)
    if axes.has_data():
        axes.legend(fontsize=7, frameon=False)
