"""What a video decoder is: the distribution of one frame given the encoder's features."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from pixelpush.image.heads import DISTRIBUTIONS, Head, HeadSettings
from pixelpush.vpn.config import VideoConfig

# Upscalers of 12 residual layers (6 blocks of 2) of 128 units, the sizes of Reed et al. 2017,
# section 4.2: the paper gives none for video.
PAPER_UPSCALER = {"decoder_block": "residual", "decoder_channels": 128, "decoder_blocks": 6}
OURS_UPSCALER = "the upscalers' 12 residual layers of 128 units, those of the paper's image models"


class Decoder(nn.Module):
    """p(next frame | features of all earlier frames, states and actions).

    It is built from the configuration and the number of the encoder's feature channels. A
    subclass's two methods are pure functions of their arguments, with N frames as the batch:
    features (N, D, g, g), frames uint8
    (N, C, H, W), nats (N, H, W) summed over channels. centre (N, C, H, W) is an image in levels:
    distributions describe the difference from it. It is None exactly if the configuration is not
    centred.

    evaluations: sequential network evaluations of one frame's sample. uniforms_per_pixel: uniform
    numbers that one pixel's sample takes. static: whether ``sample`` runs the same operations on
    the same shapes for every frame, so that a CUDA graph can hold it.

    >>> from pixelpush.vpn import build_model
    >>> build_model("ot", frame_size=8, coarse_scales=0).decoder.evaluations
    4
    """

    static: ClassVar[bool] = True
    evaluations: int
    uniforms_per_pixel: int

    def __init__(self, config: VideoConfig, features: int):
        super().__init__()
        self.config = config
        self.features = features

    @classmethod
    def check_config(cls, config: VideoConfig) -> None:
        """Raise InputError where settings do not suit this decoder; called by ``VideoConfig``."""

    def new_head(self, features: int) -> Head:
        """Return a new head of the configured distribution on ``features`` channels."""
        c = self.config
        settings = HeadSettings(
            features, c.colours, c.components, hidden=c.softmax_hidden, centred=c.centred
        )
        return DISTRIBUTIONS.find(c.distribution).build(settings)

    @abstractmethod
    def log_prob(self, frame: Tensor, features: Tensor, centre: Tensor | None) -> Tensor:
        """Return the nats (N, H, W) of ``frame``."""

    @abstractmethod
    def sample(
        self, features: Tensor, centre: Tensor | None, uniforms: Tensor, temperature: float = 1.0
    ) -> tuple[Tensor, Tensor]:
        """Return (frame, its nats at temperature 1).

        uniforms: (N, uniforms_per_pixel, H, W) in [0, 1)."""
