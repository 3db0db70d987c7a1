"""What ``pixelpush plan`` does: load a model, work on tasks, print the table; or plan a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pixelpush.errors import InputError
from pixelpush.eval.devices import Device, pick_device
from pixelpush.eval.likelihood.runs import run_facts
from pixelpush.eval.planning.folder import propose, write_proposal
from pixelpush.eval.planning.methods import METHODS, Setup
from pixelpush.eval.planning.predictors import planning_world
from pixelpush.eval.planning.report import plan_table
from pixelpush.eval.planning.run import Job, run_tasks
from pixelpush.eval.planning.settings import ControlSettings, PlannerSettings
from pixelpush.eval.planning.space import sim_space
from pixelpush.eval.planning.tasks import read_tasks
from pixelpush.progress import progress_bar, silent
from pixelpush.vpn import load_model
from pixelpush.vpn.world import World

__all__ = ["Setup", "load_world", "plan_folder", "plan_tasks"]


def load_world(
    name: str, device: Device, sample: bool, temperature: float, precision: str
) -> World:
    """The world that plans are made in, from a model by name."""
    model = load_model(name, pick_device(device), family="video")
    return planning_world(model, sample, temperature, precision)


def plan_tasks(
    setup: Setup,
    model: str,
    split: str,
    numbers: Sequence[int],
    methods: Sequence[str],
    out: Path,
    films: bool = True,
    quiet: bool = False,
) -> None:
    """Work on tasks of a split, by each method, and print the table.

    numbers: of the tasks; none for all. Raises InputError for a number that the split does not
    have, and for a model of other data than the simulated bin's."""
    tasks = read_tasks(split)
    for number in numbers:
        if not 0 <= number < len(tasks):
            raise InputError(f"--tasks {number}: {split} has tasks 0 to {len(tasks) - 1}.")
    chosen = [tasks[number] for number in numbers] if numbers else tasks
    for method in methods:
        METHODS.find(method)
    if setup.world is not None:
        check_bin_model(setup.world, model)
    reports = []
    for method in methods:
        name = model if method == "model" else ""
        job = Job(method, split, setup, out, name, out / "films" if films else None)
        report = run_tasks(job, chosen, silent if quiet else progress_bar)
        wanted = {task.number for task in chosen}
        of = [entry for entry in report["tasks"] if entry["number"] in wanted]
        reports.append({**report, "tasks": of})
    print(plan_table(reports))


def plan_folder(
    world: World,
    model: str,
    folder: Path,
    point: tuple[float, float] | None,
    goal: tuple[float, float] | None,
    goal_picture: Path | None,
    control: ControlSettings,
    planner: PlannerSettings,
    out: Path,
) -> None:
    """Propose actions for a folder's frames and write them."""
    facts = run_facts(model)
    proposal = propose(
        world,
        folder,
        facts.context,
        facts.metadata,
        point,
        goal,
        goal_picture,
        control,
        planner,
    )
    for path in write_proposal(proposal, out):
        print(path)


def check_bin_model(world: World, name: str) -> None:
    """Refuse a model whose frames, states or actions are not those of the simulated bin."""
    c = world.model.config
    size = len(sim_space().lowest)
    if (c.frame_size, c.colours, c.state_dim, c.action_dim) != (64, 3, size, size):
        raise InputError(
            f"{name}: its frames are {c.frame_size}x{c.frame_size}x{c.colours} with states of "
            f"{c.state_dim} and actions of {c.action_dim} numbers; the tasks' bin has 64x64x3, "
            f"{size} and {size}. Plan from own frames with --folder."
        )
