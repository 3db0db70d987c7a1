"""Options of planning. Light: neither torch nor MuJoCo."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pixelpush.errors import InputError
from pixelpush.settings import Device, check_between, check_seed


@dataclass(frozen=True)
class PlannerSettings:
    """How a plan is searched for. Raises InputError for a value out of range.

    Example:
        >>> PlannerSettings(candidates=8).iterations
        2
    """

    planner: Literal["cem", "mppi"] = "cem"
    """Cross-entropy method, or model-predictive path integral control."""
    candidates: int = 24
    """Candidates rolled out together in one iteration."""
    iterations: int = 2
    """Iterations of a search; each draws its candidates where the last one found good ones."""
    elites: int = 4
    """CEM: how many candidates the next iteration is drawn round."""
    sharpness: float = 10.0
    """MPPI: weights are exp(-sharpness * cost), costs scaled to the range of the iteration's."""

    def __post_init__(self):
        check_between(self, 1, 100_000, "candidates", "elites")
        check_between(self, 1, 1000, "iterations")
        check_between(self, 0, 1e6, "sharpness")
        if self.elites > self.candidates:
            raise InputError(
                f"--elites {self.elites} of --candidates {self.candidates}: give at most as many."
            )


@dataclass(frozen=True)
class ControlSettings:
    """How a task is worked on. Raises InputError for a value out of range.

    Example:
        >>> ControlSettings().replan
        8
    """

    steps: int = 15
    """Actions a task has."""
    replan: int = 8
    """Actions that are carried out before the next plan."""
    segments: int = 2
    """Straight segments of a plan."""
    segment_frames: int = 5
    """Frames of a segment."""
    seed: int = 0
    """Of all draws of the search."""

    def __post_init__(self):
        check_between(self, 1, 1000, "steps", "replan", "segments", "segment_frames")
        check_seed(self.seed)


@dataclass(frozen=True)
class ModelSettings:
    """Which model plans are made with, and how it predicts.

    Raises InputError for a value out of range.

    Example:
        >>> ModelSettings().model
        'push-ot-small'
    """

    model: str = "push-ot-small"
    """Run folder, saved model or name of a shipped one."""
    sample: bool = False
    """Sample the candidates' frames. Left out: their mean, the picture that the model composes,
    is taken, which is faster."""
    temperature: float = 0.5
    """Of samples."""
    precision: Literal["bf16", "32"] = "bf16"
    """Of the networks while planning."""
    device: Device = "auto"
    """Where to compute; auto takes a GPU where there is one."""

    def __post_init__(self):
        if not 0 < self.temperature < float("inf"):
            raise InputError(f"--temperature must be above 0, got {self.temperature}.")


@dataclass(frozen=True)
class TaskSettings:
    """Which tasks of the simulated bin are worked on, and by whom.

    Example:
        >>> TaskSettings().methods
        ('model',)
    """

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


@dataclass(frozen=True)
class FolderSettings:
    """A folder of own frames to plan from, and what is to be pushed where.

    Example:
        >>> FolderSettings().folder is None
        True
    """

    folder: Path | None = None
    """Instead of tasks: a folder with two frames, states.csv and actions.csv (docs/planning.md);
    actions are proposed."""
    point: tuple[float, float] | None = None
    """With --folder: column and row of the point to be pushed."""
    goal: tuple[float, float] | None = None
    """With --folder: column and row of its goal."""
    goal_picture: Path | None = None
    """With --folder: a picture of the goal, in place of point and goal."""
