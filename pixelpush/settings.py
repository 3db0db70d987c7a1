"""Settings by name, as people and saved files give them: unknown names and wrong types are
refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pixelpush.errors import InputError

# Where to compute; 'auto' is the fastest device that is there.
Device = Literal["auto", "cpu", "cuda", "mps"]

# Threads or processes that read or simulate; more is a slip of the hand.
MOST_WORKERS = 1024

# A page in a browser counts exactly up to here, and every generator of ours takes it.
MOST_SEED = 2**53


def check_settings(owner: str, settings: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Raise InputError unless every setting is known and of its default's type.

    Whole numbers pass as float. known: defaults by name; None for one whose values are checked
    elsewhere.

    >>> check_settings("model", {"rate": 1}, {"rate": 0.5})
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


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Raise InputError unless ``value`` is one of the choices of the setting ``name``.

    >>> check_choice("encoder", "layered", ("convlstm", "layered"))
    """
    if value not in choices:
        raise InputError(f"unknown {name} {value!r}; choose one of {', '.join(choices)}.")


def check_between(config: object, least: float, most: float, *names: str) -> None:
    """Raise InputError unless each named field of ``config`` is a number in [least, most].

    >>> from fractions import Fraction
    >>> check_between(Fraction(3, 4), 1, 10, "numerator", "denominator")
    """
    for name in names:
        value = getattr(config, name)
        if not least <= value <= most:
            raise InputError(f"{name} must be between {least} and {most}, got {value}.")


def check_positive(config: object, *names: str) -> None:
    """Raise InputError unless each named field of ``config`` is above 0; NaN is refused.

    >>> from fractions import Fraction
    >>> check_positive(Fraction(3, 4), "numerator")
    """
    for name in names:
        if not getattr(config, name) > 0:
            raise InputError(f"{name} must be above 0, got {getattr(config, name)}.")


def check_not_negative(config: object, *names: str) -> None:
    """Raise InputError unless each named field of ``config`` is at least 0; NaN is refused.

    >>> from fractions import Fraction
    >>> check_not_negative(Fraction(0, 4), "numerator")
    """
    for name in names:
        if not getattr(config, name) >= 0:
            raise InputError(f"{name} must not be negative, got {getattr(config, name)}.")


def check_at_most(config: object, bound: float, *names: str) -> None:
    """Raise InputError unless each named field of ``config`` is at most ``bound``; NaN is refused.

    >>> from fractions import Fraction
    >>> check_at_most(Fraction(3, 4), 3, "numerator")
    """
    for name in names:
        if not getattr(config, name) <= bound:
            raise InputError(f"{name} must be at most {bound:g}, got {getattr(config, name)}.")


def check_temperature(value: float, name: str = "temperature") -> None:
    """Raise InputError unless a temperature of sampling is between 0, the mode, and a million.

    >>> check_temperature(0.0)
    """
    if not 0 <= value <= 1e6:
        raise InputError(
            f"{name} must be between 0, the likeliest levels, and 1000000, got {value}; 1 is the "
            "model's own distribution."
        )


def check_seed(value: int, name: str = "--seed") -> None:
    """Raise InputError unless a seed is between 0 and ``MOST_SEED``.

    >>> check_seed(-1, "--split-seed")
    Traceback (most recent call last):
    pixelpush.errors.InputError: --split-seed must be between 0 and 9007199254740992, got -1.
    """
    if not 0 <= value <= MOST_SEED:
        raise InputError(f"{name} must be between 0 and {MOST_SEED}, got {value}.")
