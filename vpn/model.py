"""The Video Pixel Network: a frame encoder over time and one decoder, with an exact likelihood and
a sampler."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from pixelpush.errors import InputError
from pixelpush.image.noise import SampleNoise, one_each
from pixelpush.settings import check_temperature
from pixelpush.vpn.carry import StepCarry
from pixelpush.vpn.config import VideoConfig
from pixelpush.vpn.decoders import KINDS
from pixelpush.vpn.encoder import FrameEncoder, VideoEncoder
from pixelpush.vpn.layered import LayeredEncoder
from pixelpush.vpn.layered.drawing import drawing_errors
from pixelpush.vpn.recompute import by_pieces
from pixelpush.vpn.state_predictor import StatePredictor
from pixelpush.vpn.stream import score_stream

# Weights of the drawing's error beside the nats, and in it of the drawn picture's error where the
# frame changes beside that of the composed one; both in nats per level.
DRAWING_WEIGHT = 0.1
CHANGED_WEIGHT = 0.2


def make_encoder(config: VideoConfig) -> VideoEncoder:
    """Return the frame encoder that the configuration names.

    >>> type(make_encoder(VideoConfig(encoder="layered"))).__name__
    'LayeredEncoder'
    """
    return LayeredEncoder(config) if config.encoder == "layered" else FrameEncoder(config)


@dataclass(frozen=True)
class Rollout:
    """Sampled futures.

    frames: uint8 (B, steps, C, H, W). log_prob: nats (B, steps, H, W) of these frames under the
    model (temperature 1), summed over channels. states: float32 (B, context + steps, S), given or
    predicted. network_evaluations: sequential network evaluations per frame.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0)
    >>> frames = torch.zeros(1, 2, 3, 8, 8, dtype=torch.uint8)
    >>> out = model.rollout(frames, torch.zeros(1, 2, 5), torch.zeros(1, 5, 5))
    >>> out.frames.shape
    torch.Size([1, 3, 3, 8, 8])
    """

    frames: Tensor
    log_prob: Tensor
    states: Tensor
    network_evaluations: int


class VideoPixelNetwork(nn.Module):
    """p(frames after the context | first frames, states, actions), an exact likelihood.

        log p = sum over t of log p(frame t | frames, states and actions before t)

    Within a frame the decoder's kind says how pixels depend on each other (Reed et al. 2017,
    equation 2 and section 4.3).

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0)
    >>> frames = torch.zeros(1, 5, 3, 8, 8, dtype=torch.uint8)
    >>> model.log_prob(frames, torch.zeros(1, 5, 5), torch.zeros(1, 5, 5)).shape
    torch.Size([1, 3, 8, 8])
    """

    family: ClassVar[str] = "video"
    state_mean: Tensor
    state_std: Tensor
    action_mean: Tensor
    action_std: Tensor

    def __init__(self, config: VideoConfig):
        super().__init__()
        self.config = config
        self.encoder = make_encoder(config)
        self.decoder = KINDS.find(config.kind).decoder(config, self.encoder.features)
        self.state_predictor = (
            StatePredictor(config.state_dim, config.action_dim) if config.state_dim else None
        )
        self.checkpointing = False
        for name, size in (("state", config.state_dim), ("action", config.action_dim)):
            self.register_buffer(f"{name}_mean", torch.zeros(size))
            self.register_buffer(f"{name}_std", torch.ones(size))

    # -- configuration
    # -------------------------------------------------------------------------------------------

    def set_normalisation(
        self, state_mean: Tensor, state_std: Tensor, action_mean: Tensor, action_std: Tensor
    ) -> None:
        """Statistics of the training split, in the data's own units.

        An entry that does not vary, its deviation below 1e-6, is scaled by 1: divided by next to
        nothing, the smallest difference elsewhere would swamp the network."""
        given = {
            "state_mean": state_mean,
            "state_std": state_std,
            "action_mean": action_mean,
            "action_std": action_std,
        }
        for name, value in given.items():
            buffer = getattr(self, name)
            if tuple(value.shape) != tuple(buffer.shape):
                raise InputError(
                    f"{name} has shape {tuple(value.shape)}, the model needs {tuple(buffer.shape)}."
                )
            buffer.copy_(value.where(value > 1e-6, 1.0) if name.endswith("std") else value)

    def set_checkpointing(self, on: bool) -> None:
        """Recompute all but the LSTM's activations in the backward pass, or do not.

        It takes less memory, for about a third more arithmetic."""
        self.checkpointing = on

    # -- likelihood
    # ----------------------------------------------------------------------------------------------

    def log_prob(self, frames: Tensor, states: Tensor, actions: Tensor, context: int = 2) -> Tensor:
        """Return the nats per pixel (B, T - context, H, W) of every frame after the context.

        They are summed over channels. frames: uint8 (B, T, C, H, W); states: float32 (B, T, S);
        actions: float32 (B, T, A). The last frame's state and action condition nothing. Raises
        InputError on wrong types or shapes and when T <= context."""
        return self._decode(*self._encode(frames, states, actions, context))

    def score_stream(
        self,
        frames: Tensor | Iterable[Tensor],
        states: Tensor | Iterable[Tensor],
        actions: Tensor | Iterable[Tensor],
        context: int = 2,
    ) -> Iterator[Tensor]:
        """Nats per pixel (B, H, W) of one frame after another, each as soon as it is there.

        Each argument is what ``log_prob`` takes, or anything that yields its time steps, a camera
        for one: frames uint8 (B, C, H, W), states (B, S), actions (B, A). A frame's action may
        come with it: it conditions only later frames. The first ``context`` frames are taken in
        silently. Equal to ``-log_prob`` of the whole video (float32: 1e-4 nats per pixel); a live
        stream may go on for ever, in constant memory. Raises InputError on wrong types or shapes.

        >>> from pixelpush.vpn import build_model
        >>> model = build_model("ot", frame_size=16, channels=4, lstm_channels=4).eval()
        >>> frames = torch.zeros(1, 5, 3, 16, 16, dtype=torch.uint8)
        >>> [tuple(n.shape) for n in model.score_stream(frames, *torch.zeros(2, 1, 5, 5))]
        [(1, 16, 16), (1, 16, 16), (1, 16, 16)]
        """
        return score_stream(self, frames, states, actions, context)

    def training_loss(
        self,
        frames: Tensor,
        states: Tensor,
        actions: Tensor,
        context: int = 2,
        history: Tensor | None = None,
        pairs: tuple[Tensor, Tensor, Tensor] | None = None,
    ) -> dict[str, Tensor]:
        """Return 'loss' to minimise and the figures that it is made of.

        The figures are 'nats_per_subpixel', 'state_error' (mean squared, in standard deviations)
        and, where the model composes a picture, 'motion_error': the picture's mean distance from
        the frame, in levels.

        history: what the model is shown in place of ``frames`` as the past; the frames that are
        scored stay ``frames``. pairs: what ``drawing_loss`` takes, for models that draw the arm;
        nothing else teaches them to."""
        shown = frames if history is None else history
        _, features, centres = self._encode(shown, states, actions, context)
        target = frames[:, context:]
        nats = -self._decode(target, features, centres).mean() / self.config.colours
        errors = {"state_error": self._state_error(states, actions)}
        loss = nats + errors["state_error"]
        if self.config.composes and centres is not None:
            errors["motion_error"] = (centres - target.float()).abs().mean()
            loss = loss + self.config.motion_weight * errors["motion_error"]
        if pairs is not None:
            drawn, errors["drawing_error"] = self.drawing_loss(*pairs)
            loss = loss + DRAWING_WEIGHT * drawn
        return {
            "loss": loss,
            "nats_per_subpixel": nats.detach(),
            **{k: v.detach() for k, v in errors.items()},
        }

    def drawing_loss(
        self, frames: Tensor, states: Tensor, actions: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return (loss of the drawing alone, its distance in levels from what changes).

        frames: pairs uint8 (B, 2, C, H, W), an episode's first and any later one. states, actions:
        (B, 1, ...), just before the later one."""
        assert isinstance(self.encoder, LayeredEncoder)
        drawn = self.encoder.draw(frames[:, 0], self._vectors(states, actions))
        composed, changed = drawing_errors(drawn, frames[:, 1], frames[:, 0].float())
        return composed + CHANGED_WEIGHT * changed, changed

    def forward(
        self,
        frames: Tensor,
        states: Tensor,
        actions: Tensor,
        context: int = 2,
        history: Tensor | None = None,
        pairs: tuple[Tensor, Tensor, Tensor] | None = None,
    ) -> dict[str, Tensor]:
        return self.training_loss(frames, states, actions, context, history, pairs)

    # -- sampling
    # ----------------------------------------------------------------------------------------------

    @torch.no_grad()
    def rollout(
        self,
        frames: Tensor,
        states: Tensor,
        actions: Tensor,
        generator: torch.Generator | Sequence[torch.Generator] | None = None,
        temperature: float = 1.0,
        steps: int | None = None,
        step: Callable[..., tuple[StepCarry, Tensor]] | None = None,
        together: int | None = None,
    ) -> Rollout:
        """Sample the frames that follow ``frames``, uint8 (B, context, C, H, W).

        actions: (B, T', A), action t leading from frame t to t+1; steps frames need context + steps
        - 1 of them (one more may be given, as recorded episodes do). states: (B, >= context, S);
        those after the given are predicted. steps: default T' - context. generator: one CPU
        generator per sample, or one from which a seed per sample is drawn in order. step: what
        samples one frame, default ``self.step``; see ``pixelpush.vpn.graph``. temperature: see
        ``PixelDistribution.sample``.

        together: how many samples go through the network at once. Left out: one on a CPU, all on a
        GPU and with ``step``. A sample is the same, to the byte, in any batch if ``together`` is;
        other numbers of samples round differently, by one level here and there, and what is
        sampled later follows. Raises InputError where actions are missing, saying how many."""
        batch, context = frames.shape[:2]
        self._check_video(frames, context - 1)
        self._check_vectors("states", states, self.config.state_dim, batch, context)
        steps = actions.shape[1] - context if steps is None else steps
        self._check_vectors(
            "actions", actions, self.config.action_dim, batch, context + max(steps, 0) - 1
        )
        if steps < 1:
            raise InputError(
                f"a rollout of {steps} frames: give at least {context + 1} actions or steps >= 1."
            )
        check_temperature(temperature)
        if together is None:
            together = 1 if step is None and frames.device.type == "cpu" else batch
        if together < batch:
            sources = one_each(generator, batch)
            parts = [slice(first, first + together) for first in range(0, batch, together)]
            return _joined(
                [
                    self.rollout(
                        frames[part],
                        states[part],
                        actions[part],
                        sources[part],
                        temperature,
                        steps,
                        step,
                        together,
                    )
                    for part in parts
                ]
            )
        noise = SampleNoise(generator, batch)
        carry = self.begin(frames, states, actions)
        sampled = []
        scores = []
        taken = [states[:, time] for time in range(min(states.shape[1], context + steps))]
        sample_frame = step or self.step
        size = self.config.frame_size
        for time in range(context - 1, context - 1 + steps):
            uniforms = noise.uniforms(self.decoder.uniforms_per_pixel, size, size).to(frames.device)
            carry, score = sample_frame(carry, actions[:, time], uniforms, temperature)
            if time + 1 < len(taken):
                carry = carry._replace(state=taken[time + 1])
            else:
                taken.append(carry.state)
            sampled.append(carry.frame)
            scores.append(score)
        return Rollout(
            torch.stack(sampled, dim=1),
            torch.stack(scores, dim=1),
            torch.stack(taken, dim=1),
            self.decoder.evaluations,
        )

    @torch.no_grad()
    def begin(self, frames: Tensor, states: Tensor, actions: Tensor) -> StepCarry:
        """Return the carry before the first sampled frame.

        All context frames but the last have entered the encoder."""
        encoder = self.encoder.initial(frames.shape[0], frames.device)
        context = frames.shape[1]
        for time in range(context - 1):
            vectors = self._vectors(states[:, time], actions[:, time])
            encoder, _, _ = self.encoder.step(encoder, frames[:, time], vectors)
        return StepCarry(encoder, frames[:, context - 1], states[:, context - 1])

    @torch.no_grad()
    def step(
        self,
        carry: StepCarry,
        action: Tensor,
        uniforms: Tensor,
        temperature: float = 1.0,
        sample: Callable[..., tuple[Tensor, Tensor]] | None = None,
    ) -> tuple[StepCarry, Tensor]:
        """Sample one frame and return the carry that holds it and its nats (B, H, W).

        The carry's state is the predicted one. action: (B, A). uniforms: (B, uniforms_per_pixel, H,
        W). sample: a sampler with the arguments of ``Decoder.sample``, default the decoder's own.
        The step is a pure function with static shapes, so that it can be captured in a graph."""
        encoder, features, centre = self.encoder.step(
            carry.encoder, carry.frame, self._vectors(carry.state, action)
        )
        draw = sample or self.decoder.sample
        frame, score = draw(features, centre, uniforms, temperature)
        return StepCarry(encoder, frame, self._next_state(carry.state, action)), score

    # -- pieces
    # ----------------------------------------------------------------------------------------------

    def _encode(
        self, frames: Tensor, states: Tensor, actions: Tensor, context: int
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """What ``_decode`` takes, checked: the frames after the context, and what each is predicted
        from."""
        if context < 1:
            raise InputError(
                f"context {context}: the first frame has nothing to be predicted from; give at "
                "least 1."
            )
        self._check_video(frames, context)
        batch, length = frames.shape[:2]
        self._check_vectors("states", states, self.config.state_dim, batch, length - 1)
        self._check_vectors("actions", actions, self.config.action_dim, batch, length - 1)
        past = slice(0, length - 1)
        future = slice(context - 1, None)
        vectors = self._vectors(states[:, past], actions[:, past])
        features, centres = self.encoder(frames[:, past], vectors, self._recomputes())
        return (
            frames[:, context:],
            features[:, future],
            None if centres is None else centres[:, future],
        )

    def _decode(self, frames: Tensor, features: Tensor, centres: Tensor | None) -> Tensor:
        """Nats (B, T, H, W) of frames (B, T, C, H, W)."""
        inputs = (
            frames.flatten(0, 1),
            features.flatten(0, 1),
            None if centres is None else centres.flatten(0, 1),
        )
        scores = (
            by_pieces(self.decoder.log_prob, *inputs)
            if self._recomputes()
            else self.decoder.log_prob(*inputs)
        )
        return scores.unflatten(0, frames.shape[:2])

    def _recomputes(self) -> bool:
        return self.checkpointing and torch.is_grad_enabled()

    def _next_state(self, state: Tensor, action: Tensor) -> Tensor:
        """Predicted state one step ahead, both in the data's units: (B, S), (B, A) -> (B, S)."""
        if self.state_predictor is None:
            return state
        predicted = self.state_predictor(
            self._normalise(state, "state"), self._normalise(action, "action")
        )
        return predicted * self.state_std + self.state_mean

    def _state_error(self, states: Tensor, actions: Tensor) -> Tensor:
        if self.state_predictor is None or states.shape[1] < 2:
            return torch.zeros((), device=states.device)
        states = self._normalise(states, "state")
        actions = self._normalise(actions, "action")
        predicted = self.state_predictor(states[:, :-1], actions[:, : states.shape[1] - 1])
        return (predicted - states[:, 1:]).square().mean()

    def _vectors(self, states: Tensor, actions: Tensor) -> Tensor:
        """What enters the encoder with each frame: (..., S), (..., A) in the data's units -> (...,
        V), normalised."""
        parts = [self._normalise(states, "state"), self._normalise(actions, "action")]
        if self.config.sees_change:
            # One step's motion is a fraction of the spread of all states: four times makes it of
            # order one.
            parts.append(4 * (actions.float() - states.float()) / self.state_std)
        return torch.cat(parts, dim=-1)

    def _normalise(self, vectors: Tensor, name: str) -> Tensor:
        return (vectors.float() - getattr(self, f"{name}_mean")) / getattr(self, f"{name}_std")

    def _check_video(self, frames: Tensor, context: int) -> None:
        c = self.config
        expected = (c.colours, c.frame_size, c.frame_size)
        if frames.dtype != torch.uint8 or frames.ndim != 5 or tuple(frames.shape[2:]) != expected:
            raise InputError(
                f"frames must be uint8 (B, T, {', '.join(map(str, expected))}), got {frames.dtype} "
                f"{tuple(frames.shape)}; prepare the data at the model's frame size."
            )
        if frames.shape[1] <= max(context, 0):
            raise InputError(
                f"{frames.shape[1]} frames do not exceed the context of {context}; give longer "
                "episodes."
            )

    def _check_vectors(
        self, name: str, vectors: Tensor, size: int, batch: int, needed: int
    ) -> None:
        if vectors.ndim != 3 or vectors.shape[0] != batch or vectors.shape[2] != size:
            raise InputError(
                f"{name} must be ({batch}, T, {size}) for this model, got {tuple(vectors.shape)}; "
                f"the model was built with {name[:-1]}_dim={size}."
            )
        if vectors.shape[1] < needed:
            missing = needed - vectors.shape[1]
            raise InputError(f"{name} end too early: {missing} of the {needed} needed are missing.")


def _joined(parts: Sequence[Rollout]) -> Rollout:
    """The rollouts of consecutive samples as one."""
    return Rollout(
        torch.cat([part.frames for part in parts]),
        torch.cat([part.log_prob for part in parts]),
        torch.cat([part.states for part in parts]),
        parts[0].network_evaluations,
    )
