"""Where the hand goes: a run of short pushes, most of them aimed at an object."""

from __future__ import annotations

import math

import numpy as np

from pixelpush.datasets.sim.draw import Draw
from pixelpush.datasets.sim.scene import BIN

# Commanded poses stay within these: x, y, z in metres, pitch, yaw in radians.
LOWEST = np.array([-0.2, -0.2, 0.018, -0.25, -1.4])
HIGHEST = np.array([0.2, 0.2, 0.07, 0.25, 1.4])


def start_pose(draw: Draw) -> np.ndarray:
    """float64 (5,): where the hand waits while the objects settle.

    >>> pose = start_pose(Draw("example"))
    >>> bool(((pose >= LOWEST) & (pose <= HIGHEST)).all())
    True
    """
    angle = draw.uniform(-math.pi, math.pi)
    radius = draw.uniform(0.08, 0.19)
    x = radius * math.cos(angle)
    y = radius * math.sin(angle)
    return np.array(
        [x, y, draw.uniform(0.02, 0.036), draw.uniform(-0.2, 0.2), draw.uniform(-1.2, 1.2)]
    )


class Pusher:
    """Draws one push after the other: a direction, a speed and a duration of five to ten frames.

    >>> pusher = Pusher(Draw("example"), objects=1)
    >>> command = np.array([0.0, 0.0, 0.03, 0.0, 0.0])
    >>> for _ in range(3):
    ...     command = pusher.next_command(command, np.array([[0.1, 0.0]]))
    >>> bool(((command >= LOWEST) & (command <= HIGHEST)).all())
    True
    """

    def __init__(self, draw: Draw, objects: int):
        self._draw = draw
        self._objects = objects
        self._velocity = np.zeros(5)
        self._left = 0

    def next_command(self, command: np.ndarray, objects: np.ndarray) -> np.ndarray:
        """The pose to command next, float64 (5,), from the last one and the objects' places.

        objects: float64 (objects, 2), x and y in metres.

        >>> pusher = Pusher(Draw("example"), objects=1)
        >>> pusher.next_command(np.array([0.0, 0.0, 0.03, 0.0, 0.0]), np.array([[0.1, 0.0]])).shape
        (5,)
        """
        if self._left == 0:
            self._aim(command, objects)
        self._left -= 1
        wobble = np.array([self._draw.bell(0.002), self._draw.bell(0.002), 0.0, 0.0, 0.0])
        return np.clip(command + self._velocity + wobble, LOWEST, HIGHEST)

    def _aim(self, command: np.ndarray, objects: np.ndarray) -> None:
        draw = self._draw
        index = draw.integer(self._objects)
        goal = objects[index] if draw.uniform() < 0.9 else draw.vector(-0.15, 0.15, 2)
        if np.abs(goal).max() > BIN:
            goal = draw.vector(-0.1, 0.1, 2)
        direction = goal - command[:2]
        distance = math.hypot(direction[0], direction[1]) + 1e-6
        speed = draw.uniform(0.018, 0.035)  # metres a frame
        turn = [draw.uniform(-0.003, 0.003), draw.uniform(-0.03, 0.03), draw.uniform(-0.12, 0.12)]
        self._velocity = np.array(
            [direction[0] / distance * speed, direction[1] / distance * speed, *turn]
        )
        self._left = 5 + draw.integer(6)
