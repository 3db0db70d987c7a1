"""Quaternions (w, x, y, z) and rotation matrices through MuJoCo's own C functions and libm."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pixelpush.datasets.sim.engine import mujoco


def about(axis: Sequence[float], angle: float) -> np.ndarray:
    """The quaternion of a rotation by ``angle`` radians about a unit axis.

    >>> about((0, 0, 1), math.pi).round(6).tolist()
    [0.0, 0.0, 0.0, 1.0]
    """
    quaternion = np.zeros(4)
    mujoco.mju_axisAngle2Quat(quaternion, np.asarray(axis, dtype=np.float64), angle)
    return quaternion


def compose(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The quaternion of the rotation ``first`` after ``second``.

    >>> compose(X90, about((1, 0, 0), -math.pi / 2)).round(6).tolist()
    [1.0, 0.0, 0.0, 0.0]
    """
    quaternion = np.zeros(4)
    mujoco.mju_mulQuat(quaternion, first, second)
    return quaternion


def matrix(quaternion: np.ndarray) -> np.ndarray:
    """The 3x3 matrix of a quaternion.

    >>> (matrix(X90) @ np.array([0.0, 1.0, 0.0])).round(6).tolist()
    [0.0, 0.0, 1.0]
    """
    flat = np.zeros(9)
    mujoco.mju_quat2Mat(flat, quaternion)
    return flat.reshape(3, 3)


IDENTITY = np.array([1.0, 0.0, 0.0, 0.0])
X90 = about((1, 0, 0), math.pi / 2)
Y90 = about((0, 1, 0), math.pi / 2)


def hand_rotation(pitch: float, yaw: float) -> np.ndarray:
    """The hand's 3x3 rotation: pointing down, tilted by ``pitch``, turned by ``yaw``.

    It tilts about its own y axis and turns about z, in radians.

    >>> hand_rotation(0.0, 0.0)[:, 2].tolist()  # where the finger points
    [-0.0, -0.0, -1.0]
    """
    cy = math.cos(yaw)
    sy = math.sin(yaw)
    cp = math.cos(pitch)
    sp = math.sin(pitch)
    return np.array([[cy * cp, sy, -cy * sp], [sy * cp, -cy, -sy * sp], [-sp, 0.0, -cp]])


def pitch_yaw(rotation: np.ndarray) -> tuple[float, float]:
    """The pitch and yaw in radians of a hand's 3x3 rotation: the inverse of ``hand_rotation``.

    >>> pitch, yaw = pitch_yaw(hand_rotation(0.2, -1.0))
    >>> round(pitch, 6), round(yaw, 6)
    (0.2, -1.0)
    """
    return math.asin(max(-1.0, min(1.0, -rotation[2, 0]))), math.atan2(
        rotation[0, 1], -rotation[1, 1]
    )
