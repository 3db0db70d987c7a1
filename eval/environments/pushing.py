"""A video model as a gymnasium environment: its predictions are the observations."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch

from pixelpush.datasets import is_simulated
from pixelpush.errors import InputError
from pixelpush.eval.environments.beginnings import (
    Beginning,
    Goal,
    check_options,
    find_beginning,
    given_beginning,
    goal_of,
)
from pixelpush.eval.environments.needed import gymnasium
from pixelpush.eval.environments.spaces import Info, model_spaces, observe
from pixelpush.image.noise import SampleNoise
from pixelpush.vpn import VideoPixelNetwork
from pixelpush.vpn.points import mean_distance
from pixelpush.vpn.world import Moment, World, places

STEPS = 18  # actions of an episode, as many as the papers predict frames


class PushingEnv(gymnasium.Env):
    """A gymnasium environment over a video model.

    Observations: {"frame": uint8 (H, W, C), "state": float32 (S,)}. Actions: float32 (A,), as the
    model's data have them. ``reset(options=...)`` takes "episode" and "split", or "frames" uint8
    (T, C, H, W) with "states" (T, S) and the "actions" (T - 1, A) between them; left out, a random
    episode. With "point" and "goal", a column and a row each, the reward is minus the expected
    distance in pixels of that point from its goal, moved by the model's own flow; without, 0. An
    episode is truncated after ``steps`` actions and never terminates. info: "nats" of the sampled
    frame (per sub-pixel), "time", and with a goal "place".

    model: ready to evaluate, or a ``vpn.world.World`` with a prediction, temperature and precision
    of its own. data, split: whose episodes it begins with. Raises InputError for unknown options
    and for actions of another shape or beyond the bounds.

    >>> from pixelpush.vpn import build_model
    >>> env = PushingEnv(build_model("ot", frame_size=8, coarse_scales=0), data="")
    >>> given = {"frames": np.zeros((2, 3, 8, 8), np.uint8), "states": np.zeros((2, 5))}
    >>> given["actions"] = np.zeros((1, 5))
    >>> seen, info = env.reset(seed=0, options=given)
    >>> env.step(np.zeros(5, np.float32))[0]["frame"].shape
    (8, 8, 3)
    """

    metadata: ClassVar[Info] = {"render_modes": ["rgb_array"], "render_fps": 5}

    def __init__(
        self,
        model: VideoPixelNetwork | World,
        data: str = "sim",
        split: str = "val",
        episodes: int = 256,
        steps: int = STEPS,
        render_mode: str | None = "rgb_array",
    ):
        self.world = as_world(model)
        spaces = model_spaces(self.world.model, is_simulated(data))
        self.observation_space, self.action_space = spaces
        self.render_mode = render_mode
        self._data = data
        self._split = split
        self._episodes = episodes
        self._steps = steps
        self._moment: Moment | None = None
        self._goal: Goal | None = None

    def reset(
        self, *, seed: int | None = None, options: Info | None = None
    ) -> tuple[dict[str, np.ndarray], Info]:
        """Begin; the observation is the last given frame."""
        super().reset(seed=seed)
        given = check_options(options)
        beginning = self._begin(given)
        self._noise = SampleNoise(
            torch.Generator().manual_seed(int(self.np_random.integers(2**62))), 1
        )
        self._goal = goal_of(given)
        self._moment = self._follow(begin_world(self.world, [beginning]))
        self._first = self._moment.time
        return self._observation(), {**self._info(), "episode": beginning.name}

    def step(self, action: np.ndarray) -> tuple[dict[str, np.ndarray], float, bool, bool, Info]:
        """Predict one frame."""
        moment = begun(self._moment)
        command = checked_action(self.action_space, action)
        commanded = torch.from_numpy(command)[None].to(self.world.device)
        self._moment = self.world.step(moment, commanded, self.world.uniforms(self._noise))
        truncated = self._moment.time - self._first >= self._steps
        return self._observation(), self._reward(), False, truncated, self._info()

    def render(self) -> np.ndarray | None:  # type: ignore[override]
        """The newest frame, uint8 (H, W, 3)."""
        if self.render_mode is None:
            return None
        return render_frame(self._observation()["frame"])

    def _begin(self, options: Any) -> Beginning:
        if "frames" in options:
            return given_beginning(options)
        if not self._data:
            raise InputError("reset: this environment has no data; give frames in the options.")
        # Drawn in any case, so that naming an episode does not change the noise.
        drawn = int(self.np_random.integers(self._episodes))
        episode = int(options.get("episode", drawn))
        split = str(options.get("split", self._split))
        return find_beginning(self._data, split, episode, self.world.model.config.frame_size)

    def _follow(self, moment: Moment) -> Moment:
        if self._goal is None:
            return moment
        return self.world.follow(moment, torch.from_numpy(self._goal.point)[None])

    def _observation(self) -> dict[str, np.ndarray]:
        moment = begun(self._moment)
        return observe(moment.frame[0].cpu().numpy(), moment.state[0].cpu().numpy())

    def _reward(self) -> float:
        moment = begun(self._moment)
        if self._goal is None or moment.mass is None:
            return 0.0
        goal = torch.from_numpy(self._goal.goal)[None].to(moment.mass.device)
        return -float(mean_distance(moment.mass, goal)[0, 0])

    def _info(self) -> Info:
        moment = begun(self._moment)
        colours = self.world.model.config.colours
        info: Info = {"time": moment.time, "nats": float(moment.nats.mean()) / colours}
        if moment.mass is not None:
            info["place"] = places(moment)[0, 0].cpu().numpy()
        return info


def as_world(model: VideoPixelNetwork | World) -> World:
    """A model as a world of samples at temperature 1; a world as it is.

    >>> from pixelpush.vpn import build_model
    >>> as_world(build_model("ot", frame_size=8, coarse_scales=0)).prediction
    'sample'
    """
    return model if isinstance(model, World) else World(model)


def begin_world(world: World, beginnings: list[Beginning]) -> Moment:
    """A batch of beginnings as the moment that a world goes on from.

    >>> from pixelpush.vpn import build_model
    >>> world = as_world(build_model("ot", frame_size=8, coarse_scales=0))
    >>> rows = np.zeros((2, 5), np.float32)
    >>> black = Beginning(np.zeros((2, 3, 8, 8), np.uint8), rows, rows[1:], "black")
    >>> begin_world(world, [black, black]).frame.shape
    torch.Size([2, 3, 8, 8])
    """
    arrays = (
        np.stack([beginning.frames for beginning in beginnings]),
        np.stack([beginning.states for beginning in beginnings]),
        np.stack([beginning.actions for beginning in beginnings]),
    )
    frames, states, actions = (torch.from_numpy(array).to(world.device) for array in arrays)
    return world.begin(frames, states, actions)


def begun(moment: Moment | None) -> Moment:
    """The moment; InputError before the first reset.

    >>> begun(None)
    Traceback (most recent call last):
    pixelpush.errors.InputError: the environment has not begun; call reset() first.
    """
    if moment is None:
        raise InputError("the environment has not begun; call reset() first.")
    return moment


def checked_action(space: gymnasium.spaces.Space, action: np.ndarray) -> np.ndarray:
    """The action as float32; refuses another shape and numbers beyond the bounds.

    >>> box = gymnasium.spaces.Box(-1, 1, (2,))
    >>> checked_action(box, [0.5, 0]).tolist()
    [0.5, 0.0]
    >>> checked_action(box, [2.0, 0])
    Traceback (most recent call last):
    pixelpush.errors.InputError: action [2.0, 0.0]: outside [-1.0, -1.0] to [1.0, 1.0]; clip ...
    """
    assert isinstance(space, gymnasium.spaces.Box)
    command = np.asarray(action, np.float32)
    if command.shape != space.shape:
        raise InputError(
            f"action: shape {space.shape} is needed, got {command.shape}, as the action space says."
        )
    if not ((command >= space.low) & (command <= space.high)).all():
        raise InputError(
            f"action {command.tolist()}: outside {space.low.tolist()} to {space.high.tolist()}; "
            "clip it to the action space."
        )
    return command


def render_frame(frame: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) of a frame (H, W, C); one channel is shown as grey.

    >>> render_frame(np.zeros((8, 8, 1), np.uint8)).shape
    (8, 8, 3)
    """
    return np.repeat(frame, 3, axis=-1) if frame.shape[-1] == 1 else frame[..., :3].copy()
