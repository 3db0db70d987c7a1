"""What a push would do, before it is done: by a video model, by the simulator, or by nothing.

A predictor takes in what is seen and returns the costs of candidates: the distance of the pushed
point from its goal in the picture, or the difference of the last frame from the goal's picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from pixelpush.eval.planning.bin import PushingBin
from pixelpush.image.noise import SampleNoise
from pixelpush.vpn import VideoPixelNetwork
from pixelpush.vpn.points import mean_distance, mean_place
from pixelpush.vpn.world import Moment, World

CostName = Literal["pixel", "picture"]
# A candidate's cost: where it ends, and how soon it gets there.
END_WEIGHT = 0.75


@dataclass(frozen=True)
class Aim:
    """What is wanted, in the picture. point, goal: column and row. picture: uint8 (C, H, W), of the
    goal, or None where places alone count.

    >>> Aim(np.array([3.0, 4.0]), np.array([5.0, 6.0])).picture is None
    True
    """

    point: np.ndarray
    goal: np.ndarray
    picture: np.ndarray | None = None


class Predictor(Protocol):
    """Says what candidates would cost from where the world stands now.

    frames_predicted: candidate frames so far, for the accounts.

    >>> still: Predictor = StillPredictor()
    >>> still.frames_predicted
    0
    """

    frames_predicted: int

    def costs(self, actions: np.ndarray, aim: Aim) -> np.ndarray:
        """Costs (N,) of candidates float32 (N, T, A)."""
        ...


class StillPredictor:
    """Predicts that nothing moves: the model that copies the last frame.

    All candidates cost the same, so that a plan is any push at all.

    >>> aim = Aim(np.zeros(2), np.array([3.0, 4.0]))
    >>> StillPredictor().costs(np.zeros((2, 6, 5)), aim).tolist()
    [5.0, 5.0]
    """

    frames_predicted = 0

    def costs(self, actions: np.ndarray, aim: Aim) -> np.ndarray:
        """The distance as it is, for every candidate."""
        return np.full(len(actions), np.hypot(*(aim.point - aim.goal)))


class SimulatorPredictor:
    """Predicts with the simulator itself, from the bin's own state: the upper bound.

    It costs candidates by the same picture distance as a model: of the object's true place.

    >>> predictor = SimulatorPredictor(PushingBin("sim", "val", 0), slot=0)
    >>> rest = np.tile(PushingBin("sim", "val", 0).command, (2, 1, 1))
    >>> predictor.costs(rest, Aim(np.zeros(2), np.zeros(2))).shape, predictor.frames_predicted
    ((2,), 2)
    """

    def __init__(self, bin: PushingBin, slot: int):
        self._bin = bin
        self._slot = slot
        self.frames_predicted = 0

    def costs(self, actions: np.ndarray, aim: Aim) -> np.ndarray:
        """Run every candidate, and go back."""
        moment = self._bin.moment()
        distances = np.empty(actions.shape[:2])
        for number, candidate in enumerate(actions):
            for time, action in enumerate(candidate):
                self._bin.step(action)
                place = self._bin.pixel(self._bin.place(self._slot))[:2]
                distances[number, time] = np.hypot(*(place - aim.goal))
            self._bin.restore(moment)
        self.frames_predicted += distances.size
        return end_and_mean(distances)


class ModelPredictor:
    """Predicts with a video model, candidates in one batch from one shared past.

    cost: "pixel", the expected distance of the point, moved by the model's own flow; or "picture",
    the mean squared difference in levels of the last frame from the goal's picture. world: how
    frames are predicted. seed: of samples, one stream a candidate.

    >>> from pixelpush.vpn import build_model
    >>> world = World(build_model("ot", frame_size=8, coarse_scales=0))
    >>> predictor = ModelPredictor(world, "picture")
    >>> frames, rows = np.zeros((2, 3, 8, 8), np.uint8), np.zeros((2, 5), np.float32)
    >>> predictor.begin(frames, rows, rows[1:])
    >>> aim = Aim(np.zeros(2), np.zeros(2), picture=frames[0])
    >>> predictor.costs(np.zeros((4, 1, 5), np.float32), aim).shape
    (4,)
    """

    def __init__(self, world: World, cost: CostName = "pixel", seed: int = 0):
        self.world = world
        self.cost = cost
        self.frames_predicted = 0
        self._generator = torch.Generator().manual_seed(seed)
        self._moment: Moment | None = None

    @property
    def moment(self) -> Moment:
        """Where the model stands."""
        assert self._moment is not None, "begin first"
        return self._moment

    def begin(self, frames: np.ndarray, states: np.ndarray, actions: np.ndarray) -> None:
        """Take in the frames so far: uint8 (T, C, H, W), states (T, S), actions (T - 1, A)."""
        self._moment = self.world.begin(*(self._tensor(x) for x in (frames, states, actions)))

    def see(self, action: np.ndarray, frame: np.ndarray, state: np.ndarray) -> None:
        """Take in one more frame, and the action that led to it."""
        given = [self._tensor(x) for x in (action, frame, state)]
        self._moment = self.world.see(self.moment, *given)

    def costs(self, actions: np.ndarray, aim: Aim) -> np.ndarray:
        """Roll all candidates out."""
        goal = torch.from_numpy(np.asarray(aim.goal, np.float32))[None].to(self.world.device)
        moment = self._followed(aim, len(actions))
        distances = []
        for action in torch.from_numpy(actions).to(self.world.device).unbind(1):
            moment = self._step(moment, action)
            assert moment.mass is not None or self.cost == "picture"
            if moment.mass is not None:
                distances.append(mean_distance(moment.mass, goal)[:, 0])
        self.frames_predicted += actions.shape[0] * actions.shape[1]
        if self.cost == "pixel":
            return end_and_mean(torch.stack(distances, dim=1).cpu().double().numpy())
        assert aim.picture is not None, "a goal picture is needed"
        picture = torch.from_numpy(aim.picture).to(self.world.device)
        off = (moment.frame.float() - picture.float()).square()
        return off.flatten(1).mean(dim=1).cpu().double().numpy()

    def imagine(self, actions: np.ndarray, aim: Aim) -> tuple[np.ndarray, np.ndarray]:
        """One plan's frames uint8 (T, C, H, W) and the point's expected places (T, 2).

        Where the model moves no pixels the places are NaN."""
        moment = self._followed(aim, 1)
        frames = []
        where = []
        for action in torch.from_numpy(actions)[:, None].to(self.world.device):
            moment = self._step(moment, action)
            frames.append(moment.frame[0].cpu().numpy())
            unknown = torch.full((1, 1, 2), torch.nan)
            place = unknown if moment.mass is None else mean_place(moment.mass)
            where.append(place[0, 0].cpu().numpy())
        return np.stack(frames), np.stack(where)

    def _followed(self, aim: Aim, copies: int) -> Moment:
        follows = self.world.model.config.composes or self.cost == "pixel"
        point = torch.from_numpy(np.asarray(aim.point, np.float32))[None]
        return self.world.follow(self.moment, point if follows else None).copies(copies)

    def _step(self, moment: Moment, action: Tensor) -> Moment:
        noise = SampleNoise(self._generator, len(action))
        return self.world.step(moment, action, self.world.uniforms(noise))

    def _tensor(self, value: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(value))[None].to(self.world.device)


def planning_world(
    model: VideoPixelNetwork, sample: bool = False, temperature: float = 0.5, precision: str = ""
) -> World:
    """Return the world that plans are made in: means in bfloat16 where the model has them.

    sample: sample frames at ``temperature`` instead. precision: "32" or "bf16"; left out, bf16.

    >>> from pixelpush.vpn import build_model
    >>> planning_world(build_model("push-ot-small", frame_size=16)).prediction
    'mean'
    """
    means = model.config.composes and not sample
    prediction = "mean" if means else "sample"
    # Channels last in memory, as the convolutions want them on a CPU.
    model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return World(model, prediction, temperature, precision or "bf16")


def end_and_mean(distances: np.ndarray) -> np.ndarray:
    """Costs (N,) from distances (N, T) to the goal: mostly the last one, partly their mean.

    >>> end_and_mean(np.array([[4.0, 2.0], [2.0, 2.0]])).tolist()
    [2.25, 2.0]
    """
    return END_WEIGHT * distances[:, -1] + (1 - END_WEIGHT) * distances.mean(axis=1)
