"""What passes from one sampled frame to the next."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor


class Encoder(Protocol):
    """What a frame encoder is to the model: one step a frame, with a carry that only it reads.

    features: channels D of its feature maps. It is a module, and calling it on all frames at once
    equals step after step: frames uint8 (B, T, C, H, W), vectors (B, T, V) -> features (B, T, D, g,
    g) and centres (B, T, C, H, W) or None.

    >>> from pixelpush.vpn import build_model
    >>> encoder = build_model("ot", frame_size=8, coarse_scales=0).encoder
    >>> carry = encoder.initial(batch=2, device=torch.device("cpu"))
    >>> frame = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
    >>> carry, features, centre = encoder.step(carry, frame, torch.zeros(2, 10))
    >>> features.shape[1] == encoder.features
    True
    """

    features: int

    def initial(self, batch: int, device: torch.device) -> Any:
        """Return the carry before the first frame."""
        ...

    def step(self, carry: Any, frame: Tensor, vector: Tensor) -> tuple[Any, Tensor, Tensor | None]:
        """Take one frame in: (new carry, features (B, D, g, g) of the next frame, its centre)."""
        ...

    def __call__(
        self, frames: Tensor, vectors: Tensor, recompute: bool = False
    ) -> tuple[Tensor, Tensor | None]: ...


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
