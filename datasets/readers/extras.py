"""Libraries that only some readers need: named, with the command that installs them, where they
are missing."""

from __future__ import annotations

import importlib
from types import ModuleType

from pixelpush.errors import InputError


def optional(module: str, extra: str, what: str) -> ModuleType:
    """Import ``module``; where it is missing, an InputError says how to install it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        raise InputError(
            f"reading {what} needs the package {module}: pip install 'pixelpush[{extra}]' (or pip "
            f"install {module})."
        ) from None
