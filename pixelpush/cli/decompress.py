"""The command ``pixelpush decompress``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from pixelpush.cli.options import Splits
from pixelpush.progress import progress_unless


@dataclass(frozen=True)
class DecompressOptions:
    """Options of ``pixelpush decompress``.

    Example:
        >>> DecompressOptions(Path("test.pp"), out=Path("test")).episodes
        ()
    """

    file: Annotated[Path, tyro.conf.Positional]
    """File of ``pixelpush compress``."""
    out: Path
    """Folder of the new store, which every command takes as --data; of images, a file ending in
    .npy."""
    model: str = ""
    """The model that coded it. Left out: the one that the file names."""
    splits: Splits = ()
    """Split to decode; repeat for more. Left out: all."""
    episodes: tuple[int, ...] = ()
    """Only these numbers of each split, from 0. Left out: all."""
    quiet: bool = False
    """No progress bar."""


def decompress(options: DecompressOptions) -> None:
    """Decode a file of ``pixelpush compress``, byte for byte, or say why it cannot be.

    Example:
        >>> decompress(DecompressOptions(Path("nowhere.pp"), out=Path("test")))
        Traceback (most recent call last):
        pixelpush.errors.InputError: nowhere.pp: no such file; name one of 'pixelpush compress'.
    """
    from pixelpush.eval.coding import run

    progress = progress_unless(options.quiet)
    run.decompress(
        options.file, options.model, options.out, options.splits, options.episodes, progress
    )
