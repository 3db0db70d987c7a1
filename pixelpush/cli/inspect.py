"""The command ``pixelpush inspect``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro


@dataclass(frozen=True)
class InspectOptions:
    """Options of ``pixelpush inspect``.

    Example:
        >>> InspectOptions("sim").episodes
        1000
    """

    data: tyro.conf.Positional[str]
    """Data set: the name of a prepared one, a store's folder, or 'sim'."""
    split: str | None = None
    """Split to look at. Left out: all of a store, train of the simulated bin."""
    episodes: int = 1000
    """Most episodes of a split that are looked at, spread evenly."""
    out: Path | None = None
    """Folder for page.txt and contact-sheet.png. Left out: the store's own, or where a split is
    chosen, inspect-NAME-SPLIT here."""


def inspect(options: InspectOptions) -> None:
    """Say what is in a data set and what looks wrong: lengths, rates, ranges, what actions are,
    still frames, gaps in time; and draw a contact sheet.

    Example:
        >>> inspect(InspectOptions("nowhere"))
        Traceback (most recent call last):
        pixelpush.errors.InputError: no dataset 'nowhere': not a folder, and the known ones ...
    """
    from pixelpush.datasets.inspection.run import inspect_named

    print(inspect_named(options.data, options.split, options.episodes, options.out))
