"""The command ``pixelpush compress``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pixelpush.cli.options import Splits, check_counts, check_outputs
from pixelpush.eval.coding.settings import CompressSettings
from pixelpush.progress import progress_unless


@dataclass(frozen=True)
class CompressOptions:
    """Options of ``pixelpush compress``.

    Example:
        >>> CompressOptions(model="push-ot-small", out=Path("test.pp")).splits
        ()
    """

    model: str
    """Run folder, saved model or name of a shipped one."""
    out: Path
    """File to write. It names the model, which decoding needs."""
    data: str = ""
    """Data set: 'sim', the name of a prepared one, or a store's folder. Left out: what the model
    was trained on. Image models: the image set; it must be given."""
    splits: Splits = ()
    """Split to code; repeat for more. Left out: the data's last one; image models: test."""
    coding: CompressSettings = field(default_factory=CompressSettings)
    """How splits are coded."""
    json: Path | None = None
    """Write where the bytes went to this file."""
    quiet: bool = False
    """No progress bar."""


def compress(options: CompressOptions) -> None:
    """Code episodes or images without loss, in as many bits as the model's likelihood says.

    Example:
        >>> compress(CompressOptions(model="push-ot-small", out=Path("/")))
        Traceback (most recent call last):
        pixelpush.errors.InputError: /: is a folder; give a file name.
    """
    check_outputs(options.json, None)
    check_outputs(options.out, None)
    check_counts(options.coding, "episodes", "batch_size", "threads")

    from pixelpush.eval.coding import run

    progress = progress_unless(options.quiet)
    run.compress(
        options.model,
        options.data,
        options.splits,
        options.out,
        options.coding,
        progress,
        options.json,
    )
