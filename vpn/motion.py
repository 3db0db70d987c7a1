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
    # align_corners=False: -1 and 1 are the outer edges; the centre of pixel i is (2 i + 1) / size -
    # 1.
    columns = torch.arange(width, device=frame.device) + 0.5 + flow[:, 0]
    rows = torch.arange(height, device=frame.device)[:, None] + 0.5 + flow[:, 1]
    places = torch.stack((2 * columns / width - 1, 2 * rows / height - 1), dim=-1)
    if torch.are_deterministic_algorithms_enabled() and frame.device.type != "cpu":
        return ReproducibleSample.apply(frame, places)
    return _sampled(frame, places)


def _sampled(frame: Tensor, places: Tensor) -> Tensor:
    return F.grid_sample(frame, places, mode="bilinear", padding_mode="border", align_corners=False)


class ReproducibleSample(torch.autograd.Function):
    """``F.grid_sample`` (bilinear, to the border) with a backward pass that is the same every time.

    PyTorch's own adds into the frame's gradient in an order that varies on a GPU, and is refused
    there under ``torch.use_deterministic_algorithms``.

    >>> frame = torch.arange(4.0).view(1, 1, 2, 2).requires_grad_()
    >>> ReproducibleSample.apply(frame, torch.zeros(1, 1, 1, 2)).sum().backward()
    >>> frame.grad.flatten().tolist()
    [0.25, 0.25, 0.25, 0.25]
    """

    @staticmethod
    def forward(ctx, frame: Tensor, places: Tensor) -> Tensor:
        ctx.save_for_backward(frame, places)
        return _sampled(frame, places)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:  # type: ignore[override]
        frame, places = ctx.saved_tensors
        height, width = frame.shape[-2:]
        left, right, across, slope_x = _corners(places[..., 0], width)
        top, bottom, down, slope_y = _corners(places[..., 1], height)
        for_frame = for_places = None
        if ctx.needs_input_grad[0]:
            # out = sum over the four corners of share x pixel: the gradient of a pixel is the sum
            # of share x gradient over all places that read it.
            corners = (
                (top, left, (1 - down) * (1 - across)),
                (top, right, (1 - down) * across),
                (bottom, left, down * (1 - across)),
                (bottom, right, down * across),
            )
            by_place = torch.zeros_like(frame).permute(0, 2, 3, 1).contiguous()
            image = torch.arange(len(frame), device=frame.device)[:, None, None]
            for row, column, share in corners:
                added = (gradient * share[:, None]).permute(0, 2, 3, 1)
                by_place.index_put_((image, row, column), added, accumulate=True)
            for_frame = by_place.permute(0, 3, 1, 2)
        if ctx.needs_input_grad[1]:
            # d out / dx is the difference of the right and the left pixels, blended down; d out /
            # dy that of the lower and the upper ones, blended across.
            upper = _read(frame, top, right) - _read(frame, top, left)
            lower = _read(frame, bottom, right) - _read(frame, bottom, left)
            before = _read(frame, bottom, left) - _read(frame, top, left)
            after = _read(frame, bottom, right) - _read(frame, top, right)
            along_x = (gradient * torch.lerp(upper, lower, down[:, None])).sum(1) * slope_x
            along_y = (gradient * torch.lerp(before, after, across[:, None])).sum(1) * slope_y
            for_places = torch.stack((along_x, along_y), dim=-1)
        return for_frame, for_places


def _corners(places: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(lower index, upper index, share of the upper, pixels per unit) along one axis.

    Beyond the border the picture does not change with the place."""
    # Inverse of the map in ``warp``: pixel centres are at whole numbers.
    position = ((places + 1) * size - 1) / 2
    inside = (position > 0) & (position < size - 1)
    position = position.clamp(0, size - 1)
    lower = position.floor()
    upper = (lower + 1).clamp(max=size - 1)
    return lower.long(), upper.long(), position - lower, inside * (size / 2)


def _read(frame: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """(N, C, h, w) of a frame (N, C, H, W) at indices (N, h, w)."""
    index = (rows * frame.shape[3] + columns).flatten(1)[:, None].expand(-1, frame.shape[1], -1)
    return frame.flatten(2).gather(2, index).unflatten(2, rows.shape[1:])
