"""The one place where uint8 pixels become network numbers and come back."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from pixelpush.errors import InputError

LEVELS = 256
# Levels are 2 / 255 apart in [-1, 1].
HALF_BIN = 1.0 / 255.0


def to_unit(pixels: Tensor) -> Tensor:
    """Turn uint8 0..255 into float32 in [-1, 1]; 0 is -1 and 255 is 1.

    Other types raise InputError.

    >>> to_unit(torch.tensor([0, 255], dtype=torch.uint8)).tolist()
    [-1.0, 1.0]
    """
    if pixels.dtype != torch.uint8:
        raise InputError(f"pixels must be uint8, got {pixels.dtype}; scale images to 0..255 first.")
    return pixels.float() / 127.5 - 1.0


def mark_inside(pixels: Tensor) -> Tensor:
    """Return ``to_unit`` with a last channel of ones, (N, C + 1, H, W).

    Zero padding then differs from mid-grey.

    >>> mark_inside(torch.zeros(1, 1, 1, 1, dtype=torch.uint8)).flatten().tolist()
    [-1.0, 1.0]
    """
    return F.pad(to_unit(pixels), (0, 0, 0, 0, 0, 1), value=1.0)


def from_unit(values: Tensor) -> Tensor:
    """Turn floats in [-1, 1] into uint8, rounded to the nearest level, never truncated.

    The tails go to 0 and 255.

    >>> from_unit(torch.tensor([-3.0, 0.0, 1.0])).tolist()
    [0, 128, 255]
    """
    return ((values.float() + 1.0) * 127.5).round().clamp(0, 255).to(torch.uint8)


def innovation(pixels: Tensor, reference: Tensor) -> Tensor:
    """Return the signed difference of two images in levels, compressed: asinh(levels) / 4, float32.

    pixels, reference: uint8 or float. A single level stays visible (0.22) beside a large change
    (255 levels: 1.56). Raw inputs in bfloat16 cannot tell neighbouring levels apart near +-1; this
    can.

    >>> round(float(innovation(torch.tensor(11), torch.tensor(10))), 2)
    0.22
    """
    return torch.asinh(pixels.float() - reference.float()) / 4.0
