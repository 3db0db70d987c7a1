"""The command ``pixelpush surprise``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pixelpush.cli.options import check_counts
from pixelpush.eval.surprise.settings import SurpriseSettings
from pixelpush.eval.watching import WatchSettings
from pixelpush.progress import progress_unless


@dataclass(frozen=True)
class SurpriseOptions:
    """Options of ``pixelpush surprise``.

    Example:
        >>> SurpriseOptions("push-ot-small", Path("strange")).surprise.regions
        8
    """

    model: str
    """Run folder, saved model or name of a shipped one."""
    out: Path
    """Folder for surprise.csv, strangest.png, the videos and, with --roc, roc.json and roc.png."""
    data: str = ""
    """Data set to watch: 'sim', the name of a prepared one, or a store's folder. Left out: what the
    model was trained on."""
    split: str = ""
    """Split. Left out: the data's last one."""
    watching: WatchSettings = field(default_factory=WatchSettings)
    """How episodes are scored."""
    surprise: SurpriseSettings = field(default_factory=SurpriseSettings)
    """What is usual, and what counts as an alarm."""
    quiet: bool = False
    """No progress bar."""


def surprise(options: SurpriseOptions) -> None:
    """Find what the model has never seen: p-values against validation, alarms, strips, videos.

    Example:
        >>> none = WatchSettings(episodes=0)
        >>> surprise(SurpriseOptions("push-ot-small", Path("strange"), watching=none))
        Traceback (most recent call last):
        pixelpush.errors.InputError: --episodes must be at least 1, got 0.
    """
    check_counts(options.watching, "episodes", "batch_size")

    from pixelpush.eval.likelihood.runs import check_request

    check_request(options.model, options.data, options.split)

    from pixelpush.eval.surprise.run import run

    run(
        options.model,
        options.data,
        options.split,
        options.out,
        options.watching,
        options.surprise,
        progress_unless(options.quiet),
    )
