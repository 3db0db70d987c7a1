"""Time: the ConvLSTM frame encoder, the four video decoders, likelihood, rollout,
super-resolution."""

from pixelpush.saved import save_model
from pixelpush.vpn.config import VideoConfig
from pixelpush.vpn.load import build_model, load_model
from pixelpush.vpn.model import VideoPixelNetwork
from pixelpush.vpn.rollout import Rollout
from pixelpush.vpn.super_resolution import (
    SuperResolutionConfig,
    VideoUpscaler,
    build_upscaler,
    upscale_video,
)

__all__ = [
    "Rollout",
    "SuperResolutionConfig",
    "VideoConfig",
    "VideoPixelNetwork",
    "VideoUpscaler",
    "build_model",
    "build_upscaler",
    "load_model",
    "save_model",
    "upscale_video",
]
