"""The simulated bin as a gymnasium environment, with the spaces of a model of it."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from pixelpush.errors import InputError
from pixelpush.eval.environments.beginnings import Goal, begin_bin, check_options, goal_of
from pixelpush.eval.environments.needed import gymnasium
from pixelpush.eval.environments.pushing import STEPS, checked_action, render_frame
from pixelpush.eval.environments.spaces import Info, bin_spaces, observe
from pixelpush.eval.planning.bin import PushingBin


class SimulatedPushingEnv(gymnasium.Env):
    """The simulated bin as a gymnasium environment: the real physics, as a camera sees it.

    Spaces, ``reset(options=...)`` and truncation are those of ``PushingEnv``; frames cannot be
    given. With "point" and "goal" the reward is minus the distance in pixels of the object nearest
    to the point from the goal. info: "time", "objects" float32 (objects, 3) in metres, and with a
    goal "place".

    >>> env = SimulatedPushingEnv()
    >>> seen, info = env.reset(seed=0, options={"episode": 0})
    >>> seen["frame"].shape, info["time"]
    ((64, 64, 3), 1)
    """

    metadata: ClassVar[Info] = {"render_modes": ["rgb_array"], "render_fps": 5}

    def __init__(
        self,
        laboratory: str = "sim",
        split: str = "val",
        episodes: int = 256,
        steps: int = STEPS,
        size: int = 64,
        render_mode: str | None = "rgb_array",
    ):
        self.observation_space, self.action_space = bin_spaces(size)
        self.render_mode = render_mode
        self._laboratory = laboratory
        self._split = split
        self._episodes = episodes
        self._steps = steps
        self._size = size
        self._bin: PushingBin | None = None
        self._goal: Goal | None = None
        self._slot = 0
        self._frame = np.zeros((3, size, size), np.uint8)

    @property
    def bin(self) -> PushingBin:
        """The bin itself. Raises InputError before the first reset."""
        if self._bin is None:
            raise InputError("the environment has not begun; call reset() first.")
        return self._bin

    def reset(
        self, *, seed: int | None = None, options: Info | None = None
    ) -> tuple[dict[str, np.ndarray], Info]:
        """Begin as an episode does, after one step with the hand at rest."""
        super().reset(seed=seed)
        given = check_options(options)
        if "frames" in given:
            raise InputError("reset: the simulated bin begins with an episode, not with frames.")
        # Drawn in any case, as ``PushingEnv`` does, so that one seed serves both.
        drawn = int(self.np_random.integers(self._episodes))
        episode = int(given.get("episode", drawn))
        split = str(given.get("split", self._split))
        self._bin, beginning = begin_bin(self._laboratory, split, episode, self._size)
        self._frame = beginning.frames[-1]
        self._goal = goal_of(given)
        if self._goal is not None:
            places = np.stack([self.bin.pixel(place)[:2] for place in self.bin.places()])
            self._slot = int(np.linalg.norm(places - self._goal.point, axis=1).argmin())
        return self._observation(), {**self._info(), "episode": beginning.name}

    def step(self, action: np.ndarray) -> tuple[dict[str, np.ndarray], float, bool, bool, Info]:
        """Run the physics of one frame."""
        self.bin.step(checked_action(self.action_space, action))
        self._frame = self.bin.frame()
        truncated = self.bin.time - 1 >= self._steps
        return self._observation(), self._reward(), False, truncated, self._info()

    def render(self) -> np.ndarray | None:  # type: ignore[override]
        """The newest frame, uint8 (H, W, 3)."""
        if self.render_mode is None:
            return None
        return render_frame(self._observation()["frame"])

    def _observation(self) -> dict[str, np.ndarray]:
        return observe(self._frame, self.bin.state())

    def _place(self) -> np.ndarray:
        return self.bin.pixel(self.bin.place(self._slot))[:2]

    def _reward(self) -> float:
        if self._goal is None:
            return 0.0
        return -float(np.linalg.norm(self._place() - self._goal.goal))

    def _info(self) -> Info:
        objects = self.bin.places().astype(np.float32)
        info: Info = {"time": self.bin.time, "objects": objects}
        return info if self._goal is None else {**info, "place": self._place()}
