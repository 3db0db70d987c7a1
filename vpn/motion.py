"""Where things go: the last frame, moved by a predicted flow, laid over the running mean by a
predicted mask.

Distributions that are centred on this picture need not learn to redraw what merely moves. Moving
pixels of the last frame is an old idea of action-conditioned prediction (Finn et al. 2016); here it
shifts means only, and the likelihood stays exact."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelpush.image.layers import zero

# Pixels of flow that one unit of the network's output stands for.
FLOW_UNIT = 4.0


class Motion(nn.Module):
    """The network that moves the last frame over the running mean.

        picture = mean + sigmoid(mask) (warp(frame, flow) - mean)

    features: (N, D, g, g), which flow and mask are computed from. frame, mean: (N, C, H, W) in
    levels. The picture is float32 (N, C, H, W).

    >>> frame = torch.full((1, 3, 8, 8), 100.0)
    >>> Motion(features=4, patch=2)(torch.zeros(1, 4, 4, 4), frame, frame)[0, 0, 0, 0].item()
    100.0
    """

    def __init__(self, features: int, patch: int, hidden: int = 32):
        super().__init__()
        self.enter = nn.Conv2d(features, hidden, 3, padding=1)
        self.leave = nn.Conv2d(hidden, 3 * patch**2, 1)
        self.patch = patch
        zero(self.leave)  # at first: no flow, and half of the last frame over the mean

    def forward(self, features: Tensor, frame: Tensor, mean: Tensor) -> Tensor:
        flow, mask = self.flow_and_mask(features)
        with torch.autocast(features.device.type, enabled=False):
            return mean + mask * (warp(frame.float(), flow) - mean)

    def flow_and_mask(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return the flow (N, 2, H, W) in pixels and the mask (N, 1, H, W), float32."""
        hidden = F.pixel_shuffle(self.leave(F.silu(self.enter(features))), self.patch)
        flow, mask = hidden.float().split((2, 1), dim=1)
        return FLOW_UNIT * flow, torch.sigmoid(mask)


def warp(frame: Tensor, flow: Tensor) -> Tensor:
    """Read every pixel of a frame ``flow`` pixels away, bilinearly.

    frame: float32 (N, C, H, W). flow: (N, 2, H, W), columns and rows. Beyond the border its nearest
    pixel is read.

    >>> frame = torch.arange(4.0).view(1, 1, 1, 4)
    >>> flow = torch.tensor([1.0, 0.0]).view(1, 2, 1, 1).expand(1, 2, 1, 4)
    >>> warp(frame, flow)[0, 0, 0].round(decimals=3).tolist()
    [1.0, 2.0, 3.0, 3.0]
    """
    height, width = frame.shape[-2:]
    columns = torch.arange(width, device=frame.device) + 0.5 + flow[:, 0]
    rows = torch.arange(height, device=frame.device)[:, None] + 0.5 + flow[:, 1]
    places = torch.stack((2 * columns / width - 1, 2 * rows / height - 1), dim=-1)
    return F.grid_sample(frame, places, mode="bilinear", padding_mode="border", align_corners=False)
