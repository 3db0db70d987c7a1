"""A past of the model's own making: the future that it samples from the context, frame by frame.

In a rollout the past is the model's own samples, with the strays that it draws where it is unsure.
Trained on true pasts alone it takes them for news, keeps them, and draws more beside them. Trained
to predict the true future from the very pasts that it makes, it learns to undo its errors (DAgger,
Ross et al. 2011; data as demonstrator, Venkatraman et al. 2015)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

if TYPE_CHECKING:
    from pixelpush.vpn.model import VideoPixelNetwork


class OwnPast(NamedTuple):
    """In the place of a past that is shown: the one that ``own_past`` makes.

    unlearnt: bool (B, T, H, W), pixels that teach nothing, None for none: where the truth has an
    object that the rollout has elsewhere.

    >>> OwnPast().unlearnt is None
    True
    """

    unlearnt: Tensor | None = None


@torch.no_grad()
def own_past(
    model: VideoPixelNetwork, frames: Tensor, states: Tensor, actions: Tensor, context: int
) -> Tensor:
    """Return uint8 (B, T, C, H, W): the context, then a rollout at temperature 1.

    The last frame is the true one, since it is nobody's past. States are the recorded ones; noise
    is of torch's own generator. frames, states, actions, context: as
    ``VideoPixelNetwork.log_prob`` takes them.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=16, channels=4, lstm_channels=4).eval()
    >>> frames = torch.zeros(1, 5, 3, 16, 16, dtype=torch.uint8)
    >>> past = own_past(model, frames, *torch.zeros(2, 1, 5, 5), context=2)
    >>> past.shape, int(past[:, :2].max())
    (torch.Size([1, 5, 3, 16, 16]), 0)
    """
    batch, length = frames.shape[:2]
    noise = batch, model.decoder.uniforms_per_pixel, *frames.shape[-2:]
    carry = model.begin(frames[:, :context], states[:, :context], actions)
    sampled = []
    for time in range(context, length - 1):
        uniforms = torch.rand(noise, device=frames.device)
        carry, _ = model.step(carry, actions[:, time - 1], uniforms)
        carry = carry._replace(state=states[:, time])
        sampled.append(carry.frame)
    shown = [*frames[:, :context].unbind(1), *sampled, frames[:, -1]]
    return torch.stack(shown, dim=1)
