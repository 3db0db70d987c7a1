"""The scene: a bin on a table, an arm behind it, objects in it. One compiled model per filling of
the bin."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pixelpush.datasets.sim.arm import Arm
from pixelpush.datasets.sim.arm_body import add_arm
from pixelpush.datasets.sim.engine import Geom, mujoco
from pixelpush.datasets.sim.materials import Material
from pixelpush.datasets.sim.objects import add_object, object_parts
from pixelpush.datasets.sim.rotations import about, compose

TIME_STEP = 0.005  # seconds of physics
BIN = 0.25  # half width of the bin's floor, metres
TABLE = -0.07  # height of the table's top; the bin's floor is at 0
WALL_TILT = 0.3  # the walls lean outwards, radians
WALL_HALF_HEIGHT = 0.05
_RIM = 0.035  # height of the middle of a wall, metres
GUARD_GROUP = 5  # the group of what only physics sees
GROUND_GROUP = 1  # of what lies below the bin's floor: it shades nothing above


@dataclass(frozen=True)
class Scene:
    """A compiled model and what it looks like.

    materials: by geom id. object_bodies: body ids of the objects, in order. arm_bodies: body ids of
    the arm's links.

    >>> from pixelpush.datasets.sim.arm import ARMS
    >>> scene = build_scene(ARMS[0], "seen", (0,))
    >>> len(scene.materials) == scene.model.ngeom
    True
    """

    model: mujoco.MjModel
    arm: Arm
    materials: tuple[Material, ...]
    object_bodies: tuple[int, ...]
    arm_bodies: tuple[int, ...]


def build_scene(arm: Arm, pool: str, objects: tuple[int, ...]) -> Scene:
    """The scene of an arm's station with these objects of a pool.

    They are parked above the bin until physics places them.

    >>> from pixelpush.datasets.sim.arm import ARMS
    >>> scene = build_scene(ARMS[0], "novel", (3, 5))
    >>> [scene.model.body(body).name for body in scene.object_bodies]
    ['object0', 'object1']
    """
    spec = new_spec()
    made = _add_bin(spec.worldbody, arm)
    made += add_arm(spec, arm, TABLE)
    for slot, index in enumerate(objects):
        body = spec.worldbody.add_body(name=f"object{slot}", pos=[0, 0, 1 + slot])
        body.add_freejoint()
        made += add_object(body, object_parts(pool, index), f"object{slot}")
    model = spec.compile()
    looks = dict(made)
    invisible = Material((0.0, 0.0, 0.0))
    names = [model.geom(g).name for g in range(model.ngeom)]
    object_bodies = tuple(int(model.body(f"object{slot}").id) for slot in range(len(objects)))
    arm_bodies = tuple(range(1, min(object_bodies, default=model.nbody)))
    return Scene(
        model, arm, tuple(looks.get(name, invisible) for name in names), object_bodies, arm_bodies
    )


def new_spec() -> mujoco.MjSpec:
    """An empty model with this data set's physics options.

    >>> new_spec().option.timestep == TIME_STEP
    True
    """
    spec = mujoco.MjSpec()
    spec.option.timestep = TIME_STEP
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.iterations = 20
    spec.option.ls_iterations = 10
    # What lies still sleeps until something touches it: exactly still, and 2.5 times faster.
    spec.option.enableflags |= mujoco.mjtEnableBit.mjENBL_SLEEP
    return spec


def _add_bin(world: mujoco.MjsBody, arm: Arm) -> list[tuple[str, Material]]:
    solid = {"contype": 2, "conaffinity": 1, "friction": [0.7, 0.01, 0.0005]}
    foot = -TABLE / 2 - 0.01
    for name, half, top in (
        ("floor", (BIN, BIN, 0.01), 0.0),
        ("table", (1.8, 1.8, 0.01), TABLE),
        ("foot", (BIN, BIN, foot), TABLE + 2 * foot),
    ):
        world.add_geom(
            name=name,
            type=Geom.mjGEOM_BOX,
            size=list(half),
            pos=[0, 0, top - half[2]],
            group=GROUND_GROUP,
            **solid,
        )
    made = [("floor", arm.floor), ("table", arm.table), ("foot", arm.wall)]
    for side in range(4):
        angle = side * math.pi / 2
        cos = math.cos(angle)
        sin = math.sin(angle)
        tilt = compose(about((0, 0, 1), angle), about((0, 1, 0), WALL_TILT))
        out = BIN + 0.014
        world.add_geom(
            name=f"wall{side}",
            type=Geom.mjGEOM_BOX,
            size=[0.006, BIN + 0.03, WALL_HALF_HEIGHT],
            pos=[out * cos, out * sin, _RIM],
            quat=list(tilt),
            **solid,
        )
        made.append((f"wall{side}", arm.wall))
        # Above the rim nothing is to be seen, but nothing can leave the bin either; the arm passes
        # freely.
        guard = BIN + 0.13
        world.add_geom(
            name=f"guard{side}",
            type=Geom.mjGEOM_BOX,
            size=[0.1, 0.5, 0.3],
            pos=[guard * cos, guard * sin, 0.375],
            quat=list(about((0, 0, 1), angle)),
            contype=2,
            conaffinity=1,
            friction=[0.1, 0.01, 0.0005],
            group=GUARD_GROUP,
            rgba=[0, 0, 0, 0],
        )
    return made


def camera_frame(arm: Arm) -> tuple[np.ndarray, np.ndarray]:
    """The camera's position, float64 (3,), and rotation, float64 (3, 3).

    The columns of the rotation are right, up and backwards.

    >>> from pixelpush.datasets.sim.arm import ARMS
    >>> position, rotation = camera_frame(ARMS[0])
    >>> target = position - ARMS[0].camera.distance * rotation[:, 2]  # straight ahead
    >>> bool(np.allclose(target, ARMS[0].camera.target))
    True
    """
    camera = arm.camera
    horizontal = math.cos(camera.elevation)
    back = np.array(
        [
            horizontal * math.cos(camera.azimuth),
            horizontal * math.sin(camera.azimuth),
            math.sin(camera.elevation),
        ]
    )
    position = np.array(camera.target) + camera.distance * back
    right = np.array([-back[1], back[0], 0.0])
    right /= math.hypot(right[0], right[1])
    up = np.cross(back, right)
    cos = math.cos(camera.roll)
    sin = math.sin(camera.roll)
    return position, np.stack([cos * right + sin * up, cos * up - sin * right, back], axis=1)
