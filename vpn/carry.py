"""What passes from one sampled frame to the next."""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import Tensor


class StepCarry(NamedTuple):
    """Everything that passes from one sampled frame to the next, as a value outside the model.

    encoder: the frame encoder's carry after all earlier frames. frame: the newest frame, uint8
    (B, C, H, W), not yet encoded. state: the arm's state at ``frame``, float32 (B, S), in the
    data's units.

    >>> from pixelpush.vpn import build_model
    >>> from pixelpush.vpn.graph import static_inputs
    >>> model = build_model("ot", frame_size=8, coarse_scales=0)
    >>> static_inputs(model, batch=2)[0].frame.shape
    torch.Size([2, 3, 8, 8])
    """

    encoder: Any
    frame: Tensor
    state: Tensor
