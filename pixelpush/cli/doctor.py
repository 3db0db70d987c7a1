"""The command ``pixelpush doctor``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from pixelpush.errors import InputError


@dataclass(frozen=True)
class DoctorOptions:
    """Options of ``pixelpush doctor``.

    Example:
        >>> DoctorOptions(runs=(Path("runs/small"),)).full
        False
    """

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RUN")] = ()
    """Run folders to look at too."""
    full: bool = False
    """Read every episode of every data store and compare its content hash: minutes for a large
    one."""


def doctor(options: DoctorOptions) -> None:
    """Say in a page what is installed, which devices there are, and whether data stores, weights
    and runs are sound.

    Example:
        >>> from unittest.mock import patch
        >>> with patch("pixelpush.doctor.print_page", lambda runs, full: 2):
        ...     doctor(DoctorOptions())
        Traceback (most recent call last):
        pixelpush.errors.InputError: 2 fault(s), marked with '!' above.
    """
    from pixelpush.doctor import print_page

    faults = print_page(options.runs, options.full)
    if faults:
        raise InputError(f"{faults} fault(s), marked with '!' above.")
