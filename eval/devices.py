"""The device that an evaluation runs on."""

from __future__ import annotations

from typing import Literal

import torch

from pixelpush.errors import InputError
from pixelpush.precision import use_exact_float32
from pixelpush.settings import Device


def pick_device(name: Device) -> Literal["cpu", "cuda", "mps"]:
    """Resolve 'auto' to the fastest device that is there; refuse a device that is not there.

    From then on float32 is exact (``use_exact_float32``). Raises InputError where torch does not
    see the device.

    >>> pick_device("cpu")
    'cpu'
    """
    use_exact_float32()
    there: dict[Literal["cpu", "cuda", "mps"], bool] = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if name == "auto":
        return next(device for device in ("cuda", "mps", "cpu") if there[device])
    if not there[name]:
        raise InputError(f"no {name} device is visible; use --device cpu.")
    return name
