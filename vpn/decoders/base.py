"""What a video decoder is: one frame given the encoder's features and the image that it counts
from."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor, nn

from pixelpush.image.heads import Head, make_head
from pixelpush.vpn.config import VideoConfig


class Decoder(nn.Module):
    """p(next frame | features of all earlier frames, states and actions).

    Both methods are pure functions of their arguments, with N frames as the batch: features (N, D,
    g, g), frames uint8 (N, C, H, W), nats (N, H, W) summed over channels. centre (N, C, H, W) is
    the image, in levels, that distributions count from; None exactly if the configuration is not
    centred.

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
        return make_head(
            c.distribution, features, c.colours, c.components, c.softmax_hidden, c.centred
        )

    @abstractmethod
    def log_prob(self, frame: Tensor, features: Tensor, centre: Tensor | None) -> Tensor:
        """Nats (N, H, W) of ``frame``."""

    @abstractmethod
    def sample(
        self, features: Tensor, centre: Tensor | None, uniforms: Tensor, temperature: float = 1.0
    ) -> tuple[Tensor, Tensor]:
        """(frame, its nats at temperature 1) from uniforms (N, uniforms_per_pixel, H, W)."""
