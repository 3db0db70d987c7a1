"""The planning table: means with standard errors over tasks, and paired comparisons."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pixelpush.eval.planning.methods import METHODS
from pixelpush.eval.planning.record import PlanReport
from pixelpush.eval.statistics import MeanAndError, mean_and_error


def paired(first: PlanReport, second: PlanReport) -> MeanAndError:
    """By how many metres the first report's tasks improved more than the second's, task by task.

    >>> from pixelpush.eval.planning.record import TaskResult
    >>> task = TaskResult(0, 3, 0.5, 0.25, 0.25, False, 960, 1.5)
    >>> still = TaskResult(0, 3, 0.5, 0.5, 0.0, False, 960, 1.5)
    >>> planned = PlanReport("val", "model", tasks=(task,))
    >>> paired(planned, PlanReport("val", "copy", tasks=(still,))).mean
    0.25
    """
    other = {task.number: task.improvement for task in second.tasks}
    return mean_and_error(
        [task.improvement - other[task.number] for task in first.tasks if task.number in other]
    )


def plan_table(reports: Sequence[PlanReport]) -> str:
    """The table of reports, one row each, split by split.

    >>> from pixelpush.eval.planning.record import TaskResult
    >>> task = TaskResult(0, 3, 0.5, 0.25, 0.25, False, 960, 1.5)
    >>> print(plan_table([PlanReport("val", "random", tasks=(task,))]).splitlines()[3])
      random pushes                                  1     50.0   25.0 ±   -   25.0 ±   -     ...
    """
    lines = [
        f"{'':44} tasks    start     final        nearer    within 5 cm  frames/task",
        "-" * 111,
    ]
    split = ""
    for report in reports:
        if report.split != split:
            split = report.split
            lines.append(split)
        lines.append(_row(report))
        lines += _comparisons(report, reports)
    lines.append("cm; ± is one standard error over tasks; frames/task: candidate frames predicted.")
    return "\n".join(lines)


def label(report: PlanReport) -> str:
    """The words of a report's method, with its model.

    >>> label(PlanReport("val", "model", "runs/small"))
    'planner with small'
    """
    settings = report.settings or {}
    words = METHODS.find(report.method).words
    planner = settings.get("planner")
    mppi = ", MPPI" if isinstance(planner, dict) and planner["planner"] == "mppi" else ""
    if not report.model:
        return words + mppi
    picture = ", picture cost" if settings.get("cost") == "picture" else ""
    return words.replace("the model", report.model.rstrip("/").split("/")[-1]) + picture + mppi


def _row(report: PlanReport) -> str:
    def mean(name: str, scale: float = 100.0) -> MeanAndError:
        return mean_and_error([scale * getattr(task, name) for task in report.tasks])

    start = mean("start_distance")
    final = mean("final_distance")
    nearer = mean("improvement")
    success = mean("success")
    frames = mean("candidate_frames", 1.0)
    return (
        f"  {label(report):42} {len(report.tasks):5}  {start.mean:7.1f}  {final.mean:5.1f} ± "
        f"{_error(final, '3.1f')}  {nearer.mean:5.1f} ± {_error(nearer, '3.1f')}  "
        f"{success.mean:4.0f} ± {_error(success, '2.0f')} %  {frames.mean:11.0f}"
    )


def _comparisons(report: PlanReport, reports: Sequence[PlanReport]) -> list[str]:
    """How a model's planner does beside random pushes and copying, on the same tasks."""
    if report.method != "model" or len(report.tasks) < 2:
        return []  # one task has no standard error
    lines = []
    for name in ("random", "copy"):
        for other in reports:
            if (other.method, other.split) == (name, report.split):
                by = paired(report, other)
                error = by.standard_error or 0.0
                errors = by.mean / error if error else math.inf
                lines.append(
                    f"    nearer than {name} by {100 * by.mean:.1f} ± {100 * error:.1f} cm: "
                    f"{errors:.1f} standard errors"
                )
    return lines


def _error(of: MeanAndError, form: str) -> str:
    """A standard error; a dash for one task, which has none."""
    if of.standard_error is None:
        return "-".rjust(int(form[0]))
    return format(of.standard_error, form)
