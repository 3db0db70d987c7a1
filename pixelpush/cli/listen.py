"""The command ``pixelpush listen``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pixelpush.cli.options import check_counts, check_outputs
from pixelpush.errors import InputError
from pixelpush.eval.watching import WatchSettings
from pixelpush.progress import progress_unless


@dataclass(frozen=True)
class ListenOptions:
    """Options of ``pixelpush listen``.

    Example:
        >>> ListenOptions("push-ot-small").shift
        3
    """

    model: str
    """Run folder, saved model or name of a shipped one."""
    data: str = ""
    """Data set: 'sim', the name of a prepared one, or a store's folder. Left out: what the model
    was trained on."""
    split: str = ""
    """Split. Left out: val, or the data's last one."""
    watching: WatchSettings = field(default_factory=WatchSettings)
    """How episodes are scored."""
    shift: int = 3
    """Frames by which 'shifted' actions are delayed."""
    counterfactuals: int = 0
    """On 'sim' and its sisters: also score this many of the committed pairs of futures, the same
    start under other actions, half of them pushes that just miss. 0: none."""
    json: Path | None = None
    """Write everything, maps included, to this file."""
    figure: Path | None = None
    """Draw cost over frames and where in the picture each action counts, into this PNG, PDF or
    SVG."""
    quiet: bool = False
    """No progress bar."""


def listen(options: ListenOptions) -> None:
    """Does a model use its actions? What false ones cost, in nats, and a verdict.

    Example:
        >>> listen(ListenOptions("push-ot-small", shift=0))
        Traceback (most recent call last):
        pixelpush.errors.InputError: --shift must be at least 1, got 0.
    """
    check_outputs(options.json, options.figure)
    check_counts(options, "shift")
    if options.counterfactuals < 0:
        raise InputError("--counterfactuals must not be negative.")
    check_counts(options.watching, "episodes", "batch_size")

    from pixelpush.eval.likelihood.runs import check_request

    check_request(options.model, options.data, options.split, usual="val")

    from pixelpush.eval.listening.run import run

    run(
        options.model,
        options.data,
        options.split,
        options.watching,
        options.shift,
        options.counterfactuals,
        (options.json, options.figure),
        progress_unless(options.quiet),
    )
