"""Tiny image models with non-trivial weights."""

from __future__ import annotations

import math
from typing import Any

import torch

from pixelpush.image import Condition, ImageModel, build_image_model

TINY: dict[str, dict[str, Any]] = {
    "pixelcnn": {"channels": 4, "layers": 2, "hidden": 8},
    "gated-pixelcnn": {"channels": 6, "layers": 3},
    "pixelcnn++": {"filters": 6, "resnets": 1, "dropout": 0.0},
    "row-lstm": {"channels": 4, "layers": 2, "hidden": 8},
    "diagonal-bilstm": {"channels": 4, "layers": 2, "hidden": 8},
    "multiscale-pixelrnn": {"channels": 4, "layers": 2, "hidden": 8, "base_size": 4, "step": 2},
    "multiscale-pixelcnn": {
        "channels": 6,
        "base_size": 4,
        "base_layers": 2,
        "blocks": 1,
        "patch_layers": 2,
        "crop": 8,
    },
}
KINDS = tuple(TINY)
# Kinds whose score is a bound: laws of their own.
BOUNDS: dict[str, dict[str, Any]] = {
    "real-nvp": {"channels": 6, "blocks": 1, "scales": 2},
    "conv-draw": {"channels": 6, "latents": 2, "steps": 2, "canvas": 6},
}
RASTER = KINDS[:5]
CACHED = ("pixelcnn", "gated-pixelcnn", "pixelcnn++")
CONDITIONED = {
    "classes": 3,
    "captions": True,
    "structure": 2,
    "condition_channels": 4,
    "condition_layers": 2,
}


def tiny_image_model(kind: str, gain: float = 1.0, **overrides: Any) -> ImageModel:
    """A model of 8x8 images of a few thousand weights whose every path matters."""
    sizes = {"image_size": 8, "head_hidden": 8, "components": 3}
    model = build_image_model(kind, **{**sizes, **{**TINY, **BOUNDS}[kind], **overrides})
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            scale = (
                0.3 if parameter.ndim < 2 else gain * math.sqrt(len(parameter) / parameter.numel())
            )
            parameter.copy_(scale * torch.randn(parameter.shape, generator=generator))
    return model.eval()


def random_images(model: ImageModel, count: int, seed: int = 0) -> torch.Tensor:
    c = model.config
    generator = torch.Generator().manual_seed(seed)
    shape = (count, c.colours, c.image_size, c.image_size)
    images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    return (images >= 128).to(torch.uint8) * 255 if c.distribution == "bernoulli" else images


def random_condition(count: int, seed: int = 0) -> Condition:
    """A condition for models built with ``CONDITIONED``."""
    generator = torch.Generator().manual_seed(seed)
    return Condition(
        torch.randint(0, 3, (count,), generator=generator),
        torch.randint(0, 40, (count, 201), generator=generator),
        torch.rand(count, 2, 32, 32, generator=generator),
    )
