"""The Video Pixel Network: a frame encoder over time and one decoder, with an exact likelihood and
a sampler."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn

from pixelpush.errors import InputError
from pixelpush.image.expected_error import MeanPenalty, penalised
from pixelpush.image.noise import one_each
from pixelpush.vpn.carry import StepCarry
from pixelpush.vpn.checks import check_vectors, check_video
from pixelpush.vpn.config import VideoConfig
from pixelpush.vpn.decoders import KINDS
from pixelpush.vpn.encoders import make_encoder
from pixelpush.vpn.layered.drawing import DrawingLesson
from pixelpush.vpn.losses import Past, drawing_loss, object_loss, training_loss
from pixelpush.vpn.own_past import OwnPast, own_past
from pixelpush.vpn.recompute import by_pieces
from pixelpush.vpn.rollout import Rollout, Step, sample_rollout
from pixelpush.vpn.state_predictor import StatePredictor
from pixelpush.vpn.stream import score_stream


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
        return self.decode(*self.predicted(frames, states, actions, context))

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
        history: Tensor | OwnPast | None = None,
        lesson: DrawingLesson | None = None,
        labels: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Return 'loss' to minimise and the figures that it is made of.

        The figures are 'nats_per_subpixel', 'state_error' (mean squared, in standard deviations, of
        one step, plus of all steps from the first state) and, where the model composes a picture,
        'motion_error': the picture's mean distance from the frame, in levels. Where the
        configuration weighs it, 'error_penalty' is the penalty on expected errors, nats.

        history: what the model is shown in place of ``frames`` as the past; the frames that are
        scored stay ``frames``. An ``OwnPast`` is sampled from ``frames``. lesson: for models that
        draw the arm; nothing else teaches them to. labels: (B, T, N, 2), for models with objects:
        the true places, which they then follow."""
        clip = frames, states, actions
        unlearnt = None
        if isinstance(history, OwnPast):
            unlearnt = history.unlearnt
            history = own_past(self, *clip, context)
        return training_loss(self, clip, context, Past(history, unlearnt, labels), lesson)

    def drawing_lesson(
        self, first: Tensor, states: Tensor, actions: Tensor, *rest: Tensor
    ) -> DrawingLesson:
        """A lesson of states (B, T, S) and actions (B, T, A) in the data's units.

        rest: times, frames, behind, as ``DrawingLesson`` has them."""
        return DrawingLesson(first, self.vectors(states, actions), *rest)

    def forward(
        self,
        frames: Tensor | None = None,
        states: Tensor | None = None,
        actions: Tensor | None = None,
        context: int = 2,
        history: Tensor | OwnPast | None = None,
        lesson: tuple[Tensor, ...] | None = None,
        labels: Tensor | None = None,
        objects: tuple[Tensor, ...] | None = None,
    ) -> dict[str, Tensor]:
        """What training minimises: ``training_loss``, with its arguments.

        lesson: the arguments of ``drawing_lesson``. Without a clip it is all that is learnt: then
        the result has 'loss' and 'drawing_error'. objects: the arguments of ``object_loss``, which
        is all that is learnt where they are given."""
        if objects is not None:
            return object_loss(self, *objects)
        taught = None if lesson is None else self.drawing_lesson(*lesson)
        if frames is not None and states is not None and actions is not None:
            clip = frames, states, actions, context
            return self.training_loss(*clip, history, taught, labels)
        assert taught is not None
        loss, error = drawing_loss(self, taught)
        return {"loss": loss, "drawing_error": error.detach()}

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
        step: Step | None = None,
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
        batch = frames.shape[0]
        if together is None:
            together = 1 if step is None and frames.device.type == "cpu" else batch
        sources = one_each(generator, batch)
        sample = step or self.step
        given = frames, states, actions
        return sample_rollout(self, given, sources, temperature, steps, sample, together)

    @torch.no_grad()
    def begin(self, frames: Tensor, states: Tensor, actions: Tensor) -> StepCarry:
        """Return the carry before the first sampled frame.

        All context frames but the last have entered the encoder."""
        encoder = self.encoder.initial(frames.shape[0], frames.device)
        context = frames.shape[1]
        for time in range(context - 1):
            vectors = self.vectors(states[:, time], actions[:, time])
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
            carry.encoder, carry.frame, self.vectors(carry.state, action)
        )
        draw = sample or self.decoder.sample
        frame, score = draw(features, centre, uniforms, temperature)
        return StepCarry(encoder, frame, self._next_state(carry.state, action)), score

    # -- pieces
    # ----------------------------------------------------------------------------------------------

    def predicted(
        self,
        frames: Tensor,
        states: Tensor,
        actions: Tensor,
        context: int,
        labels: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """What the decoder takes: the frames after the context, and what each is predicted from.

        Frames (B, T - context, C, H, W), features (B, T - context, D, g, g) and composed pictures
        of the frames' shape, or None. Raises InputError as ``log_prob`` does."""
        if context < 1:
            raise InputError(
                f"context {context}: the first frame has nothing to be predicted from; give at "
                "least 1."
            )
        check_video(frames, self.config, context)
        batch, length = frames.shape[:2]
        check_vectors("states", states, self.config.state_dim, batch, length - 1)
        check_vectors("actions", actions, self.config.action_dim, batch, length - 1)
        past = slice(0, length - 1)
        future = slice(context - 1, None)
        vectors = self.vectors(states[:, past], actions[:, past])
        known = () if labels is None else (labels,)
        features, centres = self.encoder(frames[:, past], vectors, self._recomputes(), *known)
        return (
            frames[:, context:],
            features[:, future],
            None if centres is None else centres[:, future],
        )

    def decode(
        self,
        frames: Tensor,
        features: Tensor,
        centres: Tensor | None,
        found: MeanPenalty | None = None,
    ) -> Tensor:
        """Log-probability (B, T, H, W) of frames (B, T, C, H, W), given what ``predicted`` returns.

        found: lower it by the penalty on expected errors, and count that there (``penalised``)."""
        inputs = (
            frames.flatten(0, 1),
            features.flatten(0, 1),
            None if centres is None else centres.flatten(0, 1),
        )
        log_prob = self.decoder.log_prob
        if found is not None:
            log_prob = partial(self._penalised_log_prob, found)
        scores = by_pieces(log_prob, *inputs) if self._recomputes() else log_prob(*inputs)
        return scores.unflatten(0, frames.shape[:2])

    def _penalised_log_prob(
        self, found: MeanPenalty, frame: Tensor, features: Tensor, centre: Tensor | None
    ) -> Tensor:
        # Within the function that is recomputed, so that the backward pass sees the same.
        with penalised(self.decoder, self.config.error_weight, found):
            return self.decoder.log_prob(frame, features, centre)

    def _recomputes(self) -> bool:
        return self.checkpointing and torch.is_grad_enabled()

    def _next_state(self, state: Tensor, action: Tensor) -> Tensor:
        """Predicted state one step ahead, both in the data's units: (B, S), (B, A) -> (B, S)."""
        if self.state_predictor is None:
            return state
        predicted = self.state_predictor(
            self.normalise(state, "state"), self.normalise(action, "action")
        )
        return predicted * self.state_std + self.state_mean

    def vectors(self, states: Tensor, actions: Tensor) -> Tensor:
        """Return what enters the encoder with each frame, normalised: (..., V).

        states: (..., S), actions: (..., A), in the data's units."""
        parts = [self.normalise(states, "state"), self.normalise(actions, "action")]
        if self.config.sees_change:
            # One step's motion is a fraction of the spread of all states: four times makes it of
            # order one.
            parts.append(4 * (actions.float() - states.float()) / self.state_std)
        return torch.cat(parts, dim=-1)

    def normalise(self, vectors: Tensor, name: str) -> Tensor:
        return (vectors.float() - getattr(self, f"{name}_mean")) / getattr(self, f"{name}_std")
