"""PixelPush: robot-pushing video prediction with an exact likelihood.

Public names are loaded on first use, so that ``import pixelpush`` costs no torch import.
"""

from __future__ import annotations

import importlib
from pathlib import Path

from pixelpush.installation import warn_if_mixed

__version__ = "0.1.0"

_PUBLIC = {
    "VideoPixelNetwork": "pixelpush.vpn",
    "Rollout": "pixelpush.vpn",
    "build_model": "pixelpush.vpn",
    "load_model": "pixelpush.vpn",
    "open_dataset": "pixelpush.datasets",
    "Episode": "pixelpush.datasets",
    "build_image_model": "pixelpush.image",
    "InputError": "pixelpush.errors",
    "PixelPushError": "pixelpush.errors",
}
__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str):
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'pixelpush' has no attribute {name!r}")


warn_if_mixed(Path(__file__).parent)
