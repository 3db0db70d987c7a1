"""What a video decoder is: one frame given the encoder's features and the frame before it."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor, nn

from pixelpush.image.heads import Head, make_head
from pixelpush.vpn.config import VideoConfig


class Decoder(nn.Module):
    """p(next frame | features of all earlier frames, states and actions).

    Both methods are pure functions of their arguments, with N frames as the batch:
    features (N, D, g, g), frames uint8 (N, C, H, W), nats (N, H, W) summed over channels.

    evaluations: sequential network evaluations that one frame's sample takes.
    uniforms_per_pixel: uniform numbers that one pixel's sample takes.
    """

    evaluations: int
    uniforms_per_pixel: int

    def __init__(self, config: VideoConfig):
        super().__init__()
        self.config = config

    def new_head(self, features: int) -> Head:
        """A head as the configuration wants it."""
        c = self.config
        return make_head(c.distribution, features, c.colours, c.components, c.softmax_hidden, c.centred)

    def centre(self, previous: Tensor) -> Tensor | None:
        """The image that distributions count from: the previous frame, or nothing."""
        return previous if self.config.centred else None

    @abstractmethod
    def log_prob(self, frame: Tensor, features: Tensor, previous: Tensor) -> Tensor:
        """Nats (N, H, W) of ``frame``; ``previous`` is the frame before it."""

    @abstractmethod
    def sample(
        self, features: Tensor, previous: Tensor, uniforms: Tensor, temperature: float = 1.0
    ) -> tuple[Tensor, Tensor]:
        """(frame, its nats at temperature 1) from uniforms (N, uniforms_per_pixel, H, W)."""
