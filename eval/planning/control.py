"""Model-predictive control of one task: plan, push for a while, look, plan again."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import numpy as np

from pixelpush.eval.planning.bin import PushingBin
from pixelpush.eval.planning.planners import search
from pixelpush.eval.planning.predictors import Aim, ModelPredictor, Predictor
from pixelpush.eval.planning.settings import ControlSettings, PlannerSettings
from pixelpush.eval.planning.space import sim_space
from pixelpush.eval.planning.tasks import SUCCESS, Task
from pixelpush.training.seeding import derived_seed


@dataclass(frozen=True)
class Plan:
    """One plan. time: the frame it was made at. actions: float32 (T, A). frames, places: what the
    model expects of it, uint8 (T, C, H, W) and (T, 2), where a model made it.

    >>> Plan(time=2, actions=np.zeros((6, 5), np.float32), cost=3.5).places is None
    True
    """

    time: int
    actions: np.ndarray
    cost: float
    frames: np.ndarray | None = None
    places: np.ndarray | None = None


@dataclass(frozen=True)
class Outcome:
    """How a task ended. Distances in metres, of the object from its goal. path: (steps + 2, 2), its
    places in the picture; goal_pixel: (2,), of its goal. frames: what was seen, where frames were
    looked at.

    >>> task = Task("val", 0, 3, 1, (0.0, 0.0), (0.12, 0.0))
    >>> path, actions = np.zeros((4, 2)), np.zeros((3, 5))
    >>> Outcome(task, 0.12, 0.03, path, path[0], actions, 1.5, candidate_frames=0).success
    True
    """

    task: Task
    start_distance: float
    final_distance: float
    path: np.ndarray
    goal_pixel: np.ndarray
    actions: np.ndarray
    seconds: float
    candidate_frames: int
    plans: list[Plan] = field(default_factory=list)
    frames: list[np.ndarray] = field(default_factory=list)

    @property
    def improvement(self) -> float:
        """By how many metres the object came nearer to its goal."""
        return self.start_distance - self.final_distance

    @property
    def success(self) -> bool:
        """Whether it ended within ``SUCCESS`` metres of it."""
        return self.final_distance <= SUCCESS


class Controller:
    """Works on one task in a bin. Subclasses say which action comes next.

    >>> from pixelpush.eval.planning.tasks import read_tasks
    >>> task = read_tasks("val")[0]
    >>> bin = PushingBin("sim", task.split, task.episode)
    >>> RandomController(bin, task, ControlSettings()).next_action().shape
    (5,)
    """

    def __init__(self, bin: PushingBin, task: Task, settings: ControlSettings):
        self.bin = bin
        self.task = task
        self.settings = settings
        self.space = sim_space()
        self.plans: list[Plan] = []
        self.frames: list[np.ndarray] = []

    @property
    def candidate_frames(self) -> int:
        """Frames of candidates that were predicted so far."""
        return 0

    def look(self, action: np.ndarray | None) -> None:
        """Look at the bin, at its beginning (action None) and after every action."""

    def next_action(self) -> np.ndarray:
        """Return the action to carry out next, float32 (5,)."""
        raise NotImplementedError


class PlanningController(Controller):
    """Searches for a plan over pushes with a predictor, and plans again after a while.

    >>> from pixelpush.eval.planning.predictors import StillPredictor
    >>> from pixelpush.eval.planning.tasks import read_tasks
    >>> task = read_tasks("val")[0]
    >>> bin = PushingBin("sim", task.split, task.episode)
    >>> planner = PlannerSettings(candidates=8, iterations=1, elites=2)
    >>> control = PlanningController(bin, task, ControlSettings(), StillPredictor(), planner)
    >>> control.next_action().shape, len(control.plans)
    ((5,), 1)
    """

    def __init__(
        self,
        bin: PushingBin,
        task: Task,
        settings: ControlSettings,
        predictor: Predictor,
        planner: PlannerSettings,
    ):
        super().__init__(bin, task, settings)
        self._predictor = predictor
        self._planner = planner
        # The same draws for every predictor: their first candidates are the same.
        seed = derived_seed(settings.seed, f"plan {task.split}", task.number)
        self._draw = np.random.default_rng(seed)
        self._left: list[np.ndarray] = []

    @property
    def candidate_frames(self) -> int:
        return self._predictor.frames_predicted

    def next_action(self) -> np.ndarray:
        if not self._left:
            plan = self.plan()
            self.plans.append(plan)
            self._left = list(plan.actions[: self.settings.replan])
        return self._left.pop(0)

    def aim(self) -> Aim:
        """What is wanted, from where the object is now.

        A person would point at it again; the bin's labels do, for every predictor alike."""
        place = self.bin.place(self.task.slot)
        return Aim(self.bin.pixel(place)[:2], goal_pixel(self.bin, self.task))

    def plan(self) -> Plan:
        """Search for the actions that are left, or for as many as a plan has."""
        s = self.settings
        left = s.steps + 1 - self.bin.time
        aim = self.aim()

        def actions(segments: np.ndarray) -> np.ndarray:
            pushes = segments.reshape(len(segments), s.segments, 2)
            return self.space.actions(pushes, self.bin.command, s.segment_frames)[:, :left]

        size = 2 * s.segments
        found = search(
            lambda segments: self._predictor.costs(actions(segments), aim),
            np.zeros(size),
            np.full(size, self.space.fastest),
            self._planner,
            self._draw,
        )
        return Plan(self.bin.time, actions(found.best[None])[0], found.cost)


class ModelController(PlanningController):
    """Plans with a video model, which sees every frame; keeps what it expects of its plans.

    >>> from pixelpush.eval.planning.predictors import planning_world
    >>> from pixelpush.eval.planning.tasks import read_tasks
    >>> from pixelpush.vpn import build_model
    >>> task = read_tasks("val")[0]
    >>> bin = PushingBin("sim", task.split, task.episode)
    >>> predictor = ModelPredictor(planning_world(build_model("push-ot-small")))
    >>> control = ModelController(bin, task, ControlSettings(), predictor, PlannerSettings())
    >>> control.aim().point.shape, control.candidate_frames
    ((2,), 0)
    """

    def __init__(
        self,
        bin: PushingBin,
        task: Task,
        settings: ControlSettings,
        predictor: ModelPredictor,
        planner: PlannerSettings,
    ):
        super().__init__(bin, task, settings, predictor, planner)
        self._model = predictor
        self._picture: np.ndarray | None = None

    def look(self, action: np.ndarray | None) -> None:
        self.frames.append(self.bin.frame())
        if action is not None:
            self._model.see(action, self.frames[-1], self.bin.state())
            return
        state = self.bin.state()[None]
        self._model.begin(self.frames[-1][None], state, state[:0])
        if self._model.cost == "picture":
            self._picture = self.bin.frame_with(self.task.slot, np.array(self.task.goal))

    def aim(self) -> Aim:
        return replace(super().aim(), picture=self._picture)

    def plan(self) -> Plan:
        plan = super().plan()
        frames, places = self._model.imagine(plan.actions, self.aim())
        return replace(plan, frames=frames, places=places)


class RandomController(Controller):
    """Pushes at random: a new segment, drawn as the planner's first candidates are, after every
    five actions.

    >>> from pixelpush.eval.planning.tasks import read_tasks
    >>> task = read_tasks("val")[0]
    >>> bin = PushingBin("sim", task.split, task.episode)
    >>> RandomController(bin, task, ControlSettings()).next_action().dtype
    dtype('float32')
    """

    def __init__(self, bin: PushingBin, task: Task, settings: ControlSettings):
        super().__init__(bin, task, settings)
        seed = derived_seed(settings.seed, f"random {task.split}", task.number)
        self._draw = np.random.default_rng(seed)
        self._left: list[np.ndarray] = []

    def next_action(self) -> np.ndarray:
        if not self._left:
            # Drawn as ``search`` draws its first candidates: mean 0, spread the fastest move.
            segment = self.space.fastest * self._draw.standard_normal((1, 1, 2))
            pushes = self.space.actions(segment, self.bin.command, self.settings.segment_frames)
            self._left = list(pushes[0])
        return self._left.pop(0)


class StraightController(Controller):
    """Knows the true poses: goes behind the object, as seen from the goal, and pushes straight.

    It looks at the true places before every action, and stops when the object is there.

    >>> from pixelpush.eval.planning.tasks import read_tasks
    >>> task = read_tasks("val")[0]
    >>> bin = PushingBin("sim", task.split, task.episode)
    >>> action = StraightController(bin, task, ControlSettings()).next_action()
    >>> bool(np.linalg.norm(action[:2] - bin.command[:2]) > 0.01)
    True
    """

    _BEHIND = 0.07  # metres behind the object
    _NEAR = 0.02  # so near counts as being there

    def __init__(self, bin: PushingBin, task: Task, settings: ControlSettings):
        super().__init__(bin, task, settings)
        self._pushing = False

    def next_action(self) -> np.ndarray:
        place = self.bin.place(self.task.slot)[:2]
        goal = np.array(self.task.goal)
        hand = self.bin.command[:2].astype(np.float64)
        away = goal - place
        distance = float(np.linalg.norm(away))
        if distance < self._NEAR:
            return self.bin.command
        behind = place - away / distance * self._BEHIND
        self._pushing = self._pushing or bool(np.linalg.norm(behind - hand) < self._NEAR)
        target = place + away / distance * self._NEAR if self._pushing else behind
        move = target - hand
        length = np.linalg.norm(move)
        action = self.bin.command
        action[:2] += move / max(length, 1e-9) * min(length, self.space.fastest)
        return self.space.bounded(action)


def goal_pixel(bin: PushingBin, task: Task) -> np.ndarray:
    """Column and row of a task's goal, at the height that its object has now.

    >>> from pixelpush.eval.planning.tasks import read_tasks
    >>> task = read_tasks("val")[0]
    >>> column, row = goal_pixel(PushingBin("sim", task.split, task.episode), task)
    >>> bool(0 <= column < 64 and 0 <= row < 64)
    True
    """
    return bin.pixel(np.array([*task.goal, bin.place(task.slot)[2]]))[:2]


def run_task(controller: Controller) -> Outcome:
    """Work on the controller's task, from the beginning of its bin to its last action.

    The first action holds the hand where it is, so that there are two frames to predict from.

    >>> from pixelpush.eval.planning.tasks import read_tasks
    >>> task = read_tasks("val")[0]
    >>> bin = PushingBin("sim", task.split, task.episode)
    >>> run_task(RandomController(bin, task, ControlSettings(steps=2))).path.shape
    (4, 2)
    """
    started = time.perf_counter()
    bin = controller.bin
    task = controller.task

    def distance() -> float:
        return float(np.linalg.norm(bin.place(task.slot)[:2] - np.array(task.goal)))

    controller.look(None)
    path = [bin.pixel(bin.place(task.slot))[:2]]
    start = distance()
    actions: list[np.ndarray] = []
    for number in range(controller.settings.steps + 1):
        action = controller.next_action() if number else controller.space.bounded(bin.command)
        bin.step(action)
        controller.look(action)
        actions.append(action)
        path.append(bin.pixel(bin.place(task.slot))[:2])
    return Outcome(
        task,
        start,
        distance(),
        np.stack(path),
        goal_pixel(bin, task),
        np.stack(actions),
        time.perf_counter() - started,
        controller.candidate_frames,
        controller.plans,
        controller.frames,
    )
