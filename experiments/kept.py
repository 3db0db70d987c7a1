"""Figures that cost minutes are kept, and made again only where what they are of has changed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pixelpush.eval.coding.table import core_seconds
from pixelpush.files import read_json, write_json


def kept(
    path: Path, of: Mapping[str, Any], make: Callable[[], dict[str, Any]], again: bool = False
) -> dict[str, Any]:
    """The figures in ``path`` if they are of the same, else those that ``make`` gives.

    of: what the figures depend on, JSON values: a model's hash, numbers of episodes. Written beside
    the figures are ``of`` and ``made``: the day, minutes of one core's work, and the load of the
    machine at the end. again: make them in any case.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "figures.json"
    ...     [kept(path, {"episodes": n}, lambda: {"nats": n})["nats"] for n in (1, 2)]
    ...     kept(path, {"episodes": 2}, lambda: {"nats": 9})["nats"]
    [1, 2]
    2
    """
    if path.is_file() and not again:
        found = read_json(path)
        if found.get("of") == dict(of):
            return found
    before = core_seconds()
    figures = make()
    made = {
        "date": time.strftime("%Y-%m-%d"),
        "core_minutes": round((core_seconds() - before) / 60, 1),
        "load": round(os.getloadavg()[0], 1),
    }
    write_json(path, {"of": dict(of), "made": made, **figures})
    return read_json(path)
