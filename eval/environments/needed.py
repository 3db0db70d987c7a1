"""gymnasium, or one clear line that says how to get it."""

from __future__ import annotations

from pixelpush.errors import InputError

try:
    import gymnasium
    from gymnasium.utils.seeding import np_random
except ImportError:
    raise InputError(
        "the environments need gymnasium, which is not installed: pip install 'pixelpush[env]'."
    ) from None

__all__ = ["gymnasium", "np_random"]
