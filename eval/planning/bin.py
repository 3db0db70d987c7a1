"""The simulated bin under a planner: physics alone, and a frame where one is looked at.

``SimulatedBin`` labels every step; a planner that tries thousands of pushes cannot pay for it. This
one has the same physics, frames and noise (a test compares them), drawn only when asked for."""

from __future__ import annotations

import numpy as np

from pixelpush.datasets.sim.arm import JOINTS
from pixelpush.datasets.sim.generate import renderer_of, scene_of
from pixelpush.datasets.sim.kinematics import kinematics_of
from pixelpush.datasets.sim.labels import project
from pixelpush.datasets.sim.noise import add_noise, noise_key
from pixelpush.datasets.sim.physics import Moment, Pushing
from pixelpush.datasets.sim.splits import episode_draw


class PushingBin:
    """A bin that begins as an episode of a split does. time: frames since then.

    >>> bin = PushingBin("sim", "val", 0)
    >>> bin.state().shape, bin.command.shape
    ((5,), (5,))
    """

    def __init__(self, laboratory: str, split: str, episode: int, size: int = 64):
        self.laboratory = laboratory
        self.split = split
        self.episode = episode
        self.size = size
        self.scene = scene_of(laboratory, split, episode)
        kinematics = kinematics_of(self.scene.arm)
        self._pushing = Pushing(self.scene, kinematics, episode_draw(split, episode))
        self.time = 0

    @property
    def command(self) -> np.ndarray:
        """The pose commanded last, float32 (5,)."""
        return self._pushing.command.astype(np.float32)

    def step(self, action: np.ndarray) -> None:
        """Run the physics of one frame. action: float32 (5,), within the bin's bounds."""
        self._pushing.step(np.asarray(action, np.float32))
        self.time += 1

    def state(self) -> np.ndarray:
        """float32 (5,), of the fingertip."""
        return self._pushing.state()

    def place(self, slot: int) -> np.ndarray:
        """x, y, z of an object in metres, float64 (3,)."""
        start = JOINTS + 7 * slot
        return self._pushing.configuration[start : start + 3].copy()

    def places(self) -> np.ndarray:
        """x, y, z of all objects in metres, float64 (objects, 3)."""
        return self._pushing.configuration[JOINTS:].reshape(-1, 7)[:, :3].copy()

    def pixel(self, point: np.ndarray) -> np.ndarray:
        """Column, row and in-frame flag, float32 (3,), of a point (3,) in metres."""
        return project(self.scene.arm, point[None], self.size)[0]

    def frame(self) -> np.ndarray:
        """What the camera reads, uint8 (3, size, size), with its noise."""
        return self._read(self._pushing.configuration, self._pushing.moved)

    def frame_with(self, slot: int, place: np.ndarray) -> np.ndarray:
        """The frame as it would be with one object moved over to x, y: a picture of a goal."""
        configuration = self._pushing.configuration.copy()
        start = JOINTS + 7 * slot
        configuration[start : start + 2] = place[:2]
        moved = self._pushing.moved.copy()
        moved[slot] = True
        return self._read(configuration, moved)

    def moment(self) -> tuple[int, Moment]:
        """The full state, to go back to."""
        return self.time, self._pushing.moment()

    def restore(self, moment: tuple[int, Moment]) -> None:
        """Go back to a moment of this bin."""
        self.time = moment[0]
        self._pushing.restore(moment[1])

    def _read(self, configuration: np.ndarray, moved: np.ndarray) -> np.ndarray:
        renderer = renderer_of(self.laboratory, self.split, self.episode, self.size)
        clean, _ = renderer.frame(configuration, moved)
        return add_noise(clean[None], noise_key(self.split, self.episode), self.time)[0]
