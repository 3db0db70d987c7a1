"""A task as a film: what happened, what the plan expected, where it expected the point."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pixelpush.eval.planning.control import Outcome, Plan
from pixelpush.eval.rollout.drawing import BLANK, FAINT, INK, Canvas, enlarge
from pixelpush.eval.rollout.mp4 import write_mp4

CELL = 256  # pixels
_GAP, _TOP, _BOTTOM = 12, 30, 34
_POINT, _GOAL, _EXPECTED = (230, 30, 30), (20, 170, 60), (240, 180, 0)
_FRAMES_PER_SECOND = 5
_REST = 5  # frames that the end is shown for


def write_film(path: Path, outcome: Outcome) -> None:
    """Write the film of an outcome whose frames were looked at.

    >>> import tempfile
    >>> from pixelpush.eval.planning.tasks import Task
    >>> task = Task("val", 0, 3, 1, (0.0, 0.0), (0.12, 0.0))
    >>> places, frames = np.zeros((2, 2)), [np.zeros((3, 64, 64), np.uint8)] * 2
    >>> still = Outcome(task, 0.12, 0.12, places, places[0], places, 1.5, 0, frames=frames)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_film(Path(folder) / "task.mp4", still)
    ...     (Path(folder) / "task.mp4").exists()
    True
    """
    pictures = film_frames(outcome)
    rest = np.repeat(pictures[-1:], _REST, axis=0)
    write_mp4(path, np.concatenate([pictures, rest]), _FRAMES_PER_SECOND)


def film_frames(outcome: Outcome) -> np.ndarray:
    """uint8 (frames, H, W, 3): left what happened, right what the newest plan expected.

    >>> from pixelpush.eval.planning.tasks import Task
    >>> task = Task("val", 0, 3, 1, (0.0, 0.0), (0.12, 0.0))
    >>> places, frames = np.zeros((2, 2)), [np.zeros((3, 64, 64), np.uint8)] * 2
    >>> still = Outcome(task, 0.12, 0.12, places, places[0], places, 1.5, 0, frames=frames)
    >>> film_frames(still).shape
    (2, 320, 548, 3)
    """
    factor = max(1, CELL // outcome.frames[0].shape[-1])
    goal = outcome.goal_pixel
    pictures = []
    for time, frame in enumerate(outcome.frames):
        canvas = Canvas(2 * CELL + 3 * _GAP, _TOP + CELL + _BOTTOM)
        _panel(canvas, _GAP, "what happened", frame, factor)
        mark(canvas, (_GAP, _TOP), goal, factor, _GOAL)
        mark(canvas, (_GAP, _TOP), outcome.path[time], factor, _POINT)
        right = 2 * _GAP + CELL
        expected = _expected(outcome.plans, time)
        _panel(canvas, right, "what the plan expects", expected and expected[0], factor)
        mark(canvas, (right, _TOP), goal, factor, _GOAL)
        if expected is not None and np.isfinite(expected[1]).all():
            mark(canvas, (right, _TOP), expected[1], factor, _EXPECTED)
        canvas.text((_GAP, _TOP + CELL + 9), _caption(outcome, time), 12, fill=FAINT)
        pictures.append(canvas.pixels())
    return np.stack(pictures)


def mark(
    canvas: Canvas,
    corner: tuple[int, int],
    place: np.ndarray,
    factor: int,
    colour: tuple[int, int, int],
) -> None:
    """A small square with a white rim round a place (column, row) of an enlarged picture.

    >>> canvas = Canvas(32, 32)
    >>> mark(canvas, (0, 0), np.array([3.5, 3.5]), 4, (230, 30, 30))
    >>> canvas.pixels()[16, 16].tolist()
    [230, 30, 30]
    """
    x = corner[0] + round((float(place[0]) + 0.5) * factor)
    y = corner[1] + round((float(place[1]) + 0.5) * factor)
    canvas.box((x - 5, y - 5), (10, 10), (255, 255, 255))
    canvas.box((x - 4, y - 4), (8, 8), colour)


def _panel(canvas: Canvas, x: int, name: str, frame: np.ndarray | None, factor: int) -> None:
    canvas.text((x, _TOP - 9), name, 15, "ls", bold=True, fill=INK)
    if frame is None:
        canvas.box((x, _TOP), (CELL, CELL), BLANK)
    else:
        canvas.paste((x, _TOP), enlarge(frame, factor))


def _expected(plans: list[Plan], time: int) -> tuple[np.ndarray, np.ndarray] | None:
    """The newest plan's frame and place for a time, or None before the first plan."""
    for plan in reversed(plans):
        if plan.time < time and plan.frames is not None and plan.places is not None:
            index = time - plan.time - 1
            if index < len(plan.frames):
                return plan.frames[index], plan.places[index]
    return None


def _caption(outcome: Outcome, time: int) -> str:
    task = outcome.task
    text = f"{task.split} {task.number}, frame {time}: {100 * outcome.start_distance:.1f}"
    if time == len(outcome.frames) - 1:
        text += f" -> {100 * outcome.final_distance:.1f}"
    return text + " cm   red: object, green: goal, yellow: expected"
