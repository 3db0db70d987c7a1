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
    """float64 (5,): where the hand waits while the objects settle."""
    angle = draw.uniform(-math.pi, math.pi)
    radius = draw.uniform(0.08, 0.19)
    x = radius * math.cos(angle)
    y = radius * math.sin(angle)
    return np.array(
        [x, y, draw.uniform(0.02, 0.036), draw.uniform(-0.2, 0.2), draw.uniform(-1.2, 1.2)]
    )


class Pusher:
    """Draws one push after the other: a direction, a speed and a duration of five to ten frames."""

    def __init__(self, draw: Draw, objects: int):
        self._draw = draw
        self._objects = objects
        self._velocity = np.zeros(5)
        self._left = 0

    def next_command(self, command: np.ndarray, objects: np.ndarray) -> np.ndarray:
        """The pose to command next, float64 (5,), from the last one and the objects' places,
        float64 (objects, 2)."""
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
