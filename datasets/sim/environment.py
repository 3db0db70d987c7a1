"""The simulated bin as an environment: reset to the start of any episode, then act."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pixelpush.datasets.sim.generate import about, labeller_of, renderer_of, scene_of
from pixelpush.datasets.sim.kinematics import kinematics_of
from pixelpush.datasets.sim.names import check_laboratory, check_split
from pixelpush.datasets.sim.noise import add_noise, noise_floor, noise_key
from pixelpush.datasets.sim.physics import Moment, Pushing
from pixelpush.datasets.sim.policy import HIGHEST, LOWEST
from pixelpush.datasets.sim.splits import check_size, episode_draw
from pixelpush.errors import InputError


@dataclass(frozen=True)
class Observation:
    """What is to be seen at one time.

    time: frames since the reset. state: float32 (5,): x, y, z in metres, pitch, yaw in radians of
    the fingertip. frame: uint8 (3, size, size), or None without rendering. labels: the arrays of
    ``Episode.extra`` for this frame; ``segmentation`` and ``noise_floor`` come with the frame.

    >>> Observation(0, np.zeros(5, np.float32), None, {}).frame is None
    True
    """

    time: int
    state: np.ndarray
    frame: np.ndarray | None
    labels: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Snapshot:
    """The full state of a ``SimulatedBin``: ``restore`` goes on from it, to the byte.

    >>> bin = SimulatedBin("sim", render=False)
    >>> seen = bin.reset("val", 3)
    >>> bin.snapshot().split, bin.snapshot().episode, bin.snapshot().time
    ('val', 3, 0)
    """

    laboratory: str
    split: str
    episode: int
    time: int
    moment: Moment


class SimulatedBin:
    """One bin of a laboratory ("sim", "sim-diverse", "sim-cameras") that takes actions.

    Replaying an episode's actions gives the episode's bytes: states, frames, noise, labels. After
    its 20 frames one may go on. size: 64, 128 or 256. noise: frames as a camera reads them, or
    clean. render=False leaves frames and segmentation out, for planning with many steps. Raises
    InputError for unknown values.

    >>> bin = SimulatedBin("sim", size=64)
    >>> seen = bin.reset("val", 0)
    >>> seen.frame.shape, seen.state.shape
    ((3, 64, 64), (5,))
    >>> command = seen.state.clip(bin.lowest, bin.highest)
    >>> bin.step(command).time
    1
    """

    def __init__(
        self, laboratory: str = "sim", size: int = 64, noise: bool = True, render: bool = True
    ):
        check_laboratory(laboratory)
        check_size(size)
        self.laboratory = laboratory
        self.size = size
        self.noise = noise
        self.render = render
        self.lowest = LOWEST.astype(np.float32)
        self.highest = HIGHEST.astype(np.float32)
        """Actions lie between these, float32 (5,)."""
        self._pushing: Pushing | None = None

    def reset(self, split: str = "train", episode: int = 0) -> Observation:
        """Begin as episode ``episode`` (from 0) of a split does; returns its first frame.

        >>> SimulatedBin("sim", render=False).reset("train", 0).time
        0
        """
        check_split(split)
        if episode < 0:
            raise InputError(f"episode {episode}: episodes are counted from 0.")
        self._split = split
        self._episode = int(episode)
        self._time = 0
        scene = scene_of(self.laboratory, split, self._episode)
        self._labeller = labeller_of(self.laboratory, split, self._episode, self.size)
        if self.render:
            self._renderer = renderer_of(self.laboratory, split, self._episode, self.size)
        self._about = about(self.laboratory, split, self._episode)
        draw = episode_draw(split, self._episode)
        self._pushing = Pushing(scene, kinematics_of(scene.arm), draw)
        return self._observe()

    def step(self, action: np.ndarray) -> Observation:
        """Command a pose and run the physics of one frame, a fifth of a second.

        action: (5,), like the state. Numbers are rounded to float32, as an episode holds them.
        Raises InputError for other shapes and for poses outside ``lowest`` to ``highest``, and
        before the first reset.

        >>> SimulatedBin("sim").step(np.zeros(5))
        Traceback (most recent call last):
        pixelpush.errors.InputError: the simulated bin has not begun; call reset(split, ...
        """
        pushing = self._begun()
        command = np.asarray(action, np.float32)
        if command.shape != (5,):
            raise InputError(
                f"action: 5 numbers are needed (x, y, z, pitch, yaw), got shape {command.shape}."
            )
        if not ((command >= self.lowest) & (command <= self.highest)).all():
            raise InputError(
                f"action {command.tolist()}: outside {self.lowest.tolist()} to "
                f"{self.highest.tolist()}; clip it to the bin's lowest and highest."
            )
        pushing.step(command)
        self._time += 1
        return self._observe()

    def snapshot(self) -> Snapshot:
        """The full state, to be kept as long as wanted; steps do not change it.

        >>> bin = SimulatedBin("sim", render=False)
        >>> seen = bin.reset("val", 0)
        >>> bin.snapshot().time
        0
        """
        pushing = self._begun()
        return Snapshot(self.laboratory, self._split, self._episode, self._time, pushing.moment())

    def restore(self, snapshot: Snapshot) -> Observation:
        """Go back to a snapshot, of this bin or of another one of the same laboratory, and look.

        >>> bin = SimulatedBin("sim", render=False)
        >>> first = bin.reset("val", 0)
        >>> start = bin.snapshot()
        >>> later = bin.step(first.state.clip(bin.lowest, bin.highest))
        >>> bool((bin.restore(start).state == first.state).all())
        True
        """
        if snapshot.laboratory != self.laboratory:
            raise InputError(
                f"a snapshot of {snapshot.laboratory} cannot be restored in {self.laboratory}."
            )
        begun = self._pushing is not None
        if not begun or (self._split, self._episode) != (snapshot.split, snapshot.episode):
            self.reset(snapshot.split, snapshot.episode)
        self._time = snapshot.time
        self._begun().restore(snapshot.moment)
        return self._observe()

    def _begun(self) -> Pushing:
        if self._pushing is None:
            raise InputError("the simulated bin has not begun; call reset(split, episode) first.")
        return self._pushing

    def _observe(self) -> Observation:
        pushing = self._begun()
        labels = {**self._labeller.label(pushing.configuration), **self._about}
        frame = None
        if self.render:
            frame, labels["segmentation"] = self._renderer.frame(
                pushing.configuration, pushing.moved
            )
        if frame is not None and self.noise:
            clean = frame[None]
            labels["noise_floor"] = noise_floor(clean)[0]
            frame = add_noise(clean, noise_key(self._split, self._episode), self._time)[0]
        return Observation(self._time, pushing.state(), frame, labels)
