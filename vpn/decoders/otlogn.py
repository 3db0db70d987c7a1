"""The O(T log N) decoder (Reed et al. 2017, section 4.3): a small base image, then type-A
upscalers, scale by scale."""

from __future__ import annotations

from torch import Tensor, nn

from pixelpush.image.gated_pixelcnn import GatedPixelCNNTrunk
from pixelpush.image.groups import subsample
from pixelpush.image.layers import Layers
from pixelpush.image.raster import RasterDecoder
from pixelpush.image.upscalers import TypeAUpscaler
from pixelpush.vpn.config import VideoConfig
from pixelpush.vpn.decoders.base import Decoder
from pixelpush.vpn.encoder import Resize


class OTLogNDecoder(Decoder):
    """Gated PixelCNN on the ``base_size`` sub-sampled frame, then one type-A upscaler per doubling.

    The base's pixels are pixels of the frame, so likelihoods of the scales add. Every part is
    conditioned on the frame encoder's features, folded down to its own grid."""

    def __init__(self, config: VideoConfig, features: int):
        super().__init__(config)
        c = config
        self.scales = (c.frame_size // c.base_size).bit_length() - 1
        # Conditioning of the finest upscaler first: grids frame_size/2, frame_size/4, ...
        # base_size.
        self.grids = nn.ModuleList(
            Resize(
                features,
                c.grid if scale == 1 else c.frame_size >> (scale - 1),
                c.frame_size >> scale,
            )
            for scale in range(1, self.scales + 1)
        )
        trunk = GatedPixelCNNTrunk(
            c.colours, c.decoder_channels, c.base_layers, 3, features, first_kernel=3
        )
        self.base = RasterDecoder(trunk, self.new_head(trunk.out_channels), c.colours)
        self.upscalers = Layers(
            TypeAUpscaler(
                features,
                c.colours,
                c.decoder_channels,
                c.decoder_blocks,
                c.decoder_block,
                lambda: self.new_head(c.decoder_channels),
            )
            for _ in range(self.scales)
        )
        self.evaluations = self.base.evaluations(c.base_size, c.base_size)
        self.evaluations += sum(upscaler.evaluations for upscaler in self.upscalers)
        self.uniforms_per_pixel = self.base.uniforms_per_pixel

    def log_prob(self, frame: Tensor, features: Tensor, centre: Tensor | None) -> Tensor:
        conditioning = self._conditioning(features)
        small = subsample(frame, self.scales)
        score = self.base.log_prob(small, conditioning[-1], _subsampled(centre, self.scales))
        for scale in reversed(range(self.scales)):
            target, near = subsample(frame, scale), _subsampled(centre, scale)
            score = _under(score, self.upscalers[scale].log_prob(target, conditioning[scale], near))
        return score

    def sample(
        self, features: Tensor, centre: Tensor | None, uniforms: Tensor, temperature: float = 1.0
    ) -> tuple[Tensor, Tensor]:
        conditioning = self._conditioning(features)
        numbers, near = subsample(uniforms, self.scales), _subsampled(centre, self.scales)
        frame, score = self.base.sample(conditioning[-1], numbers, temperature, centre=near)
        for scale in reversed(range(self.scales)):
            numbers, near = subsample(uniforms, scale), _subsampled(centre, scale)
            upscaler = self.upscalers[scale]
            frame, added = upscaler.sample(frame, conditioning[scale], numbers, near, temperature)
            score = _under(score, added)
        return frame, score

    def _conditioning(self, features: Tensor) -> list[Tensor]:
        """Features on the grid of each scale's groups, finest first; the last is the base image's
        own grid."""
        maps: list[Tensor] = []
        for resize in self.grids:
            maps.append(resize(maps[-1] if maps else features))
        return maps


def _subsampled(centre: Tensor | None, scale: int) -> Tensor | None:
    return None if centre is None else subsample(centre, scale)


def _under(small: Tensor, large: Tensor) -> Tensor:
    """Put the smaller image's scores at group 1 of the larger one's, where it has none."""
    score = large.clone()
    score[..., ::2, ::2] = small
    return score
