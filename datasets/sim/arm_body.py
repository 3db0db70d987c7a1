"""An arm as MuJoCo's bodies: seven links, their joints and motors, and a hand."""

from __future__ import annotations

from pixelpush.datasets.sim.arm import Arm
from pixelpush.datasets.sim.engine import Geom, mujoco
from pixelpush.datasets.sim.materials import Material
from pixelpush.datasets.sim.rotations import X90

# Of each link: offset from the last joint, hinge axis, length, radius (metres, before scaling).
_CHAIN = (
    ((0, 0, 0.16), (0, 0, 1), 0.18, 0.058),
    ((0, 0, 0.20), (0, 1, 0), 0.20, 0.053),
    ((0, 0, 0.20), (0, 0, 1), 0.20, 0.048),
    ((0, 0, 0.20), (0, -1, 0), 0.20, 0.044),
    ((0, 0, 0.20), (0, 0, 1), 0.20, 0.038),
    ((0, 0, 0.20), (0, 1, 0), 0.07, 0.036),
    ((0, 0, 0.08), (0, 0, 1), 0.05, 0.032),
)
_STIFFNESS = (1500, 1500, 1200, 1200, 600, 400, 200)
_RUBBER = Material((0.20, 0.20, 0.21), gloss=0.1)
_STEEL = Material((0.70, 0.71, 0.73), gloss=0.9)
_HAND = Material((0.33, 0.34, 0.36), gloss=0.4)


def add_arm(spec: mujoco.MjSpec, arm: Arm, table_height: float) -> list[tuple[str, Material]]:
    """Build the arm into ``spec`` and return the materials of its geoms by name.

    The model gets joints j0..j6, position actuators a0..a6 and the site ``tool``. The IK of
    ``kinematics.py`` needs the joints to be the model's first. table_height: in metres.

    >>> from pixelpush.datasets.sim.arm import ARMS
    >>> spec = mujoco.MjSpec()
    >>> made = add_arm(spec, ARMS[0], table_height=-0.07)
    >>> made[0][0], spec.compile().njnt
    ('arm/0', 7)
    """
    made: list[tuple[str, Material]] = []

    def visible(body: mujoco.MjsBody, material: Material, collides: bool = False, **geom) -> None:
        name = f"arm/{len(made)}"
        # MuJoCo lets geoms touch where contype of one and conaffinity of the other share a bit.
        # Objects have (1, 3): the hand touches them and not itself; links touch nothing.
        contact = {"contype": 2, "conaffinity": 1} if collides else {"contype": 0, "conaffinity": 0}
        body.add_geom(name=name, density=400, friction=[0.6, 0.01, 0.001], **contact, **geom)
        made.append((name, material))

    body = spec.worldbody.add_body(name="base", pos=[*arm.base, table_height])
    thick = arm.thickness
    visible(
        body, arm.joint, type=Geom.mjGEOM_CYLINDER, size=[0.085 * thick, 0.06, 0], pos=[0, 0, 0.05]
    )
    for number, (offset, axis, length, radius) in enumerate(_CHAIN):
        body = body.add_body(
            # gravcomp: the arm carries its own weight, so that its motors hold a pose exactly.
            name=f"link{number}",
            pos=[0, 0, offset[2] * (arm.reach if number else 1)],
            gravcomp=1,
        )
        body.add_joint(
            name=f"j{number}",
            type=mujoco.mjtJoint.mjJNT_HINGE,
            axis=list(axis),
            damping=8,
            armature=0.1,
        )
        _add_link(visible, body, arm, axis, length * arm.reach, radius * thick)
    _add_hand(visible, body, arm)
    for number, stiffness in enumerate(_STIFFNESS):
        spec.add_actuator(
            name=f"a{number}",
            target=f"j{number}",
            trntype=mujoco.mjtTrn.mjTRN_JOINT,
            gaintype=mujoco.mjtGain.mjGAIN_FIXED,
            biastype=mujoco.mjtBias.mjBIAS_AFFINE,
            # A position servo: torque = k (command - angle) - 0.06 k speed.
            gainprm=[stiffness] + [0] * 9,
            biasprm=[0, -stiffness, -0.06 * stiffness] + [0] * 7,
        )
    return made


def _add_link(visible, body: mujoco.MjsBody, arm: Arm, axis, length: float, radius: float) -> None:
    if axis[2] == 0:  # a hinge across the link: its motor is a drum between two caps
        visible(
            body,
            arm.joint,
            type=Geom.mjGEOM_CYLINDER,
            size=[radius * 1.02, radius, 0],
            quat=list(X90),
        )
        visible(
            body,
            arm.link,
            type=Geom.mjGEOM_CYLINDER,
            size=[radius * 0.8, radius * 1.1, 0],
            quat=list(X90),
        )
    middle = [0, 0, length / 2]
    if arm.boxy:
        visible(
            body,
            arm.link,
            type=Geom.mjGEOM_BOX,
            size=[radius * 0.78, radius * 0.72, length / 2 + radius / 3],
            pos=middle,
        )
    else:
        visible(
            body, arm.link, type=Geom.mjGEOM_CAPSULE, size=[radius * 0.9, length / 2, 0], pos=middle
        )
    if axis[2] != 0:  # a collar where the link turns about itself
        visible(
            body,
            arm.joint,
            type=Geom.mjGEOM_CYLINDER,
            size=[radius * 1.02, 0.012, 0],
            pos=[0, 0, length * 0.3],
        )


def _add_hand(visible, wrist: mujoco.MjsBody, arm: Arm) -> None:
    hand = wrist.add_body(name="hand", pos=[0, 0, 0.075], gravcomp=1)
    half = arm.finger_length
    visible(hand, _HAND, True, type=Geom.mjGEOM_CYLINDER, size=[0.032 * arm.thickness, 0.018, 0])
    if arm.finger == "rod":
        visible(
            hand, _HAND, True, type=Geom.mjGEOM_CYLINDER, size=[0.022, 0.022, 0], pos=[0, 0, 0.03]
        )
        visible(
            hand,
            _STEEL,
            True,
            type=Geom.mjGEOM_CYLINDER,
            size=[0.010, half, 0],
            pos=[0, 0, 0.05 + half],
        )
        visible(
            hand,
            _RUBBER,
            True,
            type=Geom.mjGEOM_SPHERE,
            size=[0.015, 0, 0],
            pos=[0, 0, 0.05 + 2 * half],
        )
    elif arm.finger == "paddle":
        visible(
            hand, _HAND, True, type=Geom.mjGEOM_BOX, size=[0.024, 0.03, 0.022], pos=[0, 0, 0.03]
        )
        visible(
            hand,
            _RUBBER,
            True,
            type=Geom.mjGEOM_BOX,
            size=[0.007, 0.026, half + 0.005],
            pos=[0, 0, 0.055 + half],
        )
    else:
        visible(
            hand,
            _HAND,
            True,
            type=Geom.mjGEOM_BOX,
            size=[0.021, 0.03 + 0.5 * arm.finger_spread, 0.02],
            pos=[0, 0, 0.035],
        )
        for side in (-1, 1):
            y = side * (arm.finger_spread + 0.007)
            visible(
                hand,
                _RUBBER,
                True,
                type=Geom.mjGEOM_BOX,
                size=[0.011, 0.007, half],
                pos=[0, y, 0.05 + half],
            )
            visible(
                hand,
                _HAND,
                True,
                type=Geom.mjGEOM_CAPSULE,
                size=[0.010, 0.008, 0],
                pos=[0, y, 0.05 + 2 * half],
            )
    hand.add_site(name="tool", pos=[0, 0, 0.06 + 2 * half])
