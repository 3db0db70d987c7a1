"""Time: the ConvLSTM frame encoder, the four video decoders, likelihood and rollout."""

from pixelpush.vpn.config import VideoConfig
from pixelpush.vpn.load import build_model, load_model, save_model
from pixelpush.vpn.model import Rollout, VideoPixelNetwork

__all__ = ["Rollout", "VideoConfig", "VideoPixelNetwork", "build_model", "load_model", "save_model"]
