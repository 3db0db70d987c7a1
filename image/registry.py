"""Building image models by name."""

from __future__ import annotations

from typing import Any

from pixelpush.image.kinds import KINDS
from pixelpush.image.model import ImageModel
from pixelpush.image.presets import image_config


def build_image_model(name: str, **overrides: Any) -> ImageModel:
    """Return a new image model by kind or preset.

    overrides: settings of the kind's configuration (``ImageKind.config``). An unknown name or
    setting raises InputError.

    >>> build_image_model("pixelcnn++", image_size=32, filters=8, resnets=1).evaluations
    1024
    """
    config = image_config(name, **overrides)
    return KINDS.find(config.kind).build(config)
