"""Where things are in the picture: points of the arm, objects, and how much of each object is to be
seen.

Places are (column, row, in-frame flag) in pixels of the rendered size; the centre of the first
pixel is (0, 0), so a point is in the frame from -0.5 up to size - 0.5. A point that something hides
has a place all the same; one behind the camera has place 0 and is not in the frame."""

from __future__ import annotations

import math

import numpy as np

from pixelpush.datasets.sim.arm import JOINTS, Arm
from pixelpush.datasets.sim.engine import mujoco
from pixelpush.datasets.sim.scene import Scene, camera_frame

ARM_POINTS = ("base", "shoulder", "elbow", "wrist", "hand", "fingertip")
"""The order of ``arm_places``: the foot on the table, the hinges across the arm (j1, j3, j5), the
hand's flange, the point whose pose is the state."""

_BODIES = ("base", "link1", "link3", "link5", "hand")
_GRID = 128  # rays a side, at every frame size: the visible share does not depend on it


def project(arm: Arm, points: np.ndarray, size: int) -> np.ndarray:
    """Where points are in the picture.

    points: float64 (n, 3) in metres. Returns float32 (n, 3): column, row, in-frame flag.

    >>> from pixelpush.datasets.sim.arm import ARMS
    >>> project(ARMS[0], np.array([ARMS[0].camera.target]), 64).tolist()
    [[31.5, 31.5, 1.0]]
    """
    eye, rotation = camera_frame(arm)
    half = math.tan(math.radians(arm.camera.field_of_view) / 2)
    there = points - eye
    # Sums in a fixed order: BLAS picks kernels by CPU model.
    x, y, back = (sum(there[:, k] * rotation[k, c] for k in range(3)) for c in range(3))
    before = back < -1e-6
    depth = np.where(before, -back, 1.0)
    # A pinhole: v / depth / tan(fov / 2) is -1 to 1 across the picture; pixel centres are at whole
    # numbers.
    column, row = ((v / depth / half + 1) / 2 * size - 0.5 for v in (x, -y))
    inside = before & (np.abs(column + 0.5 - size / 2) <= size / 2)
    inside &= np.abs(row + 0.5 - size / 2) <= size / 2
    places = np.stack([np.where(before, column, 0), np.where(before, row, 0), inside], axis=1)
    return places.astype(np.float32)


class Labeller:
    """Labels the configurations of one scene at one frame size.

    >>> from pixelpush.datasets.sim.arm import ARMS
    >>> from pixelpush.datasets.sim.scene import build_scene
    >>> scene = build_scene(ARMS[0], "seen", (0,))
    >>> labels = Labeller(scene, 64).label(mujoco.MjData(scene.model).qpos)
    >>> labels["arm_places"].shape, labels["object_poses"].shape
    ((6, 3), (1, 7))
    """

    def __init__(self, scene: Scene, size: int):
        # Numba takes a third of a second to load; planning needs ``project`` alone.
        from pixelpush.datasets.sim.rays import RayCaster

        self._arm = scene.arm
        self._size = size
        self._model = model = scene.model
        self._data = mujoco.MjData(model)
        self._caster = RayCaster(model, self._data)
        self._bodies = list(scene.object_bodies)
        self._arm_bodies = [model.body(name).id for name in _BODIES]
        self._tool = model.site("tool").id
        self._reach = [_reach(model, body) for body in self._bodies]
        self._eye, self._rays = _grid(scene.arm)
        self._alone: list[tuple[bytes, np.ndarray]] = [(b"", np.zeros(0, int))] * len(self._bodies)

    def label(self, configuration: np.ndarray) -> dict[str, np.ndarray]:
        """The labels of a configuration, float64 (nq,).

        arm_places: float32 (6, 3), in the order of ARM_POINTS. object_places: float32 (objects, 3),
        of the origins of ``object_poses``. object_visible: float32 (objects,), how much of each
        object is to be seen: of 128 x 128 rays spread over the picture, those whose first hit is
        the object, divided by those that hit it where it is alone in the world; 0 where it is
        outside the picture. object_poses: float32 (objects, 7), place in metres and quaternion."""
        data = self._data
        data.qpos[:] = configuration
        mujoco.mj_kinematics(self._model, data)
        mujoco.mj_comPos(self._model, data)
        arm = np.stack([*data.xpos[self._arm_bodies], data.site_xpos[self._tool]])
        poses = configuration[JOINTS:].reshape(-1, 7)
        return {
            "arm_places": project(self._arm, arm, self._size),
            "object_places": project(self._arm, data.xpos[self._bodies], self._size),
            "object_visible": self._visible(poses),
            "object_poses": poses.astype(np.float32),
        }

    def _visible(self, poses: np.ndarray) -> np.ndarray:
        rays = [self._hits_alone(slot, pose) for slot, pose in enumerate(poses)]
        caster = self._caster
        first = caster.cast(self._eye, self._rays[np.concatenate(rays)], caster.everything)
        seen = self._model.geom_bodyid[first.geom]
        ends = np.cumsum([len(each) for each in rays])
        share = np.zeros(len(poses), np.float32)
        for slot, own in enumerate(np.split(seen, ends[:-1])):
            if own.size:
                share[slot] = np.count_nonzero(own == self._bodies[slot]) / own.size
        return share

    def _hits_alone(self, slot: int, pose: np.ndarray) -> np.ndarray:
        """Numbers of the rays that hit the object where nothing hides it; kept while it lies
        still."""
        if self._alone[slot][0] != pose.tobytes():
            near = self._near(self._data.xpos[self._bodies[slot]], self._reach[slot])
            alone = np.arange(self._model.nbody) == self._bodies[slot]
            hits = self._caster.cast(self._eye, self._rays[near], alone)
            self._alone[slot] = (pose.tobytes(), near[hits.geom >= 0])
        return self._alone[slot][1]

    def _near(self, centre: np.ndarray, radius: float) -> np.ndarray:
        """Numbers of the rays that pass a sphere."""
        there = centre - self._eye
        distance = math.sqrt(float(there[0] ** 2 + there[1] ** 2 + there[2] ** 2))
        # The tangent from the eye to the sphere has this length: a ray that passes the sphere has
        # at least this part along the centre.
        least = math.sqrt(max(0.0, distance**2 - radius**2))
        along = sum(self._rays[:, k] * there[k] for k in range(3))
        return np.flatnonzero(along >= least)


def _reach(model: mujoco.MjModel, body: int) -> float:
    """Radius in metres of a sphere round the body's origin that holds its geoms."""
    geoms = np.flatnonzero(model.geom_bodyid == body)
    place = model.geom_pos[geoms]
    return float((np.sqrt((place**2).sum(axis=1)) + model.geom_rbound[geoms]).max())


def _grid(arm: Arm) -> tuple[np.ndarray, np.ndarray]:
    """The camera's position and unit rays, float64 (_GRID * _GRID, 3), through the middles of a
    grid's cells."""
    eye, rotation = camera_frame(arm)
    half = math.tan(math.radians(arm.camera.field_of_view) / 2)
    steps = ((np.arange(_GRID) + 0.5) / _GRID * 2 - 1) * half
    x = np.tile(steps, _GRID)
    y = np.repeat(-steps, _GRID)
    rays = np.stack([x * r[0] + y * r[1] - r[2] for r in rotation], axis=1)
    return eye, rays / np.sqrt((rays**2).sum(axis=1))[:, None]
