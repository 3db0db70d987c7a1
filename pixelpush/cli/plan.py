"""The command ``pixelpush plan``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pixelpush.eval.planning.settings import (
    ControlSettings,
    FolderSettings,
    ModelSettings,
    PlannerSettings,
    TaskSettings,
)


@dataclass(frozen=True)
class PlanOptions:
    """Options of ``pixelpush plan``.

    Example:
        >>> PlanOptions(Path("plans")).from_folder.folder is None
        True
    """

    out: Path
    """Folder for the JSON and the films, or for the proposed actions."""
    with_model: ModelSettings = field(default_factory=ModelSettings)
    on_tasks: TaskSettings = field(default_factory=TaskSettings)
    from_folder: FolderSettings = field(default_factory=FolderSettings)
    control: ControlSettings = field(default_factory=ControlSettings)
    search: PlannerSettings = field(default_factory=PlannerSettings)
    quiet: bool = False
    """No progress bar."""


def plan(options: PlanOptions) -> None:
    """Push objects to goals in the simulated bin under a planner, or plan from own frames.

    Example:
        >>> tasks = TaskSettings(methods=("random",), tasks=(99,))
        >>> plan(PlanOptions(Path("plans"), on_tasks=tasks))
        Traceback (most recent call last):
        pixelpush.errors.InputError: --tasks 99: val has tasks 0 to 49.
    """
    from pixelpush.eval.planning import commands

    if options.from_folder.folder is not None:
        commands.plan_folder(
            options.with_model,
            options.from_folder,
            options.control,
            options.search,
            options.out,
        )
    else:
        commands.plan_tasks(
            options.with_model,
            options.on_tasks,
            options.control,
            options.search,
            options.out,
            options.quiet,
        )
