"""The JSON of a method's work on the tasks of one split, as typed records."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from pixelpush.errors import InputError
from pixelpush.eval.planning.control import Outcome
from pixelpush.files import read_json_object
from pixelpush.saved import WEIGHTS, find_saved

FORMAT = "pixelpush-plan"
VERSION = 1


@dataclass(frozen=True)
class TaskResult:
    """How one task ended; metres and seconds. plan_costs: of the plan that was followed, each time.

    >>> TaskResult(0, 3, 0.12, 0.02, 0.1, True, 960, 1.5).success
    True
    """

    number: int
    episode: int
    start_distance: float
    final_distance: float
    improvement: float
    success: bool
    candidate_frames: int
    seconds: float
    plan_costs: tuple[float, ...] = ()

    @classmethod
    def of(cls, outcome: Outcome) -> TaskResult:
        """What is kept of an outcome, rounded."""
        return cls(
            number=outcome.task.number,
            episode=outcome.task.episode,
            start_distance=round(outcome.start_distance, 6),
            final_distance=round(outcome.final_distance, 6),
            improvement=round(outcome.improvement, 6),
            success=outcome.success,
            candidate_frames=outcome.candidate_frames,
            seconds=round(outcome.seconds, 2),
            plan_costs=tuple(round(plan.cost, 4) for plan in outcome.plans),
        )


@dataclass(frozen=True)
class PlanReport:
    """What a method did on a split. model: '' for methods without one. weights: their hash.
    settings: what decides the outcomes, by name. tasks: in the order of their numbers.

    >>> PlanReport("val", "random", settings={"control": {}}).to_json()["control"]
    {}
    """

    split: str
    method: str
    model: str = ""
    weights: str = ""
    settings: Mapping[str, object] | None = None
    tasks: tuple[TaskResult, ...] = ()

    def head(self) -> dict[str, object]:
        """What must be alike for a report to be continued, as JSON values."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "split": self.split,
            "method": self.method,
            "model": self.model,
            "weights": self.weights,
            **(self.settings or {}),
        }

    def to_json(self) -> dict[str, object]:
        """The file's values."""
        return {**self.head(), "tasks": [asdict(task) for task in self.tasks]}

    def with_task(self, result: TaskResult) -> PlanReport:
        """The report with one more task."""
        return replace(self, tasks=tuple(sorted((*self.tasks, result), key=lambda one: one.number)))

    def of_tasks(self, numbers: set[int]) -> PlanReport:
        """The report on some of its tasks."""
        return replace(self, tasks=tuple(task for task in self.tasks if task.number in numbers))


def read_report(path: Path) -> PlanReport:
    """Read a report. Raises InputError for a file of another format or version.

    >>> read_report(Path("no-such-file"))
    Traceback (most recent call last):
    pixelpush.errors.InputError: no-such-file: no such file.
    """
    values = read_json_object(path)
    if (values.pop("format", None), values.pop("version", None)) != (FORMAT, VERSION):
        raise InputError(f"{path}: no report of plans of version {VERSION}; choose another --out.")
    try:
        tasks = tuple(_task_result(value) for value in values.pop("tasks"))
        named = {name: str(values.pop(name)) for name in ("split", "method", "model", "weights")}
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}: is damaged ({error}); remove it.") from None
    return PlanReport(**named, settings=values, tasks=tasks)


def _task_result(value: Mapping[str, Any]) -> TaskResult:
    found = {field.name: value[field.name] for field in fields(TaskResult)}
    return TaskResult(**{**found, "plan_costs": tuple(found["plan_costs"])})


def weights_hash(name: str) -> str:
    """What tells a model's weights from later ones of the same name; '' for no model.

    >>> len(weights_hash("push-ot-small")), weights_hash("")
    (16, '')
    """
    if not name:
        return ""
    content = (find_saved(name).folder / WEIGHTS).read_bytes()
    return hashlib.sha256(content).hexdigest()[:16]
