"""Scoring a video while it comes in: one frame at a time, with a carry, as a robot sees it.

Each frame costs one step of the encoder and one look of the decoder; nothing is computed twice and
nothing grows with time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from pixelpush.errors import InputError
from pixelpush.vpn.checks import check_vectors, check_video

if TYPE_CHECKING:
    from pixelpush.vpn.model import VideoPixelNetwork


class StreamCarry(NamedTuple):
    """What passes from one frame to the next, as a value outside the model.

    encoder: the encoder's own carry. features, centre: what the next frame is predicted from; None
    before the first frame. seen: frames so far. batch: videos at once.

    >>> StreamCarry(encoder=None).seen
    0
    """

    encoder: Any
    features: Tensor | None = None
    centre: Tensor | None = None
    seen: int = 0
    batch: int = 1


def stream_start(model: VideoPixelNetwork, batch: int = 1) -> StreamCarry:
    """Return the carry before the first frame.

    >>> from pixelpush.vpn import build_model
    >>> stream_start(build_model("ot", frame_size=8, coarse_scales=0)).features is None
    True
    """
    device = next(model.parameters()).device
    return StreamCarry(model.encoder.initial(batch, device), batch=batch)


@torch.no_grad()
def stream_step(
    model: VideoPixelNetwork, carry: StreamCarry, frame: Tensor, state: Tensor, action: Tensor
) -> tuple[StreamCarry, Tensor | None]:
    """Take one frame in and return (new carry, its nats (B, H, W), None for the very first frame).

    frame: uint8 (B, C, H, W). state: (B, S), at the frame. action: (B, A), commanded at it and
    leading to the next one.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0)
    >>> given = torch.zeros(1, 3, 8, 8).byte(), torch.zeros(1, 5), torch.zeros(1, 5)
    >>> carry, nothing = stream_step(model, stream_start(model), *given)
    >>> stream_step(model, carry, *given)[1].shape
    torch.Size([1, 8, 8])
    """
    nats = None
    if carry.features is not None:
        nats = -model.decoder.log_prob(frame, carry.features, carry.centre)
    vectors = model.vectors(state, action)
    encoder, features, centre = model.encoder.step(carry.encoder, frame, vectors)
    return StreamCarry(encoder, features, centre, carry.seen + 1, carry.batch), nats


def score_stream(
    model: VideoPixelNetwork,
    frames: Tensor | Iterable[Tensor],
    states: Tensor | Iterable[Tensor],
    actions: Tensor | Iterable[Tensor],
    context: int = 2,
) -> Iterator[Tensor]:
    """Score a video while it comes in; see ``VideoPixelNetwork.score_stream``.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0)
    >>> frames = torch.zeros(1, 4, 3, 8, 8, dtype=torch.uint8)
    >>> len(list(score_stream(model, frames, torch.zeros(1, 4, 5), torch.zeros(1, 4, 5))))
    2
    """
    if context < 1:
        raise InputError(f"context {context}: the first frame has nothing to be predicted from.")
    carry = None
    for frame, state, action in zip(
        *(_by_time(source) for source in (frames, states, actions)), strict=False
    ):
        check_video(frame[:, None], model.config, 0)
        for name, vector in (("state", state), ("action", action)):
            size = getattr(model.config, f"{name}_dim")
            check_vectors(f"{name}s", vector[:, None], size, len(frame), 1)
        carry = carry or stream_start(model, len(frame))
        if len(frame) != carry.batch:
            raise InputError(
                f"frame {carry.seen} is a batch of {len(frame)}, the ones before it were of "
                f"{carry.batch}."
            )
        number = carry.seen
        carry, nats = stream_step(model, carry, frame, state, action)
        if nats is not None and number >= context:
            yield nats


def _by_time(source: Tensor | Iterable[Tensor]) -> Iterable[Tensor]:
    return source.unbind(1) if isinstance(source, Tensor) else source
