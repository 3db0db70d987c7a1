"""The planning table of docs/planning.md: one command, which goes on where it was stopped.

python -m experiments.planning
python -m experiments.planning --models push-ot-small push-otlogn-small --splits val
python -m experiments.planning --splits val --mppi push-ot-small       # also with the other search

Every task that the JSON in docs/results/planning holds already is kept; those of a model whose
weights have changed since are thrown away. Films go to --films."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
import tyro

from experiments.pages import fenced, fill
from pixelpush.eval.planning.commands import check_bin_model, load_world
from pixelpush.eval.planning.methods import METHODS, Setup
from pixelpush.eval.planning.record import read_report, weights_hash
from pixelpush.eval.planning.report import plan_table
from pixelpush.eval.planning.run import Job, run_tasks
from pixelpush.eval.planning.settings import ControlSettings, ModelSettings, PlannerSettings
from pixelpush.eval.planning.tasks import SPLITS, read_tasks
from pixelpush.progress import Advance, progress_kept


@dataclass(frozen=True)
class Options:
    """What to measure."""

    models: tuple[str, ...] = ("push-ot-small",)
    """Shipped models or run folders whose planner works on the tasks."""
    splits: tuple[str, ...] = SPLITS
    """Splits, in this order."""
    count: int = 50
    """Tasks of each."""
    mppi: tuple[str, ...] = ()
    """Those whose planner also searches by MPPI, with the other settings of --planner."""
    baselines: tuple[str, ...] = ("random", "copy", "straight", "simulator")
    """What the models are compared with."""
    results: Path = Path("docs/results/planning")
    """Folder for the JSON."""
    films: Path | None = Path("out/planning")
    """Folder for the models' films; None for none."""
    page: Path | None = Path("docs/planning.md")
    """Page whose table is replaced; None for none."""
    threads: int = 1
    """Threads on a CPU."""
    control: ControlSettings = field(default_factory=ControlSettings)
    planner: PlannerSettings = field(default_factory=PlannerSettings)


def jobs(options: Options) -> list[Job]:
    """All jobs, split by split, the baselines of a split before its models."""
    plain = Setup(options.control, options.planner)
    models: list[tuple[str, Setup]] = []
    mppi = replace(options.planner, planner="mppi")
    searches = [(name, options.planner) for name in options.models]
    for name, planner in [*searches, *((name, mppi) for name in options.mppi)]:
        world = load_world(ModelSettings(name))
        check_bin_model(world, name)
        models.append((name, Setup(options.control, planner, world=world)))
    made: list[Job] = []
    for split in options.splits:
        made += [Job(method, split, plain, options.results) for method in options.baselines]
        made += [
            Job("model", split, setup, options.results, name, options.films)
            for name, setup in models
        ]
    return made


def main(options: Options) -> None:
    """Work on what is left, and put the table of what there is into the page."""
    torch.set_num_threads(options.threads)
    wanted = jobs(options)
    for job in wanted:
        if job.path.exists() and read_report(job.path).weights != weights_hash(job.name):
            job.path.unlink()
    for job in wanted:
        run_tasks(job, read_tasks(job.split)[: options.count], progress_in_tasks)
        table = all_reports(wanted)
        print(f"\n{table}", flush=True)
        if options.page is not None:
            fill(options.page, {"planning": fenced(table)})


def progress_in_tasks(total: int, name: str) -> AbstractContextManager[Advance]:
    """Lines in a log, counted in tasks."""
    return progress_kept(total, name, unit="task")


def all_reports(wanted: list[Job]) -> str:
    """The table of all jobs that have begun, split by split."""
    order = list(METHODS)
    found = [job for job in wanted if job.path.exists()]
    found.sort(key=lambda job: (SPLITS.index(job.split), order.index(job.method), job.path.name))
    return plan_table([read_report(job.path) for job in found])


if __name__ == "__main__":
    main(tyro.cli(Options, config=(tyro.conf.OmitArgPrefixes,)))
