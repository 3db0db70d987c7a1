"""One frame: pixel distributions, PixelCNN and PixelRNN families, 2x2 groups, upscalers, image
conditioning.

In three nouns: a *trunk* gives features at every pixel from the pixels before it (``raster``,
``pixelcnn``, ``gated_pixelcnn``, ``pixelcnn_pp``, ``pixelrnn``), a *head* turns features into a
*pixel distribution* (``heads``, ``distributions``), a decoder scores and samples with both
(``raster``: pixel by pixel; ``upscalers``: group by group). Trunks never see the present pixel's
own colours: one pass of the trunk serves all colours of a pixel, and the softmax head conditions
channel after channel."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pixelpush.image.captions import encode_caption
    from pixelpush.image.conditioning import Condition
    from pixelpush.image.model import ImageModel, ImageSample
    from pixelpush.image.registry import build_image_model

_HOMES = {
    "Condition": "conditioning",
    "encode_caption": "captions",
    "ImageModel": "model",
    "ImageSample": "model",
    "build_image_model": "registry",
}

__all__ = [
    "Condition",
    "ImageModel",
    "ImageSample",
    "build_image_model",
    "encode_caption",
]


def __getattr__(name: str) -> Any:
    """Load torch only when a public name is used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
