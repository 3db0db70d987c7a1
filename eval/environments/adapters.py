"""A model behind the planning interfaces that the field has: VP2's and stable-worldmodel's.

Neither package is needed here; the shapes are those of their documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from pixelpush.errors import InputError
from pixelpush.image.noise import SampleNoise
from pixelpush.vpn import VideoPixelNetwork
from pixelpush.vpn.points import mean_distance
from pixelpush.vpn.world import Moment, Prediction, World


class VP2Model:
    """A model as VP2's control benchmark calls it (Tian et al. 2023; its README, "Adding new
    models").

    Called with {"video": (B, T, C, H, W), "actions": (B, T - 1 + n, A)} it returns {"rgb": (B, T +
    n, C, H, W)}, both videos float in [0, 1]: the given frames and n predicted ones. VP2's actions
    lie in [-1, 1]; they are stretched to ``lowest`` to ``highest``, (A,), or taken as they are
    without these. A model that knows states needs "states" (B, >= T, S) in the batch too; VP2 has
    none. Raises InputError for other shapes.

    >>> from pixelpush.vpn import build_model
    >>> settings = {"state_dim": 0, "frame_size": 8, "coarse_scales": 0}
    >>> model = VP2Model(build_model("ot", **settings))
    >>> batch = {"video": torch.zeros(1, 2, 3, 8, 8), "actions": torch.zeros(1, 4, 5)}
    >>> model(batch)["rgb"].shape
    torch.Size([1, 5, 3, 8, 8])
    """

    base_prediction_modality = "rgb"

    def __init__(
        self,
        model: VideoPixelNetwork,
        lowest: Tensor | None = None,
        highest: Tensor | None = None,
        temperature: float = 0.5,
        prediction: Prediction = "sample",
        seed: int = 0,
        num_context: int = 2,
    ):
        self.world = World(model, prediction, temperature)
        self.num_context = num_context
        self._bounds = None if lowest is None or highest is None else (lowest, highest)
        self._seed = seed

    @torch.no_grad()
    def __call__(
        self, batch: Mapping[str, Tensor], grad_enabled: bool = False
    ) -> dict[str, Tensor]:
        """Predict. Samples depend on the seed and a row's number alone. grad_enabled: refused if
        true, since sampled frames have no gradient."""
        if grad_enabled:
            raise InputError(
                "sampled frames have no gradient; plan with a planner that needs none."
            )
        video = torch.as_tensor(batch["video"])
        actions = torch.as_tensor(batch["actions"]).float()
        _check_shapes(video, actions)
        size, length = video.shape[:2]
        # The first length - 1 actions lie between the given frames.
        steps = actions.shape[1] - (length - 1)
        if self._bounds is not None:
            lowest, highest = self._bounds
            # VP2 acts in [-1, 1].
            actions = lowest + (actions + 1) / 2 * (highest - lowest)
        known = self._states(batch, size, length)
        frames = (video.clamp(0, 1) * 255).round().to(torch.uint8)
        noise = SampleNoise(_streams(self._seed, size), size)
        moment = self.world.begin(frames, known, actions)
        shown = [frames[:, time] for time in range(length)]
        for time in range(length - 1, length - 1 + steps):
            moment = self.world.step(moment, actions[:, time], self.world.uniforms(noise))
            shown.append(moment.frame)
        return {"rgb": torch.stack(shown, dim=1).float() / 255}

    def close(self) -> None:
        """Nothing to release."""

    def _states(self, batch: Mapping[str, Tensor], size: int, length: int) -> Tensor:
        """The batch's states; of no numbers where it has none and the model needs none."""
        if "states" in batch:
            return torch.as_tensor(batch["states"]).float()
        if self.world.model.config.state_dim:
            raise InputError(
                'this model knows the arm\'s state: give "states" (B, T, S) in the batch.'
            )
        return torch.zeros(size, length, 0)


class WorldModelCost(nn.Module):
    """A model as stable-worldmodel's solvers call it: their ``Costable``.

    ``get_cost(info, candidates)`` gives costs (B, S) of action candidates (B, S, n, A). info holds,
    for every candidate alike, "pixels" (B, S, T, C, H, W), uint8 or float in [0, 1]; "state" (B, S,
    T, S') where the model knows states; "action" (B, S, T - 1, A) between the given frames, zero
    where it is missing; and either "goal" (B, S, T', C, H, W), whose last picture the last
    predicted frame is compared with (mean squared difference in levels), or "point" and
    "goal_point", (B, S, 2), whose expected distance in pixels counts. Raises InputError for other
    shapes.

    >>> from pixelpush.vpn import build_model
    >>> cost = WorldModelCost(build_model("ot", frame_size=8, coarse_scales=0))
    >>> pixels = torch.zeros(1, 4, 2, 3, 8, 8, dtype=torch.uint8)
    >>> info = {"pixels": pixels, "goal": pixels, "state": torch.zeros(1, 4, 2, 5)}
    >>> cost.get_cost(info, torch.zeros(1, 4, 3, 5)).shape
    torch.Size([1, 4])
    """

    def __init__(
        self,
        model: VideoPixelNetwork,
        prediction: Prediction = "sample",
        temperature: float = 0.5,
        precision: str = "32",
        seed: int = 0,
    ):
        super().__init__()
        self.model = model
        self.world = World(model, prediction, temperature, precision)
        self._seed = seed

    @torch.no_grad()
    def get_cost(self, info: Mapping[str, Any], candidates: Tensor) -> Tensor:
        """Costs float32 (B, S)."""
        if candidates.ndim != 4:
            raise InputError(
                f"candidates (B, S, n, A) are needed, got shape {tuple(candidates.shape)}."
            )
        batch, samples, steps = candidates.shape[:3]
        where = self.world.device
        future = candidates.flatten(0, 1).float().to(where)
        frames = _as_bytes(_flat(info, "pixels", 6)).to(where)
        if len(frames) != batch * samples:
            raise InputError(
                f"info: pixels of shape {tuple(info['pixels'].shape)} do not go with candidates "
                f"{tuple(candidates.shape)}; the first two axes must be the same."
            )
        moment = self._begin(info, frames, future.shape[-1])
        followed = "point" in info
        if followed:
            moment = self._follow(info, moment)
        noise = SampleNoise(_streams(self._seed, len(frames)), len(frames))
        for time in range(steps):
            moment = self.world.step(moment, future[:, time], self.world.uniforms(noise))
        cost = self._distance(info, moment) if followed else self._difference(info, moment)
        return cost.unflatten(0, (batch, samples))

    def forward(self, info: Mapping[str, Any], candidates: Tensor) -> Tensor:
        return self.get_cost(info, candidates)

    def _begin(self, info: Mapping[str, Any], frames: Tensor, width: int) -> Moment:
        count, length = frames.shape[:2]
        states = torch.zeros(count, length, 0, device=frames.device)
        if self.model.config.state_dim:
            states = _flat(info, "state", 4).float().to(frames.device)
        actions = torch.zeros(count, length - 1, width, device=frames.device)
        if "action" in info:
            actions = _flat(info, "action", 4).float().to(frames.device)
        return self.world.begin(frames, states, actions)

    def _follow(self, info: Mapping[str, Any], moment: Moment) -> Moment:
        points = _flat(info, "point", 3).float()
        # ``follow`` gives a point to the whole batch. Each row has a point of its own: of the
        # result for point n only row n is kept.
        each = [self.world.follow(moment, point[None]).mass for point in points]
        masses = [mass[number] for number, mass in enumerate(each) if mass is not None]
        return moment._replace(mass=torch.stack(masses))

    def _distance(self, info: Mapping[str, Any], moment: Moment) -> Tensor:
        assert moment.mass is not None
        goals = _flat(info, "goal_point", 3).float().to(moment.mass.device)
        return torch.cat(
            [
                mean_distance(mass[None], goal[None])[:, 0]
                for mass, goal in zip(moment.mass, goals, strict=True)
            ]
        )

    def _difference(self, info: Mapping[str, Any], moment: Moment) -> Tensor:
        goal = _as_bytes(_flat(info, "goal", 6))[:, -1].to(moment.frame.device)
        return (moment.frame.float() - goal.float()).square().flatten(1).mean(dim=1)


def _check_shapes(video: Tensor, actions: Tensor) -> None:
    """Refuse a VP2 batch whose shapes do not fit, or whose actions lead to no frame."""
    if video.ndim != 5 or actions.ndim != 3 or len(actions) != len(video):
        raise InputError(
            f"video (B, T, C, H, W) and actions (B, T - 1 + n, A) are needed, got "
            f"{tuple(video.shape)} and {tuple(actions.shape)}."
        )
    length = video.shape[1]
    if actions.shape[1] < length:
        raise InputError(
            f"actions: {actions.shape[1]} for {length} given frames predict nothing; "
            f"{length} or more are needed."
        )


def _flat(info: Mapping[str, Any], name: str, axes: int) -> Tensor:
    """An entry of info with its first two axes, environments and samples, made one."""
    if name not in info:
        raise InputError(f"info: {name!r} is missing; it holds {', '.join(sorted(info))}.")
    value = torch.as_tensor(info[name])
    if value.ndim != axes:
        raise InputError(f"info: {name!r} must have {axes} axes, got shape {tuple(value.shape)}.")
    return value.flatten(0, 1)


def _as_bytes(pixels: Tensor) -> Tensor:
    if pixels.dtype == torch.uint8:
        return pixels
    return (pixels.clamp(0, 1) * 255).round().to(torch.uint8)


def _streams(seed: int, count: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed + number) for number in range(count)]
