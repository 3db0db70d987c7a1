"""The O(T) baseline of Table 2: given the past, all pixels and channels of a frame are
independent."""

from __future__ import annotations

from torch import Tensor, nn

from pixelpush.image.distributions import PixelDistribution
from pixelpush.image.layers import block_stack
from pixelpush.vpn.config import VideoConfig
from pixelpush.vpn.decoders.base import Decoder
from pixelpush.vpn.encoder import Resize


class BaselineDecoder(Decoder):
    """A convolutional network without masks; one evaluation a frame."""

    def __init__(self, config: VideoConfig, features: int):
        super().__init__(config)
        self.enter = nn.Conv2d(features, config.decoder_channels, 3, padding=1)
        self.blocks = block_stack(
            config.decoder_block, config.decoder_channels, config.decoder_blocks
        )
        self.resize = Resize(config.decoder_channels, config.grid, config.frame_size)
        self.leave = nn.SiLU()
        self.head = self.new_head(config.decoder_channels)
        self.evaluations = self.head.evaluations
        self.uniforms_per_pixel = self.head.uniforms_per_pixel

    def distribution(self, features: Tensor, centre: Tensor | None) -> PixelDistribution:
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
