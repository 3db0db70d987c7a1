"""Sampling the frames that follow given ones, step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from pixelpush.errors import InputError
from pixelpush.image.noise import SampleNoise
from pixelpush.settings import check_temperature
from pixelpush.vpn.carry import StepCarry
from pixelpush.vpn.checks import check_vectors, check_video

if TYPE_CHECKING:
    from pixelpush.vpn.model import VideoPixelNetwork

# Samples one frame: (carry, action, uniforms, temperature) -> (carry, nats).
Step = Callable[..., tuple[StepCarry, Tensor]]


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


def sample_rollout(
    model: VideoPixelNetwork,
    given: tuple[Tensor, Tensor, Tensor],
    sources: Sequence[torch.Generator],
    temperature: float,
    steps: int | None,
    step: Step,
    together: int,
) -> Rollout:
    """Carry out ``VideoPixelNetwork.rollout``, which describes the arguments.

    given: frames, states, actions. sources: what each sample's seed is drawn from. step: samples
    one frame.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0)
    >>> frames = torch.zeros(1, 2, 3, 8, 8, dtype=torch.uint8)
    >>> given = frames, torch.zeros(1, 2, 5), torch.zeros(1, 4, 5)
    >>> sources = [torch.Generator().manual_seed(0)]
    >>> sample_rollout(model, given, sources, 1.0, None, model.step, together=1).frames.shape
    torch.Size([1, 2, 3, 8, 8])
    """
    frames, states, actions = given
    batch, context = frames.shape[:2]
    config = model.config
    check_temperature(temperature)
    check_video(frames, config, context - 1)
    check_vectors("states", states, config.state_dim, batch, context)
    steps = actions.shape[1] - context if steps is None else steps
    check_vectors("actions", actions, config.action_dim, batch, context + max(steps, 0) - 1)
    if steps < 1:
        raise InputError(
            f"a rollout of {steps} frames: give at least {context + 1} actions or steps >= 1."
        )
    parts = []
    for first in range(0, batch, together):
        part = slice(first, first + together)
        noise = SampleNoise(sources[part], len(sources[part]))
        of_part = frames[part], states[part], actions[part]
        parts.append(_sample_part(model, of_part, noise, temperature, steps, step))
    return Rollout(
        torch.cat([part.frames for part in parts]),
        torch.cat([part.log_prob for part in parts]),
        torch.cat([part.states for part in parts]),
        model.decoder.evaluations,
    )


def _sample_part(
    model: VideoPixelNetwork,
    given: tuple[Tensor, Tensor, Tensor],
    noise: SampleNoise,
    temperature: float,
    steps: int,
    step: Step,
) -> Rollout:
    """Samples that go through the network at once. given: frames, states, actions."""
    frames, states, actions = given
    context = frames.shape[1]
    carry = model.begin(frames, states, actions)
    sampled = []
    scores = []
    taken = [states[:, time] for time in range(min(states.shape[1], context + steps))]
    size = model.config.frame_size
    # Frame t + 1 is sampled from frame t and action t.
    for time in range(context - 1, context - 1 + steps):
        uniforms = noise.uniforms(model.decoder.uniforms_per_pixel, size, size).to(frames.device)
        carry, score = step(carry, actions[:, time], uniforms, temperature)
        if time + 1 < len(taken):
            # A state that was given takes the place of the predicted one.
            carry = carry._replace(state=taken[time + 1])
        else:
            taken.append(carry.state)
        sampled.append(carry.frame)
        scores.append(score)
    return Rollout(
        torch.stack(sampled, dim=1),
        torch.stack(scores, dim=1),
        torch.stack(taken, dim=1),
        model.decoder.evaluations,
    )
