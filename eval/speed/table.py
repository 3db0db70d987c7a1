"""Table 4 and the growth of seconds with the frame's side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pixelpush.eval.figures import figure_file
from pixelpush.eval.speed.videos import SpeedReport, Timing, reference_row, sampler_rows
from pixelpush.eval.text import MISSING, text_table
from pixelpush.published import SAMPLING_SECONDS, SAMPLING_SOURCE
from pixelpush.vpn.samplers import PartialSampler

if TYPE_CHECKING:
    from matplotlib.axes import Axes


ARITHMETIC = {"32": "float32", "bf16": "bfloat16"}


def table4_text(report: SpeedReport) -> str:
    """Reed et al. 2017, Table 4, video part, ours beside the published one; a dash where nothing
    was measured.

    >>> from pixelpush.eval.speed.settings import SpeedSettings
    >>> row = Timing("ot", "plain", 64, 0.02, 0.0, 1, 1)
    >>> report = SpeedReport(SpeedSettings(), 64, "a CPU", {}, [row])
    >>> next(line for line in table4_text(report).splitlines() if "O(T) VPN " in line).split()
    ['O(T)', 'VPN', '0.02', '50', '-', '1', '1', '1x1', '0.38']
    """
    settings = report.settings
    size = report.table_size
    found = report.at(size)
    slow = found.get(reference_row())
    header = ["", "s/frame", "frames/s", "speed-up", "evaluations", "steps", "timed", "published s"]
    rows = [
        [
            f"{kind.label}{sampler.words}",
            *_cells(found.get((kind.name, sampler.name)), slow),
            _published(kind.name, sampler.name),
        ]
        for kind, sampler in sampler_rows()
    ]
    lines = [
        f"Sampling {size}x{size} video: at most {settings.frames} frames and {settings.videos} "
        f"videos, batch {settings.videos_at_once}, "
        f"{ARITHMETIC[settings.precision]} on {report.hardware}",
        text_table(header, rows),
    ]
    if slow:
        lines.append(
            f"* extrapolated from {slow.extrapolated_from_steps} of {slow.evaluations:,} "
            "sub-pixel steps"
        )
    for kind, work in report.work.items():
        lines.append(
            f"{kind}: {work['gigaflop']:.3g} GFLOP a frame, {work['weight_megabytes']:.3g} MB of "
            "weights"
        )
    lines.append("timed: videos x frames")
    lines.append(f"published: {SAMPLING_SOURCE}")
    return "\n".join(lines)


def _cells(timing: Timing | None, slow: Timing | None) -> list[str]:
    """A sampler's cells. slow: the plain O(TN) sampler, with which all are compared."""
    if timing is None:
        return [MISSING] * 6
    seconds = timing.seconds_per_frame
    return [
        f"{seconds:.4g}{'*' if timing.extrapolated_from_steps else ''}",
        f"{1 / seconds:.4g}",
        MISSING if slow is None else f"{slow.seconds_per_frame / seconds:,.0f}x",
        f"{timing.evaluations:,}",
        f"{timing.sequential_steps:,}",
        f"{timing.videos}x{timing.frames}" if timing.extrapolated_from_steps is None else "part",
    ]


def _published(kind: str, sampler: str) -> str:
    """Published seconds of a sampler; the papers have a plain one and one in a graph."""
    if kind not in SAMPLING_SECONDS:
        return MISSING
    _, plain, graph = SAMPLING_SECONDS[kind]
    value = {"plain": plain, "graph": graph}.get(sampler)
    return MISSING if value is None else f"{value:g}"


def growth_figure(report: SpeedReport, path: Path) -> None:
    """Seconds a frame against the side of the frame, both logarithmic.

    >>> import tempfile
    >>> from pixelpush.eval.speed.settings import SpeedSettings
    >>> rows = [Timing("ot", "plain", size, size / 1000, 0.0, 1, 1) for size in (16, 32)]
    >>> report = SpeedReport(SpeedSettings(), 64, "a CPU", {}, rows)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     growth_figure(report, Path(folder) / "a.png")
    ...     (Path(folder) / "a.png").is_file()
    True
    """
    with figure_file(path, 6.4, 4.4) as figure:
        _draw_growth(report, figure.subplots())


def _draw_growth(report: SpeedReport, axes: Axes) -> None:
    axes.set(xscale="log", yscale="log")
    axes.set(xlabel="side of the frame (pixels)", ylabel="seconds a frame")
    sizes = sorted({row.size for row in report.timings})
    for kind, sampler in sampler_rows():
        points = sorted(
            (row.size, row.seconds_per_frame)
            for row in report.timings
            if (row.kind, row.sampler) == (kind.name, sampler.name)
        )
        if points:
            one_by_one = sampler.one_frame or isinstance(sampler, PartialSampler)
            line = "--" if one_by_one else "-"
            words = f"{kind.label}{sampler.words}"
            axes.plot(*zip(*points, strict=True), line, marker="o", label=words)
    axes.set_xticks(sizes, [str(size) for size in sizes], minor=False)
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7)
