"""Settings by name, as people and saved files give them: unknown names and wrong types are
refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pixelpush.errors import InputError


def check_settings(owner: str, settings: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Raise InputError unless every setting is known and of its default's type; whole numbers pass
    as float.

    known: defaults by name; None for one whose values are checked elsewhere.
    """
    unknown = sorted(set(settings) - set(known))
    if unknown:
        raise InputError(
            f"{owner}: unknown setting {unknown[0]!r}; the settings are {', '.join(sorted(known))}."
        )
    for name, value in settings.items():
        default = known[name]
        allowed = (float, int) if isinstance(default, float) else (type(default),)
        if default is not None and type(value) not in allowed:
            raise InputError(
                f"{owner}: {name} should be of type {type(default).__name__}, like {default!r}."
            )
