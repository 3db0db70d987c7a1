"""Pictures of the layers that a sampled future was composed of."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from pixelpush.errors import InputError
from pixelpush.vpn import VideoPixelNetwork
from pixelpush.vpn.layered import LayeredEncoder, Layers

# Where a mask is transparent, its layer is shown on this grey, in levels.
_GROUND = 128


def layer_pictures(
    model: VideoPixelNetwork,
    frames: np.ndarray,
    states: np.ndarray,
    actions: np.ndarray,
    given: int,
) -> tuple[tuple[str, np.ndarray], ...]:
    """Names and pictures, uint8 (T - given, C, H, W), of every layer of the frames after ``given``.

    frames: uint8 (T, C, H, W), given and sampled ones; states: (T, S); actions: (>= T - 1, A). A
    layer that hides only in part is shown on grey. Raises InputError where the model has no layers.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=16, encoder="layered").eval()
    >>> frames, rows = np.zeros((3, 3, 16, 16), np.uint8), np.zeros((3, 5), np.float32)
    >>> [(name, len(shown)) for name, shown in layer_pictures(model, frames, rows, rows, given=2)]
    [('memory', 1), ('moved', 1), ('arm', 1), ('composed', 1)]
    """
    encoder = model.encoder
    check_layers(model)
    assert isinstance(encoder, LayeredEncoder)
    found: list[Layers] = []
    with torch.inference_mode():
        device = next(model.parameters()).device
        shown, conditions, moves = (
            torch.from_numpy(np.ascontiguousarray(array))[None].to(device)
            for array in (frames, states, actions)
        )
        carry = encoder.initial(1, device)
        for time in range(len(frames) - 1):
            vector = model.vectors(conditions[:, time], moves[:, time])
            carry, _, layers = encoder.step_layers(carry, shown[:, time], vector)
            if time + 1 >= given:
                found.append(layers)
    return (
        ("memory", _pictures([layer.memory for layer in found])),
        ("moved", _pictures([_on_grey(layer.moved, layer.moved_mask) for layer in found])),
        *_objects(found),
        ("arm", _pictures([_on_grey(layer.arm, layer.arm_mask) for layer in found])),
        ("composed", _pictures([layer.centre for layer in found])),
    )


def _objects(found: list[Layers]) -> tuple[tuple[str, np.ndarray], ...]:
    """The row of objects, none where the model has none."""
    pictures = [
        _on_grey(layer.objects, layer.objects_mask)
        for layer in found
        if layer.objects is not None and layer.objects_mask is not None
    ]
    return (("objects", _pictures(pictures)),) if pictures else ()


def check_layers(model: VideoPixelNetwork) -> None:
    """Raise InputError where the model composes no layers.

    >>> from pixelpush.vpn import build_model
    >>> check_layers(build_model("ot", frame_size=8, coarse_scales=0))
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: --layers: this model has no layers; leave it out, or take a ...
    """
    if not isinstance(model.encoder, LayeredEncoder):
        raise InputError(
            "--layers: this model has no layers; leave it out, or take a model with "
            "encoder=layered."
        )


def _on_grey(picture: Tensor, mask: Tensor) -> Tensor:
    return _GROUND + mask * (picture - _GROUND)


def _pictures(levels: list[Tensor]) -> np.ndarray:
    return torch.cat(levels).round().clamp(0, 255).byte().cpu().numpy()
