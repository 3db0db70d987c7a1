"""The command ``pixelpush drive``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pixelpush.errors import InputError
from pixelpush.eval.driving.settings import DriveSettings


@dataclass(frozen=True)
class DriveOptions:
    """Options of ``pixelpush drive``.

    Example:
        >>> DriveOptions(port=0).settings.data
        'sim'
    """

    settings: DriveSettings = field(default_factory=DriveSettings)
    port: int = 8008
    """Port on 127.0.0.1; 0 takes a free one."""
    out: Path = Path("out/drive")
    """Folder for what is recorded."""
    browser: bool = True
    """Open the page in the browser."""


def drive(options: DriveOptions) -> None:
    """Drive the predicted robot in a browser, on a page of this machine.

    Example:
        >>> drive(DriveOptions(port=70000))
        Traceback (most recent call last):
        pixelpush.errors.InputError: --port must be 0 to 65535, got 70000.
    """
    if not 0 <= options.port <= 65535:
        raise InputError(f"--port must be 0 to 65535, got {options.port}.")

    from pixelpush.eval.driving import commands

    commands.drive(options.settings, options.port, options.out, options.browser)
