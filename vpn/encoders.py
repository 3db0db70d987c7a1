"""Frame encoders by the names that configurations have for them."""

from __future__ import annotations

from pixelpush.vpn.config import VideoConfig
from pixelpush.vpn.encoder import FrameEncoder, VideoEncoder
from pixelpush.vpn.layered import LayeredEncoder


def make_encoder(config: VideoConfig) -> VideoEncoder:
    """Return the frame encoder that the configuration names.

    >>> type(make_encoder(VideoConfig(encoder="layered"))).__name__
    'LayeredEncoder'
    """
    return LayeredEncoder(config) if config.encoder == "layered" else FrameEncoder(config)
