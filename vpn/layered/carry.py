"""What passes from frame to frame in the layered encoder."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from pixelpush.vpn.encoder import EncoderCarry
from pixelpush.vpn.layered.memory import Memory
from pixelpush.vpn.layered.objects import Objects


class LayeredCarry(NamedTuple):
    """What passes from frame to frame in the layered encoder.

    lstm: the ConvLSTM's carry. memory: of what is still. code: (B, K), of the first frame, and
    pose: (B, P), of the way since (drawing.py). seen: (B, 1), 0 before the first frame. mask,
    shade: (B, 1, H, W), of the arm that was drawn for the frame that comes next. objects: as they
    were led to that frame, None where the model has none.

    >>> import torch
    >>> from pixelpush.vpn.config import VideoConfig
    >>> from pixelpush.vpn.layered import LayeredEncoder
    >>> encoder = LayeredEncoder(VideoConfig(frame_size=8, coarse_scales=0, encoder="layered"))
    >>> encoder.initial(2, torch.device("cpu")).seen.shape
    torch.Size([2, 1])
    """

    lstm: EncoderCarry
    memory: Memory
    code: Tensor
    pose: Tensor
    seen: Tensor
    mask: Tensor
    shade: Tensor
    objects: Objects | None = None
