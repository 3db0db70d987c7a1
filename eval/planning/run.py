"""Carry out ``pixelpush plan``: tasks, films, JSON. A task that is done is not done again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixelpush.errors import InputError
from pixelpush.eval.planning.bin import PushingBin
from pixelpush.eval.planning.control import Outcome, run_task
from pixelpush.eval.planning.film import write_film
from pixelpush.eval.planning.methods import METHODS, Setup
from pixelpush.eval.planning.tasks import Task
from pixelpush.files import read_json, write_json
from pixelpush.progress import Progress, silent
from pixelpush.saved import WEIGHTS, find_saved

FORMAT = "pixelpush-plan"
VERSION = 1


@dataclass(frozen=True)
class Job:
    """A method's tasks of one split. name: of the model, '' for methods without one. out: folder
    of the JSON. films: folder for a film of each task, or None."""

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
        return self.out / f"{self.split}-{self.method}{of}{picture}.json"


def run_tasks(job: Job, tasks: Sequence[Task], progress: Progress = silent) -> dict[str, Any]:
    """Work on the tasks that the job's JSON does not hold yet; returns all of it.

    The file is written after every task, so that the same call goes on after a kill. Raises
    InputError where it was made with other settings."""
    method = METHODS.find(job.method)
    report = _begun(job)
    done = {entry["number"] for entry in report["tasks"]}
    with progress(len(tasks), f"{job.method} on {job.split}") as advance:
        for task in tasks:
            if task.number not in done:
                bin = PushingBin("sim", task.split, task.episode)
                outcome = run_task(method.build(bin, task, job.setup))
                if job.films is not None and outcome.frames:
                    write_film(job.films / f"{job.path.stem}-{task.number:03d}.mp4", outcome)
                report["tasks"].append(outcome_json(outcome))
                report["tasks"].sort(key=lambda entry: entry["number"])
                write_json(job.path, report)
            advance(1)
    return report


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """A task's outcome as JSON values; metres and seconds."""
    return {
        "number": outcome.task.number,
        "episode": outcome.task.episode,
        "start_distance": round(outcome.start_distance, 6),
        "final_distance": round(outcome.final_distance, 6),
        "improvement": round(outcome.improvement, 6),
        "success": outcome.success,
        "candidate_frames": outcome.candidate_frames,
        "seconds": round(outcome.seconds, 2),
        "plan_costs": [round(plan.cost, 4) for plan in outcome.plans],
    }


def weights_hash(name: str) -> str:
    """What tells a model's weights from later ones of the same name; '' for no model.

    >>> len(weights_hash("push-ot-small")), weights_hash("")
    (16, '')
    """
    if not name:
        return ""
    content = (find_saved(name).folder / WEIGHTS).read_bytes()
    return hashlib.sha256(content).hexdigest()[:16]


def _begun(job: Job) -> dict[str, Any]:
    """What the job's JSON holds, or a new beginning."""
    begun = {
        "format": FORMAT,
        "version": VERSION,
        "split": job.split,
        "method": job.method,
        "model": job.name,
        "weights": weights_hash(job.name),
        **job.setup.to_json(job.method),
        "tasks": [],
    }
    if not job.path.exists():
        return begun
    found = read_json(job.path)
    differing = [key for key in begun if key != "tasks" and found.get(key) != begun[key]]
    if differing:
        raise InputError(
            f"{job.path}: was made with another {differing[0]}; remove it, or choose another --out."
        )
    return found
