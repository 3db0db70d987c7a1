"""Checks of a video model's inputs; every error quotes the expected and the given shape."""

from __future__ import annotations

import torch
from torch import Tensor

from pixelpush.errors import InputError
from pixelpush.vpn.config import VideoConfig


def check_video(frames: Tensor, config: VideoConfig, context: int) -> None:
    """Refuse frames that are not uint8 (B, T, C, H, W) of the model's size, T above ``context``.

    Raises InputError with the shapes.

    >>> check_video(torch.zeros(1, 3, 3, 8, 8, dtype=torch.uint8), VideoConfig(frame_size=8), 2)
    """
    expected = (config.colours, config.frame_size, config.frame_size)
    if frames.dtype != torch.uint8 or frames.ndim != 5 or tuple(frames.shape[2:]) != expected:
        raise InputError(
            f"frames must be uint8 (B, T, {', '.join(map(str, expected))}), got {frames.dtype} "
            f"{tuple(frames.shape)}; prepare the data at the model's frame size."
        )
    if frames.shape[1] <= max(context, 0):
        raise InputError(
            f"{frames.shape[1]} frames do not exceed the context of {context}; give longer "
            "episodes."
        )


def check_vectors(name: str, vectors: Tensor, size: int, batch: int, needed: int) -> None:
    """Refuse states or actions that are not (batch, T, size), T at least ``needed``.

    name: 'states' or 'actions'. Raises InputError with the shapes, or with how many are missing.

    >>> check_vectors("states", torch.zeros(1, 3, 5), size=5, batch=1, needed=2)
    """
    if vectors.ndim != 3 or vectors.shape[0] != batch or vectors.shape[2] != size:
        raise InputError(
            f"{name} must be ({batch}, T, {size}) for this model, got {tuple(vectors.shape)}; "
            f"the model was built with {name[:-1]}_dim={size}."
        )
    if vectors.shape[1] < needed:
        missing = needed - vectors.shape[1]
        raise InputError(f"{name} end too early: {missing} of the {needed} needed are missing.")
