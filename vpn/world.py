"""A model as a world to act in: one frame at a time, under actions chosen step by step.

What passes from frame to frame is a value. So a caller may step back, branch into many candidates,
or keep a moment for later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import torch
from torch import Tensor
from torch.utils import _pytree as tree

from pixelpush.errors import InputError
from pixelpush.image.noise import SampleNoise
from pixelpush.settings import check_choice
from pixelpush.vpn.carry import StepCarry
from pixelpush.vpn.checks import check_vectors, check_video
from pixelpush.vpn.points import mean_place, move_points, point_mass

if TYPE_CHECKING:
    from pixelpush.vpn.model import VideoPixelNetwork

Prediction = Literal["sample", "mean"]
PREDICTIONS = ("sample", "mean")


class Moment(NamedTuple):
    """Where a world stands, for a batch of B. Nothing in it is changed by later steps.

    carry: the model's; its frame is the newest one. nats: float32 (B, H, W) of that frame, at
    temperature 1; zero for a given frame and for a mean. mass: (B, P, H, W), where chosen pixels
    are, or None. time: the newest frame's number.

    >>> from pixelpush.vpn import build_model
    >>> world = World(build_model("ot", frame_size=8, coarse_scales=0))
    >>> frames = torch.zeros(1, 2, 3, 8, 8, dtype=torch.uint8)
    >>> world.begin(frames, torch.zeros(1, 2, 5), torch.zeros(1, 1, 5)).time
    1
    """

    carry: StepCarry
    nats: Tensor
    mass: Tensor | None
    time: int

    @property
    def frame(self) -> Tensor:
        """uint8 (B, C, H, W)."""
        return self.carry.frame

    @property
    def state(self) -> Tensor:
        """float32 (B, S)."""
        return self.carry.state

    def copies(self, count: int) -> Moment:
        """Return this moment of a batch of one as a batch of ``count``."""
        return tree.tree_map(lambda x: _copies(x, count), self)


class World:
    """A video model that takes actions.

    prediction: "sample", a frame as the model samples it, or "mean", the picture that its encoder
    composes for the next frame, rounded: no pixel is sampled, and a step costs the encoder alone.
    temperature: of samples. precision: "32", or "bf16" for the networks (distributions stay
    float32). Raises InputError for another name, and for means of a model that composes no picture.

    >>> from pixelpush.vpn import build_model
    >>> world = World(build_model("ot", frame_size=8, coarse_scales=0))
    >>> frames = torch.zeros(1, 2, 3, 8, 8, dtype=torch.uint8)
    >>> moment = world.begin(frames, torch.zeros(1, 2, 5), torch.zeros(1, 1, 5))
    >>> world.step(moment, torch.zeros(1, 5), torch.rand(1, 4, 8, 8)).frame.shape
    torch.Size([1, 3, 8, 8])
    """

    def __init__(
        self,
        model: VideoPixelNetwork,
        prediction: Prediction = "sample",
        temperature: float = 1.0,
        precision: str = "32",
    ):
        check_choice("prediction", prediction, PREDICTIONS)
        check_choice("precision", precision, ("32", "bf16"))
        if prediction == "mean" and not model.config.composes:
            raise InputError(
                f"the model ({model.config.kind}, encoder {model.config.encoder}) composes no "
                "picture of the next frame; predict with 'sample'."
            )
        self.model = model
        self.prediction = prediction
        self.temperature = temperature
        self.precision = precision

    @property
    def device(self) -> torch.device:
        """Where the model computes."""
        return self.model.state_mean.device

    @torch.no_grad()
    def begin(
        self, frames: Tensor, states: Tensor, actions: Tensor, points: Tensor | None = None
    ) -> Moment:
        """Take given frames in.

        frames: uint8 (B, T, C, H, W), T >= 1. states: (B, >= T, S). actions: (B, >= T - 1, A),
        those that led from frame to frame. points: (P, 2), column and row, of pixels of the last
        frame to follow. Raises InputError on wrong types or shapes."""
        model = self.model
        batch, length = frames.shape[:2]
        check_video(frames, model.config, 0)
        check_vectors("states", states, model.config.state_dim, batch, length)
        check_vectors("actions", actions, model.config.action_dim, batch, length - 1)
        with self._autocast():
            carry = model.begin(frames, states.float(), actions.float())
        size = model.config.frame_size
        nats = torch.zeros(batch, size, size, device=frames.device)
        return self.follow(Moment(carry, nats, None, length - 1), points)

    def follow(self, moment: Moment, points: Tensor | None) -> Moment:
        """Return the moment with other pixels (P, 2) to follow from here on, or with none."""
        if points is None:
            return moment._replace(mass=None)
        mass = point_mass(points.to(moment.frame.device), moment.frame.shape[-1])
        return moment._replace(mass=mass[None].expand(len(moment.frame), -1, -1, -1))

    @torch.no_grad()
    def step(self, moment: Moment, action: Tensor, uniforms: Tensor | None = None) -> Moment:
        """Predict the next frame and return the moment that holds it.

        action: (B, A). uniforms: (B, ``uniforms_per_pixel`` of the decoder, H, W), for samples
        only. Raises InputError where pixels are followed and the model moves none."""
        carry = moment.carry
        model = self.model
        with self._autocast():
            encoder, features, centre, moving = model.encoder.step_moving(
                carry.encoder, carry.frame, model.vectors(carry.state, action)
            )
            frame, nats = self._predict(features, centre, uniforms, moment.nats)
        mass = moment.mass
        if mass is not None:
            if moving is None:
                raise InputError(
                    "this model does not say how pixels move: it cannot follow them; use a model "
                    "with a flow (the push-* presets), or compare pictures."
                )
            mass = move_points(mass, moving)
        state = model._next_state(carry.state, action)
        return Moment(StepCarry(encoder, frame, state), nats, mass, moment.time + 1)

    @torch.no_grad()
    def see(self, moment: Moment, action: Tensor, frame: Tensor, state: Tensor) -> Moment:
        """Return the moment after an action that really led to ``frame`` and ``state``.

        frame: uint8 (B, C, H, W). state: (B, S). Pixels are no longer followed: their places in a
        seen frame are for the caller to say."""
        carry = moment.carry
        vectors = self.model.vectors(carry.state, action)
        with self._autocast():
            encoder, _, _ = self.model.encoder.step(carry.encoder, carry.frame, vectors)
        nats = torch.zeros_like(moment.nats)
        return Moment(StepCarry(encoder, frame, state), nats, None, moment.time + 1)

    def uniforms(self, noise: SampleNoise) -> Tensor | None:
        """Return the next uniform numbers for ``step``, or None where frames are not sampled."""
        if self.prediction == "mean":
            return None
        size = self.model.config.frame_size
        return noise.uniforms(self.model.decoder.uniforms_per_pixel, size, size).to(self.device)

    def _predict(
        self, features: Tensor, centre: Tensor | None, uniforms: Tensor | None, nats: Tensor
    ) -> tuple[Tensor, Tensor]:
        if self.prediction == "mean":
            assert centre is not None
            return centre.round().clamp(0, 255).to(torch.uint8), torch.zeros_like(nats)
        if uniforms is None:
            raise InputError("a sampled frame needs uniform numbers; see pixelpush.image.noise.")
        return self.model.decoder.sample(features, centre, uniforms, self.temperature)

    def _autocast(self) -> torch.autocast:
        bf16 = self.precision == "bf16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=bf16)


def places(moment: Moment) -> Tensor:
    """Return the expected places (B, P, 2), column and row, of the pixels that are followed.

    >>> from pixelpush.vpn import build_model
    >>> world = World(build_model("push-ot-small", frame_size=16))
    >>> frames = torch.zeros(1, 2, 3, 16, 16, dtype=torch.uint8)
    >>> given = frames, torch.zeros(1, 2, 5), torch.zeros(1, 1, 5)
    >>> places(world.begin(*given, points=torch.tensor([[4, 8]]))).round().tolist()
    [[[4.0, 8.0]]]
    """
    assert moment.mass is not None
    return mean_place(moment.mass)


def _copies(value: object, count: int) -> object:
    if not isinstance(value, Tensor):
        return value
    return value.expand(count, *value.shape[1:]).contiguous()
