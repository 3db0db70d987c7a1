"""Carry out ``pixelpush plan``: tasks, films, JSON. A task that is done is not done again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pixelpush.errors import InputError
from pixelpush.eval.planning.bin import PushingBin
from pixelpush.eval.planning.control import run_task
from pixelpush.eval.planning.film import write_film
from pixelpush.eval.planning.methods import METHODS, Setup
from pixelpush.eval.planning.record import PlanReport, TaskResult, read_report, weights_hash
from pixelpush.eval.planning.tasks import Task
from pixelpush.files import write_json
from pixelpush.progress import Progress, silent


@dataclass(frozen=True)
class Job:
    """A method's tasks of one split. name: of the model, '' for methods without one. out: folder
    of the JSON. films: folder for a film of each task, or None.

    >>> Job("model", "val", Setup(), Path("plans"), name="runs/small").path.name
    'val-model-small.json'
    """

    method: str
    split: str
    setup: Setup
    out: Path
    name: str = ""
    films: Path | None = None

    @property
    def path(self) -> Path:
        """The JSON of this job."""
        of = f"-{Path(self.name).name}" if self.name else ""
        picture = "-picture" if self.name and self.setup.cost == "picture" else ""
        searches = "planner" in self.setup.to_json(self.method)
        mppi = "-mppi" if searches and self.setup.planner.planner == "mppi" else ""
        return self.out / f"{self.split}-{self.method}{of}{picture}{mppi}.json"


def run_tasks(job: Job, tasks: Sequence[Task], progress: Progress = silent) -> PlanReport:
    """Work on the tasks that the job's JSON does not hold yet; returns all of it.

    The file is written after every task, so that the same call goes on after a kill. Raises
    InputError where it was made with other settings.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run_tasks(Job("random", "val", Setup(), Path(folder)), []).tasks
    ()
    """
    method = METHODS.find(job.method)
    report = _begun(job)
    done = {task.number for task in report.tasks}
    with progress(len(tasks), f"{job.method} on {job.split}") as advance:
        for task in tasks:
            if task.number not in done:
                bin = PushingBin("sim", task.split, task.episode)
                outcome = run_task(method.build(bin, task, job.setup))
                if job.films is not None and outcome.frames:
                    write_film(job.films / f"{job.path.stem}-{task.number:03d}.mp4", outcome)
                report = report.with_task(TaskResult.of(outcome))
                write_json(job.path, report.to_json())
            advance(1)
    return report


def _begun(job: Job) -> PlanReport:
    """What the job's JSON holds, or a new beginning."""
    settings = job.setup.to_json(job.method)
    begun = PlanReport(job.split, job.method, job.name, weights_hash(job.name), settings)
    if not job.path.exists():
        return begun
    found = read_report(job.path)
    for key, value in begun.head().items():
        if found.head().get(key) != value:
            raise InputError(
                f"{job.path}: was made with another {key}; remove it, or choose another --out."
            )
    return found
