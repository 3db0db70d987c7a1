"""The command ``pixelpush plan``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pixelpush.errors import InputError
from pixelpush.eval.devices import Device
from pixelpush.eval.planning.settings import ControlSettings, PlannerSettings


@dataclass(frozen=True)
class PlanOptions:
    """Options of ``pixelpush plan``."""

    out: Path
    """Folder for the JSON and the films."""
    model: str = "push-ot-small"
    """Run folder, saved model or name of a shipped one."""
    split: str = "val"
    """Split of the simulated bin whose tasks are worked on: val, test-seen or test-novel."""
    tasks: tuple[int, ...] = (0, 1, 2)
    """Numbers of tasks, 0 to 49. Without a value: all 50."""
    methods: tuple[str, ...] = ("model",)
    """Who works on them: model, and to compare with: random, copy, straight, simulator."""
    cost: Literal["pixel", "picture"] = "pixel"
    """What a plan is judged by: where the point goes, or the likeness to the goal's picture."""
    films: bool = True
    """Write a film of each task of the model."""
    folder: Path | None = None
    """Instead of tasks: a folder with two frames, states.csv and actions.csv (docs/planning.md);
    actions are proposed."""
    point: tuple[float, float] | None = None
    """With --folder: column and row of the point to be pushed."""
    goal: tuple[float, float] | None = None
    """With --folder: column and row of its goal."""
    goal_picture: Path | None = None
    """With --folder: a picture of the goal, in place of point and goal."""
    sample: bool = False
    """Sample the candidates' frames. Left out: their mean, the picture that the model composes,
    is taken, which is faster."""
    temperature: float = 0.5
    """Of samples."""
    precision: Literal["bf16", "32"] = "bf16"
    """Of the networks while planning."""
    device: Device = "auto"
    """Where to compute; auto takes a GPU where there is one."""
    quiet: bool = False
    """No progress bar."""
    control: ControlSettings = field(default_factory=ControlSettings)
    planner: PlannerSettings = field(default_factory=PlannerSettings)


def plan(options: PlanOptions) -> None:
    """Push objects to goals in the simulated bin under a planner, or plan from own frames."""
    if options.temperature <= 0:
        raise InputError(f"--temperature must be above 0, got {options.temperature}.")

    from pixelpush.eval.planning import commands

    world = None
    if options.folder is not None or "model" in options.methods:
        world = commands.load_world(
            options.model,
            options.device,
            options.sample,
            options.temperature,
            options.precision,
        )
    if options.folder is not None:
        assert world is not None
        commands.plan_folder(
            world,
            options.model,
            options.folder,
            options.point,
            options.goal,
            options.goal_picture,
            options.control,
            options.planner,
            options.out,
        )
        return
    setup = commands.Setup(options.control, options.planner, options.cost, world)
    commands.plan_tasks(
        setup,
        options.model,
        options.split,
        options.tasks,
        options.methods,
        options.out,
        films=options.films,
        quiet=options.quiet,
    )
