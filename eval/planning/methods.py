"""The methods that work on tasks: the model's planner, and those that it is compared with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from pixelpush.errors import InputError
from pixelpush.eval.planning.bin import PushingBin
from pixelpush.eval.planning.control import (
    Controller,
    ModelController,
    PlanningController,
    RandomController,
    StraightController,
)
from pixelpush.eval.planning.predictors import (
    CostName,
    ModelPredictor,
    SimulatorPredictor,
    StillPredictor,
)
from pixelpush.eval.planning.settings import ControlSettings, PlannerSettings
from pixelpush.eval.planning.tasks import Task
from pixelpush.registry import Registry
from pixelpush.training.seeding import derived_seed
from pixelpush.vpn.world import World


@dataclass(frozen=True)
class Setup:
    """What all methods share. world: of the model, None where no method needs one.

    >>> Setup().cost
    'pixel'
    """

    control: ControlSettings = field(default_factory=ControlSettings)
    planner: PlannerSettings = field(default_factory=PlannerSettings)
    cost: CostName = "pixel"
    world: World | None = None

    def to_json(self, method: str) -> dict[str, object]:
        """What decides a method's outcomes, as JSON values."""
        told: dict[str, object] = {"control": asdict(self.control)}
        if method in ("copy", "model", "simulator"):
            told["planner"] = asdict(self.planner)
        if method == "model" and self.world is not None:
            told["cost"] = self.cost
            told["prediction"] = self.world.prediction
            told["temperature"] = self.world.temperature
            told["precision"] = self.world.precision
        return told


@dataclass(frozen=True)
class Method:
    """A way to work on a task. words: its label in the table.

    >>> METHODS.find("random").words
    'random pushes'
    """

    words: str
    build: Callable[[PushingBin, Task, Setup], Controller]


def _copy(bin: PushingBin, task: Task, setup: Setup) -> Controller:
    return PlanningController(bin, task, setup.control, StillPredictor(), setup.planner)


def _simulator(bin: PushingBin, task: Task, setup: Setup) -> Controller:
    predictor = SimulatorPredictor(bin, task.slot)
    return PlanningController(bin, task, setup.control, predictor, setup.planner)


def _model(bin: PushingBin, task: Task, setup: Setup) -> Controller:
    if setup.world is None:
        raise InputError("the planner needs a model: give one with --model.")
    seed = derived_seed(setup.control.seed, f"samples {task.split}", task.number)
    predictor = ModelPredictor(setup.world, setup.cost, seed)
    return ModelController(bin, task, setup.control, predictor, setup.planner)


METHODS: Registry[Method] = Registry(
    "planning method",
    {
        "random": Method("random pushes", lambda b, t, s: RandomController(b, t, s.control)),
        "copy": Method("planner, copying the last frame", _copy),
        "straight": Method(
            "straight push, true poses", lambda b, t, s: StraightController(b, t, s.control)
        ),
        "model": Method("planner with the model", _model),
        "simulator": Method("planner with the true simulator", _simulator),
    },
)
