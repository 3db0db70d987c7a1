"""Named choices: one dictionary per sort of thing that a setting can name. A leaf module."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import TypeVar

from pixelpush.errors import InputError

T = TypeVar("T")


def nearest(name: str, choices: Iterable[str], count: int = 3) -> list[str]:
    """Return the ``count`` choices that are spelled most like ``name``, best first.

    >>> nearest("gren", ["red", "green", "grey", "blue"])
    ['green', 'grey', 'red']
    """
    return difflib.get_close_matches(name, list(choices), n=count, cutoff=0.0)


class Registry(dict[str, T]):
    """A dictionary of choices by name that refuses unknown and repeated names.

    ``what`` says in messages what is chosen: 'schedule', 'video model'.

    >>> colours = Registry("colour", {"red": 1})
    >>> colours.find("red")
    1
    >>> colours.find("blue")
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: unknown colour 'blue'; choose one of red.
    """

    def __init__(self, what: str, entries: Mapping[str, T] | None = None):
        super().__init__(entries or {})
        self.what = what

    def find(self, name: str) -> T:
        """Return the entry of that name; an unknown name raises InputError that lists the choices.

        >>> Registry("colour", {"red": 1}).find("red")
        1
        """
        if name not in self:
            raise InputError(f"unknown {self.what} {name!r}; choose one of {', '.join(self)}.")
        return self[name]

    def add(self, name: str, entry: T) -> None:
        """Add an entry; a name that is taken raises ValueError, because it is a programmer's error.

        >>> colours = Registry("colour", {})
        >>> colours.add("red", 1)
        >>> list(colours)
        ['red']
        """
        if name in self:
            raise ValueError(f"{self.what} {name!r} is registered twice")
        self[name] = entry
