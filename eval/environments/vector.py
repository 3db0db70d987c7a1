"""Many futures of one model in one batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch

from pixelpush.datasets import is_simulated
from pixelpush.errors import InputError
from pixelpush.eval.environments.beginnings import Beginning, check_options, find_beginning
from pixelpush.eval.environments.needed import gymnasium, np_random
from pixelpush.eval.environments.pushing import STEPS, as_world, begin_world, begun
from pixelpush.eval.environments.spaces import Info, model_spaces, observe
from pixelpush.image.noise import SampleNoise
from pixelpush.vpn import VideoPixelNetwork
from pixelpush.vpn.world import Moment, World


class VectorPushingEnv(gymnasium.vector.VectorEnv):
    """``PushingEnv`` for a batch: B environments step in one call of the model.

    Environment i of seed s is ``PushingEnv`` reset with seed s + i: each has its own stream of
    random numbers. ``reset(options=...)`` takes "episodes", B numbers, and "split".
    All are truncated together and wait for ``reset`` (gymnasium's autoreset mode "Disabled"). The
    reward is 0.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=64, coarse_scales=0, channels=4, lstm_channels=4)
    >>> envs = VectorPushingEnv(model, num_envs=2)
    >>> envs.reset(seed=0, options={"episodes": [0, 0]})[0]["frame"].shape
    (2, 64, 64, 3)
    """

    metadata: ClassVar[Info] = {
        "render_modes": ["rgb_array"],
        "render_fps": 5,
        "autoreset_mode": gymnasium.vector.AutoresetMode.DISABLED,
    }

    def __init__(
        self,
        model: VideoPixelNetwork | World,
        num_envs: int,
        data: str = "sim",
        split: str = "val",
        episodes: int = 256,
        steps: int = STEPS,
    ):
        if num_envs < 1:
            raise InputError(f"num_envs must be at least 1, got {num_envs}.")
        self.world = as_world(model)
        self.num_envs = num_envs
        self.render_mode = "rgb_array"
        spaces = model_spaces(self.world.model, is_simulated(data))
        self.single_observation_space, self.single_action_space = spaces
        batch = gymnasium.vector.utils.batch_space
        self.observation_space = batch(self.single_observation_space, num_envs)
        self.action_space = batch(self.single_action_space, num_envs)
        self._data = data
        self._split = split
        self._episodes = episodes
        self._steps = steps
        self._moment: Moment | None = None

    def reset(  # type: ignore[override]
        self,
        *,
        seed: int | Sequence[int] | None = None,
        options: Info | None = None,
    ) -> tuple[dict[str, np.ndarray], Info]:
        """Begin all environments. seed: of the first, or one each."""
        given = dict(options or {})
        numbers = given.pop("episodes", None)
        split = str(check_options(given).get("split", self._split))
        if numbers is not None and len(numbers) != self.num_envs:
            raise InputError(
                f"reset: {len(numbers)} episodes for {self.num_envs} environments; give one each."
            )
        # As gymnasium seeds a single environment.
        streams = [np_random(each)[0] for each in self._seeds(seed)]
        drawn = [int(stream.integers(self._episodes)) for stream in streams]
        self._noise = SampleNoise(
            [torch.Generator().manual_seed(int(stream.integers(2**62))) for stream in streams],
            self.num_envs,
        )
        beginnings = self._begin(drawn if numbers is None else list(numbers), split)
        self._moment = begin_world(self.world, beginnings)
        self._first = self._moment.time
        return self._observation(), {"episode": np.array([b.name for b in beginnings], object)}

    def step(  # type: ignore[override]
        self, actions: np.ndarray
    ) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray, np.ndarray, Info]:
        """Predict one frame of every environment. actions: float32 (B, A)."""
        moment = begun(self._moment)
        commands = np.asarray(actions, np.float32)
        space = self.action_space
        assert isinstance(space, gymnasium.spaces.Box)
        if commands.shape != space.shape or not space.contains(commands):
            raise InputError(
                f"actions: float32 {space.shape} within the action space are needed, got shape "
                f"{commands.shape}."
            )
        commanded = torch.from_numpy(commands).to(self.world.device)
        self._moment = self.world.step(moment, commanded, self.world.uniforms(self._noise))
        over = self._moment.time - self._first >= self._steps
        colours = self.world.model.config.colours
        nats = self._moment.nats.mean(dim=(1, 2)).cpu().numpy() / colours
        zeros = np.zeros(self.num_envs)
        no = np.zeros(self.num_envs, bool)
        return self._observation(), zeros, no, np.full(self.num_envs, over), {"nats": nats}

    def render(self) -> tuple[np.ndarray, ...]:  # type: ignore[override]
        """The newest frames, uint8 (H, W, C) each."""
        return tuple(self._observation()["frame"])

    def _seeds(self, seed: int | Sequence[int] | None) -> list[int | None]:
        if seed is None:
            return [None] * self.num_envs
        if isinstance(seed, int):
            return [seed + number for number in range(self.num_envs)]
        if len(seed) != self.num_envs:
            raise InputError(f"reset: {len(seed)} seeds for {self.num_envs} environments.")
        return list(seed)

    def _begin(self, numbers: list[int], split: str) -> list[Beginning]:
        size = self.world.model.config.frame_size
        known: dict[int, Beginning] = {}
        for number in numbers:
            if number not in known:
                known[number] = find_beginning(self._data, split, int(number), size)
        return [known[number] for number in numbers]

    def _observation(self) -> dict[str, np.ndarray]:
        moment = begun(self._moment)
        return observe(moment.frame.cpu().numpy(), moment.state.cpu().numpy())
