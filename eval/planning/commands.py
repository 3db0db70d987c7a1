"""What ``pixelpush plan`` does: load a model, work on tasks, print the table; or plan a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pixelpush.errors import InputError
from pixelpush.eval.devices import pick_device
from pixelpush.eval.likelihood.runs import run_facts
from pixelpush.eval.planning.folder import propose, write_proposal
from pixelpush.eval.planning.methods import METHODS, Setup
from pixelpush.eval.planning.predictors import planning_world
from pixelpush.eval.planning.report import plan_table
from pixelpush.eval.planning.run import Job, run_tasks
from pixelpush.eval.planning.settings import (
    ControlSettings,
    FolderSettings,
    ModelSettings,
    PlannerSettings,
    TaskSettings,
)
from pixelpush.eval.planning.space import sim_space
from pixelpush.eval.planning.tasks import Task, read_tasks
from pixelpush.progress import progress_unless
from pixelpush.vpn import load_model
from pixelpush.vpn.world import World


def load_world(settings: ModelSettings) -> World:
    """The world that plans are made in.

    >>> load_world(ModelSettings(model="nowhere"))
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere: neither a run folder, a saved model nor a shipped ...
    """
    model = load_model(settings.model, pick_device(settings.device), family="video")
    return planning_world(model, settings.sample, settings.temperature, settings.precision)


def plan_tasks(
    settings: ModelSettings,
    wanted: TaskSettings,
    control: ControlSettings,
    planner: PlannerSettings,
    out: Path,
    quiet: bool = False,
) -> None:
    """Work on tasks of a split, by each method, and print the table.

    Raises InputError for a number that the split does not have, and for a model of other data than
    the simulated bin's.

    >>> random = TaskSettings(methods=("random",), tasks=(99,))
    >>> plan_tasks(ModelSettings(), random, ControlSettings(), PlannerSettings(), Path("plans"))
    Traceback (most recent call last):
    pixelpush.errors.InputError: --tasks 99: val has tasks 0 to 49.
    """
    chosen = _chosen_tasks(wanted)
    for method in wanted.methods:
        METHODS.find(method)
    world = None
    if "model" in wanted.methods:
        world = load_world(settings)
        check_bin_model(world, settings.model)
    setup = Setup(control, planner, wanted.cost, world)
    reports = []
    for method in wanted.methods:
        name = settings.model if method == "model" else ""
        films = out / "films" if wanted.films else None
        job = Job(method, wanted.split, setup, out, name, films)
        report = run_tasks(job, chosen, progress_unless(quiet))
        reports.append(report.of_tasks({task.number for task in chosen}))
    print(plan_table(reports))


def _chosen_tasks(wanted: TaskSettings) -> Sequence[Task]:
    tasks = read_tasks(wanted.split)
    for number in wanted.tasks:
        if not 0 <= number < len(tasks):
            raise InputError(f"--tasks {number}: {wanted.split} has tasks 0 to {len(tasks) - 1}.")
    return [tasks[number] for number in wanted.tasks] or tasks


def plan_folder(
    settings: ModelSettings,
    wanted: FolderSettings,
    control: ControlSettings,
    planner: PlannerSettings,
    out: Path,
) -> None:
    """Propose actions for a folder's frames and write them.

    >>> nowhere = ModelSettings(model="nowhere")
    >>> settings = FolderSettings(Path("mine")), ControlSettings(), PlannerSettings()
    >>> plan_folder(nowhere, *settings, Path("plans"))
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere: neither a run folder, a saved model nor a shipped ...
    """
    world = load_world(settings)
    proposal = propose(world, run_facts(settings.model), wanted, control, planner)
    for path in write_proposal(proposal, out):
        print(path)


def check_bin_model(world: World, name: str) -> None:
    """Refuse a model whose frames, states or actions are not those of the simulated bin.

    >>> from pixelpush.vpn import build_model
    >>> world = planning_world(build_model("ot", frame_size=8, coarse_scales=0))
    >>> check_bin_model(world, "small")
    Traceback (most recent call last):
    pixelpush.errors.InputError: small: its frames are 8x8x3 with states of 5 and actions of 5 ...
    """
    c = world.model.config
    size = len(sim_space().lowest)
    if (c.frame_size, c.colours, c.state_dim, c.action_dim) != (64, 3, size, size):
        raise InputError(
            f"{name}: its frames are {c.frame_size}x{c.frame_size}x{c.colours} with states of "
            f"{c.state_dim} and actions of {c.action_dim} numbers; the tasks' bin has 64x64x3, "
            f"{size} and {size}. Plan from own frames with --folder."
        )
