"""Inverse kinematics of an arm alone, in MuJoCo's own C routines: NumPy's BLAS picks kernels by CPU
model, and the last bits of a joint angle decide where an object ends up."""

from __future__ import annotations

import functools

import numpy as np

from pixelpush.datasets.sim.arm import HOME, JOINTS, Arm
from pixelpush.datasets.sim.arm_body import add_arm
from pixelpush.datasets.sim.engine import mujoco
from pixelpush.datasets.sim.rotations import hand_rotation, pitch_yaw
from pixelpush.datasets.sim.scene import TABLE, new_spec

_DAMPING = 1e-3
_POSTURE_PULL = 0.15
_LARGEST_STEP = 0.2  # radians an iteration
_LARGEST_MOVE = (0.06, 0.2)  # of the error, metres and radians, that one iteration tries to mend


class Kinematics:
    """Forward and inverse kinematics of one arm.

    >>> from pixelpush.datasets.sim.arm import ARMS
    >>> kinematics = Kinematics(ARMS[0])
    >>> goal = np.array([0.1, 0.05, 0.03, 0.1, 0.2])
    >>> kinematics.data.qpos[:] = kinematics.solve(kinematics.home, goal, 100)
    >>> mujoco.mj_kinematics(kinematics.model, kinematics.data)
    >>> reached = tool_pose(kinematics.data, kinematics.model.site("tool").id)
    >>> bool(np.abs(reached - goal).max() < 0.01)
    True
    """

    def __init__(self, arm: Arm):
        spec = new_spec()
        add_arm(spec, arm, TABLE)
        self.model = spec.compile()
        self.data = mujoco.MjData(self.model)
        self.home = np.array(HOME)
        self._tool = self.model.site("tool").id
        self._jacobian = np.zeros((6, JOINTS))
        self._square = np.zeros((6, 6))
        self._error = np.zeros(6)
        self._solution = np.zeros(6)
        self._drift = np.zeros(6)
        self._step = np.zeros(JOINTS)
        self._cross = np.zeros(3)

    def solve(self, joints: np.ndarray, pose: np.ndarray, iterations: int) -> np.ndarray:
        """Joint angles, float64 (7,), that bring the tool near ``pose``, starting at ``joints``.

        pose: x, y, z in metres, pitch, yaw in radians. Damped least squares; what freedom is left
        pulls towards the home posture.

        >>> from pixelpush.datasets.sim.arm import ARMS
        >>> kinematics = kinematics_of(ARMS[0])
        >>> goal = np.array([0.1, 0.05, 0.03, 0.1, 0.2])
        >>> kinematics.solve(kinematics.home, goal, iterations=2).shape
        (7,)
        """
        rotation = hand_rotation(pose[3], pose[4])
        joints = joints.copy()
        for _ in range(iterations):
            self._measure(joints, pose[:3], rotation)
            mujoco.mju_mulMatMatT(self._square, self._jacobian, self._jacobian)
            # step = J' (J J' + damping I)^-1 (error - J pull) + pull: the pull home is freed of
            # what would move the tool. Every seventh entry of a 6x6 matrix is on its diagonal.
            self._square.flat[::7] += _DAMPING
            posture = _POSTURE_PULL * (self.home - joints)
            mujoco.mju_mulMatVec(self._drift, self._jacobian, posture)
            mujoco.mju_cholFactor(self._square, 0.0)
            mujoco.mju_cholSolve(self._solution, self._square, self._error - self._drift)
            mujoco.mju_mulMatTVec(self._step, self._jacobian, self._solution)
            step = self._step + posture
            joints += step * min(1.0, _LARGEST_STEP / float(np.abs(step).max() + 1e-12))
        return joints

    def _measure(self, joints: np.ndarray, position: np.ndarray, rotation: np.ndarray) -> None:
        """The error of the tool's pose and its Jacobian at ``joints``."""
        model = self.model
        data = self.data
        data.qpos[:] = joints
        mujoco.mj_kinematics(model, data)
        mujoco.mj_comPos(model, data)
        mujoco.mj_jacSite(model, data, self._jacobian[:3], self._jacobian[3:], self._tool)
        self._error[:3] = position - data.site_xpos[self._tool]
        self._error[3:] = 0
        current = data.site_xmat[self._tool].reshape(3, 3)
        for axis in range(3):
            # Half the sum of the axes' cross products is the turn's axis times the sine of its
            # angle.
            mujoco.mju_cross(
                self._cross,
                np.ascontiguousarray(current[:, axis]),
                np.ascontiguousarray(rotation[:, axis]),
            )
            self._error[3:] += 0.5 * self._cross
        for part, largest in zip((self._error[:3], self._error[3:]), _LARGEST_MOVE, strict=True):
            part *= min(1.0, largest / float(np.abs(part).max() + 1e-12))


@functools.lru_cache(maxsize=16)
def kinematics_of(arm: Arm) -> Kinematics:
    """The kinematics of an arm, kept for the next call.

    >>> from pixelpush.datasets.sim.arm import ARMS
    >>> kinematics_of(ARMS[0]) is kinematics_of(ARMS[0])
    True
    """
    return Kinematics(arm)


def tool_pose(data: mujoco.MjData, site: int) -> np.ndarray:
    """float64 (5,): x, y, z in metres, pitch, yaw in radians of the tool.

    >>> model = mujoco.MjModel.from_xml_string(
    ...     "<mujoco><worldbody><site pos='1 2 3' euler='180 0 0'/></worldbody></mujoco>"
    ... )
    >>> data = mujoco.MjData(model)
    >>> mujoco.mj_forward(model, data)
    >>> np.abs(tool_pose(data, site=0)).round(6).tolist()  # pointing down
    [1.0, 2.0, 3.0, 0.0, 0.0]
    """
    pitch, yaw = pitch_yaw(data.site_xmat[site].reshape(3, 3))
    return np.array([*data.site_xpos[site], pitch, yaw])
