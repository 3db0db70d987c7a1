"""The O(T) decoder (Reed et al. 2017, section 4.3): four pixel groups, four evaluations a frame at
any size."""

from __future__ import annotations

from torch import Tensor

from pixelpush.image.upscalers import GroupSettings, TypeAUpscaler
from pixelpush.vpn.config import VideoConfig
from pixelpush.vpn.decoders.base import OURS_UPSCALER, PAPER_UPSCALER, Decoder
from pixelpush.vpn.encoder import Resize
from pixelpush.vpn.kinds import Measured, VideoKind
from pixelpush.vpn.samplers import InOneGraph, WholeFrame


class OTDecoder(Decoder):
    """Group 1 straight from the past, groups 2-4 by type-A upscalers at the last scale.

    >>> from pixelpush.vpn import build_model
    >>> [build_model("ot", frame_size=size).decoder.evaluations for size in (16, 64)]
    [4, 4]
    """

    def __init__(self, config: VideoConfig, features: int):
        super().__init__(config, features)
        c = config
        self.resize = Resize(features, c.grid, c.frame_size // 2)
        settings = GroupSettings(
            features, c.colours, c.decoder_channels, c.decoder_blocks, c.decoder_block
        )
        self.groups = TypeAUpscaler(settings, lambda: self.new_head(c.decoder_channels), first=1)
        self.evaluations = self.groups.evaluations
        self.uniforms_per_pixel = self.groups.uniforms_per_pixel

    def log_prob(self, frame: Tensor, features: Tensor, centre: Tensor | None) -> Tensor:
        return self.groups.log_prob(frame, self.resize(features), centre)

    def sample(
        self, features: Tensor, centre: Tensor | None, uniforms: Tensor, temperature: float = 1.0
    ) -> tuple[Tensor, Tensor]:
        return self.groups.sample(None, self.resize(features), uniforms, centre, temperature)


KIND = VideoKind(
    name="ot",
    label="O(T) VPN",
    complexity="O(T)",
    decoder=OTDecoder,
    distribution="logistic",
    samplers=(WholeFrame(), InOneGraph()),
    paper={**PAPER_UPSCALER, "distribution": "logistic", "components": 10},
    ours=(OURS_UPSCALER, "10 components of the mixture, as in PixelCNN++"),
    gpu={"distribution": "logistic"},
    small={"distribution": "logistic"},
    measured={
        "push-ot-small": Measured(
            "57 for 6,648 clips, after 36 of push-drawing-small",
            "0.959 nats per sub-pixel on val of sim (floor 0.515)",
        )
    },
)
