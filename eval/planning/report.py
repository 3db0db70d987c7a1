"""The planning table: means with standard errors over tasks, and paired comparisons."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pixelpush.eval.planning.methods import METHODS


@dataclass(frozen=True)
class Mean:
    """A mean and its standard error.

    >>> mean_of([1.0, 3.0])
    Mean(value=2.0, error=1.0)
    """

    value: float
    error: float


def mean_of(values: Sequence[float]) -> Mean:
    """Mean and standard error over tasks; the error of a single one is NaN.

    >>> mean_of([2.0, 2.0, 2.0]).error
    0.0
    """
    count = len(values)
    mean = math.fsum(values) / count
    if count < 2:
        return Mean(mean, math.nan)
    squares = math.fsum((value - mean) ** 2 for value in values)
    return Mean(mean, math.sqrt(squares / (count - 1) / count))


def paired(first: Mapping[str, Any], second: Mapping[str, Any]) -> Mean:
    """By how many metres the first report's tasks improved more than the second's, task by task.

    >>> task = {"number": 0, "improvement": 0.25}
    >>> paired({"tasks": [task]}, {"tasks": [{**task, "improvement": 0.0}]}).value
    0.25
    """
    other = {entry["number"]: entry["improvement"] for entry in second["tasks"]}
    return mean_of(
        [
            entry["improvement"] - other[entry["number"]]
            for entry in first["tasks"]
            if entry["number"] in other
        ]
    )


def plan_table(reports: Sequence[Mapping[str, Any]]) -> str:
    """The table of reports, one row each, split by split."""
    lines = [
        f"{'':44} tasks    start     final        nearer    within 5 cm  frames/task",
        "-" * 111,
    ]
    split = ""
    for report in reports:
        if report["split"] != split:
            split = report["split"]
            lines.append(split)
        lines.append(_row(report))
        lines += _comparisons(report, reports)
    lines.append("cm; ± is one standard error over tasks; frames/task: candidate frames predicted.")
    return "\n".join(lines)


def label(report: Mapping[str, Any]) -> str:
    """The words of a report's method, with its model."""
    words = METHODS.find(report["method"]).words
    if not report["model"]:
        return words
    picture = ", picture cost" if report.get("cost") == "picture" else ""
    return words.replace("the model", report["model"].rstrip("/").split("/")[-1]) + picture


def _row(report: Mapping[str, Any]) -> str:
    tasks = report["tasks"]

    def mean(name: str, scale: float = 100.0) -> Mean:
        return mean_of([scale * entry[name] for entry in tasks])

    start, final, nearer = (
        mean(name) for name in ("start_distance", "final_distance", "improvement")
    )
    success = mean("success")
    frames = mean("candidate_frames", 1.0)
    return (
        f"  {label(report):42} {len(tasks):5}  {start.value:7.1f}  {final.value:5.1f} ± "
        f"{_error(final.error, '3.1f')}  {nearer.value:5.1f} ± {_error(nearer.error, '3.1f')}  "
        f"{success.value:4.0f} ± {_error(success.error, '2.0f')} %  {frames.value:11.0f}"
    )


def _comparisons(report: Mapping[str, Any], reports: Sequence[Mapping[str, Any]]) -> list[str]:
    """How a model's planner does beside random pushes and copying, on the same tasks."""
    if report["method"] != "model" or len(report["tasks"]) < 2:
        return []  # one task has no standard error
    lines = []
    for name in ("random", "copy"):
        for other in reports:
            if (other["method"], other["split"]) == (name, report["split"]):
                by = paired(report, other)
                errors = by.value / by.error if by.error else math.inf
                lines.append(
                    f"    nearer than {name} by {100 * by.value:.1f} ± {100 * by.error:.1f} cm: "
                    f"{errors:.1f} standard errors"
                )
    return lines


def _error(value: float, form: str) -> str:
    """A standard error; a dash for one task, which has none."""
    return format(value, form) if math.isfinite(value) else "-".rjust(int(form[0]))
