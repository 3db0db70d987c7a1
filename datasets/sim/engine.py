"""MuJoCo, or one clear line that says where it can be had."""

from __future__ import annotations

from pixelpush.errors import InputError

try:
    import mujoco
except ImportError:
    raise InputError(
        "the simulated bin needs MuJoCo, which is not installed: use Python 3.11 or newer, and pip "
        "install mujoco-core==4.0.1; everything else of pixelpush works without."
    ) from None

Geom = mujoco.mjtGeom

__all__ = ["Geom", "mujoco"]
