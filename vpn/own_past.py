"""A past of the model's own making: its samples of every frame, each drawn from the true past.

In a rollout the past is the model's own samples, with the strays that it draws where it is unsure.
Trained on true pasts alone it takes them for news. Here each frame is one step away from the truth
("anchored" histories: the target stays possible), but strays stay for some frames, as a rollout's
do where its memory has taken them for real."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from pixelpush.vpn.model import VideoPixelNetwork

# Levels by which a sample is off, or by which the truth changes.
_STRAY = 8.0
# Of the strays, the share that is still there a frame later.
_STAYS = 0.8


@torch.no_grad()
def own_past(
    model: VideoPixelNetwork, frames: Tensor, states: Tensor, actions: Tensor, context: int
) -> Tensor:
    """Return uint8 (B, T, C, H, W): the context, then samples of the frames after it.

    Each is sampled at temperature 1 from the true frames before it, with torch's own generator.
    frames, states, actions, context: as ``VideoPixelNetwork.log_prob`` takes them.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=16, channels=4, lstm_channels=4).eval()
    >>> frames = torch.zeros(1, 5, 3, 16, 16, dtype=torch.uint8)
    >>> past = own_past(model, frames, *torch.zeros(2, 1, 5, 5), context=2)
    >>> past.shape, int(past[:, :2].max())
    (torch.Size([1, 5, 3, 16, 16]), 0)
    """
    true, features, centres = model.predicted(frames, states, actions, context)
    sizes = true.shape[:2]
    uniforms = torch.rand(
        sizes.numel(), model.decoder.uniforms_per_pixel, *true.shape[-2:], device=true.device
    )
    centre = None if centres is None else centres.flatten(0, 1)
    samples, _ = model.decoder.sample(features.flatten(0, 1), centre, uniforms, 1.0)
    lasting = leave_strays(samples.unflatten(0, sizes), true)
    return torch.cat((frames[:, :context], lasting), dim=1)


def leave_strays(samples: Tensor, true: Tensor) -> Tensor:
    """Samples (B, T, C, H, W) in which strays stay while the true picture does not change there.

    >>> true = torch.full((1, 8, 1, 1, 1), 50, dtype=torch.uint8)
    >>> samples = true.clone()
    >>> samples[:, 1] = 90
    >>> stays = leave_strays(samples, true).flatten().tolist()
    >>> stays[:2], set(stays[2:]) <= {50, 90}
    ([50, 90], True)
    """
    shown = [samples[:, 0]]
    held = _differ(samples[:, 0], true[:, 0])
    for time in range(1, samples.shape[1]):
        new = _differ(samples[:, time], true[:, time])
        still = ~_differ(true[:, time], true[:, time - 1])
        stays = torch.rand(held.shape, device=held.device) < _STAYS
        held = held & still & stays & ~new
        shown.append(torch.where(held, shown[-1], samples[:, time]))
        held = held | new
    return torch.stack(shown, dim=1)


def _differ(a: Tensor, b: Tensor) -> Tensor:
    """Where two uint8 frames (B, C, H, W) differ by more than noise: bool (B, 1, H, W)."""
    return (a.float() - b.float()).abs().amax(dim=1, keepdim=True) > _STRAY
