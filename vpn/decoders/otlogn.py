"""The O(T log N) decoder (Reed et al. 2017, section 4.3): a small base image, then type-A
upscalers, scale by scale."""

from __future__ import annotations

from torch import Tensor, nn

from pixelpush.errors import InputError
from pixelpush.image.gated_pixelcnn import GatedPixelCNNTrunk
from pixelpush.image.layers import Layers
from pixelpush.image.pyramid import Pyramid
from pixelpush.image.raster import RasterDecoder
from pixelpush.image.upscalers import GroupSettings, TypeAUpscaler
from pixelpush.vpn.config import VideoConfig
from pixelpush.vpn.decoders.base import OURS_UPSCALER, PAPER_UPSCALER, Decoder
from pixelpush.vpn.encoder import Resize
from pixelpush.vpn.kinds import Measured, VideoKind
from pixelpush.vpn.samplers import InOneGraph, WholeFrame


class OTLogNDecoder(Decoder):
    """Gated PixelCNN on the ``base_size`` sub-sampled frame, then one type-A upscaler per doubling.

    Every part is conditioned on the frame encoder's features, folded down to its own grid. grids
    and upscalers stand in the order of saved weights, the finest scale first.

    >>> from pixelpush.vpn import build_model
    >>> build_model("otlogn", frame_size=32, distribution="logistic").decoder.evaluations
    70
    """

    def __init__(self, config: VideoConfig, features: int):
        super().__init__(config, features)
        c = config
        # log2 of the ratio, which check_config has found to be a power of two.
        scales = (c.frame_size // c.base_size).bit_length() - 1
        self.grids = nn.ModuleList(
            Resize(
                features,
                c.grid if scale == 1 else c.frame_size >> (scale - 1),
                c.frame_size >> scale,
            )
            for scale in range(1, scales + 1)
        )
        trunk = GatedPixelCNNTrunk(
            c.colours, c.decoder_channels, c.base_layers, 3, features, first_kernel=3
        )
        self.base = RasterDecoder(trunk, self.new_head(trunk.out_channels), c.colours)
        settings = GroupSettings(
            features, c.colours, c.decoder_channels, c.decoder_blocks, c.decoder_block
        )
        self.upscalers = Layers(
            TypeAUpscaler(settings, lambda: self.new_head(c.decoder_channels))
            for _ in range(scales)
        )
        self.evaluations = self.pyramid.evaluations(c.base_size)
        self.uniforms_per_pixel = self.base.uniforms_per_pixel

    @classmethod
    def check_config(cls, config: VideoConfig) -> None:
        ratio = config.frame_size // config.base_size
        if config.base_size * ratio != config.frame_size or ratio & (ratio - 1) or ratio < 2:
            raise InputError(
                f"frame_size {config.frame_size} must be base_size {config.base_size} times a "
                "power of 2."
            )

    @property
    def pyramid(self) -> Pyramid:
        """The base and the upscalers, the coarsest first."""
        return Pyramid(self.base, [*reversed(self.upscalers)])

    def log_prob(self, frame: Tensor, features: Tensor, centre: Tensor | None) -> Tensor:
        return self.pyramid.log_prob(frame, self._conditioning(features).__getitem__, centre)

    def sample(
        self, features: Tensor, centre: Tensor | None, uniforms: Tensor, temperature: float = 1.0
    ) -> tuple[Tensor, Tensor]:
        conditioning = self._conditioning(features)
        return self.pyramid.sample(conditioning.__getitem__, uniforms, temperature, centre)

    def _conditioning(self, features: Tensor) -> list[Tensor]:
        """Features for the base and for the groups of each scale, the coarsest first.

        The groups of the smallest upscaled image lie on the base image's own grid."""
        maps: list[Tensor] = []
        for resize in self.grids:
            maps.append(resize(maps[-1] if maps else features))
        return [maps[-1], *reversed(maps)]


KIND = VideoKind(
    name="otlogn",
    label="O(T log N) VPN",
    complexity="O(T log N)",
    decoder=OTLogNDecoder,
    distribution="softmax",
    samplers=(WholeFrame(), InOneGraph()),
    paper={**PAPER_UPSCALER, "distribution": "softmax", "base_layers": 12},
    ours=(
        OURS_UPSCALER,
        "the base: 8x8 pixels, a Gated PixelCNN of 12 layers",
        "the head: a hidden layer of 256 for each colour",
    ),
    gpu={"distribution": "logistic"},
    # A base of 4x4 costs one upscaler more and 48 sequential pixels less than one of 8x8.
    small={"distribution": "logistic", "decoder_blocks": 1, "base_layers": 4, "base_size": 4},
    measured={
        "push-otlogn-small": Measured(
            "17 for the last 1,700 of 2,107 clips, from the frame encoder of push-ot-small",
            "0.996 nats per sub-pixel on val of sim (floor 0.515)",
        )
    },
)
