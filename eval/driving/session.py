"""One drive: the model, what has happened so far, and the real physics beside it. No web here."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from pixelpush.errors import InputError
from pixelpush.eval.driving.settings import TEMPERATURES
from pixelpush.eval.driving.steering import Steering, bin_steering, model_steering
from pixelpush.eval.environments.beginnings import Beginning, begin_bin, find_beginning
from pixelpush.eval.planning.bin import PushingBin
from pixelpush.image.noise import SampleNoise
from pixelpush.settings import check_between, check_choice, check_seed
from pixelpush.training.seeding import derived_seed
from pixelpush.vpn import VideoPixelNetwork
from pixelpush.vpn.world import PREDICTIONS, Moment, World

MOST_BACK = 200  # steps that can be taken back
MOST_RECORDED = 5000  # frames of a recording
_BLUR = 5  # pixels: the heat map is a mean over so many, both ways


@dataclass(frozen=True)
class Source:
    """Where drives begin. data: 'sim' (or another laboratory), or a data set's name; given: frames
    of the user's own instead. split, episode: of the first drive.

    >>> Source("sim-diverse", episode=3).split
    'val'
    """

    data: str = "sim"
    split: str = "val"
    episode: int = 0
    given: Beginning | None = None
    simulated: bool = True


@dataclass(frozen=True)
class Sampling:
    """How frames are predicted; prediction "mean" samples nothing.

    Raises InputError for a value out of range.

    >>> Sampling(temperature=0.1).prediction
    'sample'
    >>> Sampling("median")
    Traceback (most recent call last):
    pixelpush.errors.InputError: unknown sampler 'median'; choose one of sample, mean.
    """

    prediction: str = "sample"
    temperature: float = 0.5
    seed: int = 0

    def __post_init__(self):
        check_choice("sampler", self.prediction, PREDICTIONS)
        check_between(self, *TEMPERATURES, "temperature")
        check_seed(self.seed, "seed")


@dataclass(frozen=True)
class Recorded:
    """One frame of a drive. time: its number. action: the one that led to it; of the first frame,
    the one that moves nothing.

    >>> Recorded(0, np.zeros((3, 8, 8), np.uint8), np.zeros(5), np.zeros(5)).real_frame is None
    True
    """

    time: int
    frame: np.ndarray
    state: np.ndarray
    action: np.ndarray
    real_frame: np.ndarray | None = None
    real_state: np.ndarray | None = None


@dataclass(frozen=True)
class View:
    """What is to be seen of the newest frame.

    frame: uint8 (C, H, W). heat: float32 (H, W), nats per pixel: how surprised the model is at its
    own sample, averaged over 5 x 5 pixels, an unbiased estimate of the mean entropy there; zero
    for given frames and means. nats: per sub-pixel. real: what the physics shows under the same
    actions, or None; distance: mean difference from it, in levels;
    apart: metres between the predicted hand and the physics' own.

    >>> black = np.zeros((3, 8, 8), np.uint8)
    >>> View(1, black, np.zeros((8, 8)), 0.5, np.zeros(5), np.zeros(5), step_seconds=0.1).nats
    0.5
    """

    number: int
    frame: np.ndarray
    heat: np.ndarray
    nats: float
    command: np.ndarray
    state: np.ndarray
    step_seconds: float
    real: np.ndarray | None = None
    distance: float | None = None
    apart: float | None = None
    recording: int | None = None


@dataclass(frozen=True)
class _Instant:
    """All that a step changes: what stepping back returns to."""

    moment: Moment
    command: np.ndarray
    real: Any
    recorded: Recorded


class Session:
    """A drive of one model. Not for several threads at once: the driver calls it from one.

    precision: of the networks. Raises InputError where the model does not fit the source.

    >>> from pixelpush.vpn import build_model
    >>> given = Beginning(np.zeros((2, 3, 8, 8), np.uint8), np.zeros((2, 5), np.float32),
    ...                   np.zeros((1, 5), np.float32), "black frames")
    >>> source = Source(data="", given=given, simulated=False)
    >>> session = Session(build_model("ot", frame_size=8, coarse_scales=0), source)
    >>> session.step(np.ones(5)).number
    2
    """

    def __init__(
        self,
        model: VideoPixelNetwork,
        source: Source,
        sampling: Sampling | None = None,
        precision: str = "32",
        clock: Callable[[], float] = time.perf_counter,
    ):
        self.model = model
        self.source = source
        self.precision = precision
        self._clock = clock
        self.steering: Steering = bin_steering() if source.simulated else model_steering(model)
        if len(self.steering.step) != model.config.action_dim:
            raise InputError(
                f"the simulated bin's actions have {len(self.steering.step)} numbers, this model's "
                f"{model.config.action_dim}; give its own data with --data."
            )
        self.set(sampling or Sampling())
        self.reset()

    def set(self, sampling: Sampling) -> None:
        """Predict from here on in another way."""
        prediction: Any = sampling.prediction  # one of PREDICTIONS, as it has been checked
        self.world = World(self.model, prediction, sampling.temperature, self.precision)
        self.sampling = sampling

    def reset(self, split: str | None = None, episode: int | None = None) -> View:
        """Begin anew, at another episode if one is named. Ends a recording."""
        source = replace(
            self.source,
            split=self.source.split if split is None else split,
            episode=self.source.episode if episode is None else episode,
        )
        bin, beginning = self._beginning(source)
        # Only now: if there is no such episode, the present drive goes on.
        self._bin = bin
        self.source = source
        self.name = beginning.name
        arrays = (beginning.frames, beginning.states, beginning.actions)
        moment = self.world.begin(*(self._tensor(array) for array in arrays))
        command = beginning.actions[-1] if len(beginning.actions) else beginning.states[-1]
        self._first = self._context(beginning, command)
        instant = _Instant(moment, command, self._real_moment(), self._record(moment, command))
        self._now = instant
        self._past: deque[_Instant] = deque(maxlen=MOST_BACK)
        self._recording: list[Recorded] | None = None
        return self.view()

    def step(self, held: np.ndarray, target: np.ndarray | None = None) -> View:
        """Predict one frame. held: (A,) in -1..1; target: (A,), an action to go to instead."""
        started = self._clock()
        before = self._now
        if target is None:
            action = self.steering.moved(before.command, held)
        else:
            action = self.steering.towards(before.command, target)
        # The frame's number decides its noise: stepping back and forth gives the same frame.
        number = before.moment.time + 1
        seed = derived_seed(self.sampling.seed, "drive", number)
        noise = SampleNoise(torch.Generator().manual_seed(seed), 1)
        moment = self.world.step(before.moment, self._tensor(action), self.world.uniforms(noise))
        frame = moment.frame.cpu()  # waits for the device
        seconds = self._clock() - started
        if self._bin is not None:
            self._bin.step(action)
        self._past.append(before)
        recorded = self._record(moment, action, frame[0].numpy())
        self._now = _Instant(moment, action, self._real_moment(), recorded)
        if self._recording is not None and len(self._recording) < MOST_RECORDED:
            self._recording.append(recorded)
        return self.view(seconds)

    def back(self) -> View:
        """Take the last step back; at the beginning, or 200 steps back, nothing happens."""
        if self._past:
            self._now = self._past.pop()
            if self._bin is not None:
                self._bin.restore(self._now.real)
            if self._recording is not None:
                time = self._now.moment.time
                kept = [each for each in self._recording if each.time <= time]
                self._recording = kept or [self._now.recorded]
        return self.view()

    def record(self) -> View:
        """Record from here on; what is recorded begins with the newest frame, or at the beginning
        of a drive with its given frames."""
        at_start = not self._past and self._now.moment.time == len(self._first) - 1
        self._recording = list(self._first) if at_start else [self._now.recorded]
        return self.view()

    def stop(self) -> list[Recorded]:
        """End the recording and hand it over. Raises InputError where there is none."""
        if self._recording is None or len(self._recording) < 2:
            raise InputError("nothing is recorded yet: press record, drive, then stop.")
        recording = self._recording
        self._recording = None
        return recording

    def view(self, step_seconds: float = 0.0) -> View:
        """The newest frame."""
        now = self._now
        moment = now.moment
        colours = self.model.config.colours
        heat = F.avg_pool2d(
            -moment.nats[:, None], _BLUR, stride=1, padding=_BLUR // 2, count_include_pad=False
        )
        real = now.recorded.real_frame
        distance = apart = None
        if real is not None and now.recorded.real_state is not None:
            difference = now.recorded.frame.astype(np.int16) - real
            distance = float(np.abs(difference).mean())
            apart = float(np.linalg.norm(now.recorded.state[:3] - now.recorded.real_state[:3]))
        return View(
            moment.time,
            now.recorded.frame,
            heat[0, 0].cpu().numpy(),
            -float(moment.nats.mean()) / colours,
            now.command,
            now.recorded.state,
            step_seconds,
            real,
            distance,
            apart,
            None if self._recording is None else len(self._recording),
        )

    def axes(self) -> list[list[float]]:
        """Where the first two entries of an action lead in the picture: (right, down) of each, of
        length 1. Without a camera that is known: to the right, and up."""
        if self._bin is None:
            return [[1.0, 0.0], [0.0, -1.0]]
        here = self._bin.state()[:3].astype(np.float64)
        places = [self._bin.pixel(here + move)[:2] for move in np.eye(3)[:2] * 0.05]
        found = np.stack(places) - self._bin.pixel(here)[:2]
        return (found / np.linalg.norm(found, axis=1, keepdims=True)).tolist()

    def _beginning(self, source: Source) -> tuple[PushingBin | None, Beginning]:
        size = self.model.config.frame_size
        if source.given is not None:
            return None, source.given
        if source.simulated:
            return begin_bin(source.data, source.split, source.episode, size)
        return None, find_beginning(source.data, source.split, source.episode, size)

    def _context(self, beginning: Beginning, command: np.ndarray) -> list[Recorded]:
        """The given frames, as a recording that starts at the beginning has them."""
        actions = [self.steering.rest(command), *beginning.actions]
        real = self._bin is not None
        return [
            Recorded(time, frame, state, action, frame if real else None, state if real else None)
            for time, (frame, state, action) in enumerate(
                zip(beginning.frames, beginning.states, actions, strict=True)
            )
        ]

    def _record(
        self, moment: Moment, action: np.ndarray, frame: np.ndarray | None = None
    ) -> Recorded:
        shown = moment.frame[0].cpu().numpy() if frame is None else frame
        state = moment.state[0].cpu().numpy()
        if self._bin is None:
            return Recorded(moment.time, shown, state, action)
        real = self._bin.frame(), self._bin.state()
        return Recorded(moment.time, shown, state, action, *real)

    def _real_moment(self) -> Any:
        return None if self._bin is None else self._bin.moment()

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array))[None].to(self.world.device)
