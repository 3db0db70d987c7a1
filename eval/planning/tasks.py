"""The tasks: push the object under a picture point to another point.

``tasks.json`` holds the list, 50 tasks a split, drawn by ``draw_tasks`` from fixed seeds; a test
draws the first ones anew. ``python -m pixelpush.eval.planning.tasks`` writes the file again."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from pixelpush.datasets.sim.draw import Draw
from pixelpush.datasets.sim.engine import mujoco
from pixelpush.datasets.sim.scene import GUARD_GROUP, camera_frame
from pixelpush.errors import InputError
from pixelpush.eval.planning.bin import PushingBin
from pixelpush.files import atomic_file, read_json

TASKS = Path(__file__).parent / "tasks.json"
SPLITS = ("val", "test-seen", "test-novel")
TASKS_A_SPLIT = 50
SUCCESS = 0.05  # metres: an object that ends within these of its goal has been pushed to it
_FARTHEST, _NEAREST = 0.14, 0.10  # metres from start to goal
_TURN = math.radians(50)  # between hand to object and object to goal, at most
_HAND = (0.07, 0.22)  # metres from hand to object
_GOALS_WITHIN = 0.19  # metres from the bin's middle, both ways
_FREE = 0.06  # metres from a goal to the nearest other object
_INSIDE = 4  # pixels from the picture's edge


@dataclass(frozen=True)
class Task:
    """One push to be done. episode: whose beginning the bin has. slot: the object's number.
    start, goal: x and y in metres; the goal's height is the object's. number: in its split.

    >>> Task("val", 0, 3, 1, start=(0.0, 0.0), goal=(0.12, 0.0)).distance
    0.12
    """

    split: str
    number: int
    episode: int
    slot: int
    start: tuple[float, float]
    goal: tuple[float, float]

    @property
    def distance(self) -> float:
        """From start to goal, in metres."""
        return math.dist(self.start, self.goal)


def read_tasks(split: str, path: Path = TASKS) -> list[Task]:
    """The committed tasks of a split. Raises InputError for a split that has none.

    >>> len(read_tasks("val"))
    50
    """
    found = [
        Task(**{**item, "start": tuple(item["start"]), "goal": tuple(item["goal"])})
        for item in read_json(path)
        if item["split"] == split
    ]
    if not found:
        raise InputError(f"no planning tasks for split {split!r}; there are {', '.join(SPLITS)}.")
    return found


def draw_tasks(split: str, laboratory: str = "sim") -> Iterator[Task]:
    """Draw tasks for ever, at most one an episode: a pure function of the split.

    An object is chosen that is to be seen under its own picture point, and a goal ahead of the
    hand, to which a push can lead from where the hand waits.

    >>> next(draw_tasks("val")) == read_tasks("val")[0]
    True
    """
    episode = number = 0
    while True:
        bin = PushingBin(laboratory, split, episode)
        task = _draw_task(bin, number)
        if task is not None:
            yield task
            number += 1
        episode += 1


def _draw_task(bin: PushingBin, number: int) -> Task | None:
    draw = Draw("planning", bin.split, bin.episode)
    places = bin.places()
    hand = bin.state()[:2].astype(np.float64)
    for slot in draw.order(len(places)):
        place = places[slot]
        from_hand = place[:2] - hand
        if not _HAND[0] <= math.hypot(*from_hand) <= _HAND[1] or not _is_seen(bin, slot):
            continue
        towards = math.atan2(from_hand[1], from_hand[0])
        for _ in range(8):
            angle = towards + draw.uniform(-_TURN, _TURN)
            length = draw.uniform(_NEAREST, _FARTHEST)
            goal = place[:2] + length * np.array([math.cos(angle), math.sin(angle)])
            if _is_free(bin, slot, goal):
                start = (round(float(place[0]), 6), round(float(place[1]), 6))
                end = (round(float(goal[0]), 6), round(float(goal[1]), 6))
                return Task(bin.split, number, bin.episode, int(slot), start, end)
    return None


def _is_free(bin: PushingBin, slot: int, goal: np.ndarray) -> bool:
    others = np.delete(bin.places(), slot, axis=0)[:, :2]
    if np.abs(goal).max() > _GOALS_WITHIN:
        return False
    if len(others) and np.linalg.norm(others - goal, axis=1).min() < _FREE:
        return False
    return _is_inside(bin, np.append(goal, bin.place(slot)[2]))


def _is_inside(bin: PushingBin, point: np.ndarray) -> bool:
    column, row, _ = bin.pixel(point)
    return bool(
        _INSIDE <= column <= bin.size - 1 - _INSIDE and _INSIDE <= row <= bin.size - 1 - _INSIDE
    )


def _is_seen(bin: PushingBin, slot: int) -> bool:
    """Whether the camera's ray through the object's place hits the object first."""
    place = bin.place(slot)
    if not _is_inside(bin, place):
        return False
    model = bin.scene.model
    data = bin.moment()[1].physics
    mujoco.mj_kinematics(model, data)
    eye, _ = camera_frame(bin.scene.arm)
    ray = (place - eye) / np.linalg.norm(place - eye)
    groups = np.ones(mujoco.mjNGROUP, np.uint8)
    groups[GUARD_GROUP] = 0
    hit = np.full(1, -1, np.int32)
    mujoco.mj_ray(model, data, eye, ray, groups, 1, -1, hit)
    return bool(hit[0] >= 0 and model.geom_bodyid[hit[0]] == bin.scene.object_bodies[slot])


def tasks_json(tasks: Sequence[Task]) -> str:
    """The list as JSON, a line a task.

    >>> print(tasks_json([Task("val", 0, 3, 1, (0.0, 0.0), (0.1, 0.0))]).splitlines()[1][:43])
    {"split": "val", "number": 0, "episode": 3,
    """
    return "[\n" + ",\n".join(json.dumps(asdict(task)) for task in tasks) + "\n]\n"


def _main() -> int:
    """Write the list anew."""
    tasks = [
        task
        for split in SPLITS
        for task, _ in zip(draw_tasks(split), range(TASKS_A_SPLIT), strict=False)
    ]
    with atomic_file(TASKS) as partial:
        partial.write_text(tasks_json(tasks))
    return 0


if __name__ == "__main__":
    raise SystemExit(_main())
