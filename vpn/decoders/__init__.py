"""The video decoders of Table 2. A new one is a file here, a name in ``KINDS`` and a line in
``DECODERS``."""

from __future__ import annotations

from collections.abc import Callable

from pixelpush.vpn.config import VideoConfig
from pixelpush.vpn.decoders.base import Decoder
from pixelpush.vpn.decoders.baseline import BaselineDecoder
from pixelpush.vpn.decoders.ot import OTDecoder
from pixelpush.vpn.decoders.otlogn import OTLogNDecoder
from pixelpush.vpn.decoders.otn import OTNDecoder

DECODERS: dict[str, Callable[[VideoConfig, int], Decoder]] = {
    "baseline": BaselineDecoder,
    "otn": OTNDecoder,
    "ot": OTDecoder,
    "otlogn": OTLogNDecoder,
}
