"""The O(T) baseline of Table 2: given the past, pixels and channels of a frame are independent."""

from __future__ import annotations

from torch import Tensor, nn

from pixelpush.errors import InputError
from pixelpush.image.distributions import PixelDistribution
from pixelpush.image.heads import DISTRIBUTIONS
from pixelpush.image.layers import block_stack
from pixelpush.vpn.config import VideoConfig
from pixelpush.vpn.decoders.base import Decoder
from pixelpush.vpn.encoder import Resize
from pixelpush.vpn.kinds import VideoKind
from pixelpush.vpn.samplers import InOneGraph, WholeFrame


class BaselineDecoder(Decoder):
    """A convolutional network without masks (Kalchbrenner et al. 2016, section 4.2).

    One evaluation gives a frame.

    >>> from pixelpush.vpn import build_model
    >>> build_model("baseline", frame_size=8, coarse_scales=0).decoder.evaluations
    1
    """

    def __init__(self, config: VideoConfig, features: int):
        super().__init__(config, features)
        self.enter = nn.Conv2d(features, config.decoder_channels, 3, padding=1)
        self.blocks = block_stack(
            config.decoder_block, config.decoder_channels, config.decoder_blocks
        )
        self.resize = Resize(config.decoder_channels, config.grid, config.frame_size)
        self.leave = nn.SiLU()
        self.head = self.new_head(config.decoder_channels)
        self.evaluations = self.head.evaluations
        self.uniforms_per_pixel = self.head.uniforms_per_pixel

    @classmethod
    def check_config(cls, config: VideoConfig) -> None:
        if DISTRIBUTIONS.find(config.distribution).coupled:
            raise InputError(
                "the baseline's channels ignore each other: set distribution to "
                "independent-logistic or independent-softmax."
            )

    def distribution(self, features: Tensor, centre: Tensor | None) -> PixelDistribution:
        """Return the distribution of the next frame; shapes as in ``Decoder``."""
        hidden = self.resize(self.blocks(self.enter(features)))
        return self.head(self.leave(hidden), centre)

    def log_prob(self, frame: Tensor, features: Tensor, centre: Tensor | None) -> Tensor:
        return self.distribution(features, centre).log_prob(frame)

    def sample(
        self, features: Tensor, centre: Tensor | None, uniforms: Tensor, temperature: float = 1.0
    ) -> tuple[Tensor, Tensor]:
        distribution = self.distribution(features, centre)
        frame = distribution.sample(uniforms, temperature)
        return frame, distribution.log_prob(frame)


KIND = VideoKind(
    name="baseline",
    label="O(T) baseline",
    complexity="O(T)",
    decoder=BaselineDecoder,
    distribution="independent-logistic",
    samplers=(WholeFrame(), InOneGraph()),
    paper={"distribution": "independent-softmax", "decoder_channels": 256, "decoder_blocks": 12},
    ours=(
        "the decoder: the O(TN) one without masks, and a hidden layer of 256",
        "training: Reed et al. 2017's of their own models",
    ),
    gpu={"distribution": "independent-logistic", "decoder_blocks": 8},
    # Twelve blocks bring it to 0.6M weights, the size of the other small kinds.
    small={"distribution": "independent-logistic", "decoder_blocks": 12},
)
