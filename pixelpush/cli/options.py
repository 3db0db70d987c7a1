"""What several commands' options share. Light: nothing here imports torch."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import tyro

from pixelpush.errors import InputError

# ``--split A --split B``: a field of several values that is given one value at a time.
Splits = Annotated[
    tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(name="split", metavar="SPLIT")
]


def check_outputs(json: Path | None, figure: Path | None) -> None:
    """Refuse outputs that could not be written before hours are spent on them.

    Example:
        >>> check_outputs(json=None, figure=Path("table.jpeg"))
        Traceback (most recent call last):
        pixelpush.errors.InputError: --figure table.jpeg: the name must end in .png, .pdf or .svg.
    """
    if figure is not None and figure.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise InputError(f"--figure {figure}: the name must end in .png, .pdf or .svg.")
    for path in (json, figure):
        if path is not None and path.is_dir():
            raise InputError(f"{path}: is a folder; give a file name.")
        if path is not None:
            _check_place(path)


def _check_place(path: Path) -> None:
    """Refuse a path below a file. A name that is too long raises OSError here, which is said as
    such."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        path.lstat()
    there = next(folder for folder in path.absolute().parents if folder.exists())
    if not there.is_dir():
        raise InputError(f"{path}: {there} is a file and no folder; choose another place.")


def check_counts(options: object, *names: str) -> None:
    """Refuse options that must be at least 1 and are not; None passes.

    Example:
        >>> from pixelpush.eval.watching import WatchSettings
        >>> check_counts(WatchSettings(batch_size=0), "episodes", "batch_size")
        Traceback (most recent call last):
        pixelpush.errors.InputError: --batch-size must be at least 1, got 0.
    """
    for name in names:
        count = getattr(options, name)
        if count is not None and count < 1:
            raise InputError(f"--{name.replace('_', '-')} must be at least 1, got {count}.")
