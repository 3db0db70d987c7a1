"""Libraries that only some readers need: named, with the command that installs them, where they
are missing."""

from __future__ import annotations

import importlib
from types import ModuleType

from pixelpush.errors import InputError


def optional(module: str, extra: str, what: str) -> ModuleType:
    """Import ``module``; where it is missing, an InputError says how to install it.

    >>> optional("no_such_module", "hdf5", "HDF5")
    Traceback (most recent call last):
    pixelpush.errors.InputError: reading HDF5 needs the package no_such_module: pip install ...
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        raise InputError(
            f"reading {what} needs the package {module}: pip install 'pixelpush[{extra}]' (or pip "
            f"install {module})."
        ) from None
