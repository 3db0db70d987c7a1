"""The command ``pixelpush nll``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pixelpush.cli.options import Splits, check_counts, check_outputs
from pixelpush.errors import InputError
from pixelpush.eval.likelihood.settings import ScoringSettings


@dataclass(frozen=True)
class NllOptions:
    """Options of ``pixelpush nll``.

    Example:
        >>> NllOptions(model="push-ot-small", splits=("val",)).splits
        ('val',)
    """

    model: str = ""
    """Run folder, saved model or name of a shipped one."""
    models: tuple[str, ...] = ()
    """Several of them instead: Table 2, a row for each, beside the published one."""
    data: str = ""
    """Data set: 'sim', the name of a prepared one, or a store's folder. Left out: what the model
    was trained on. Image models: the image set, as NAME or NAME:FOLDER."""
    splits: Splits = ()
    """Split to score; repeat for more. Left out: every split but train with --model, every split
    with --models; image models: test, or every split but train of sim-objects."""
    scoring: ScoringSettings = field(default_factory=ScoringSettings)
    """How whole splits are scored."""
    conditions: bool = False
    """Image models with a condition: score the first 200 images (or --episodes) of the first split
    again under other images' conditions, none, and other words; what each costs in nats."""
    json: Path | None = None
    """Write everything, per-episode values included, to this file (docs/evaluation.md has the
    schema)."""
    figure: Path | None = None
    """Draw each metric over the splits into this PNG, PDF or SVG file; of video models also the
    curve over frames and the first model's calibration. Image models with scales or --conditions
    get a second one, NAME-nats: nats by scale and group, and what false conditions cost."""
    quiet: bool = False
    """No progress bar."""


def nll(options: NllOptions) -> None:
    """Exact negative log-likelihood of whole splits, beside the reference row and the noise floor
    where it is known.

    Image models: of whole splits of an image set, beside the published figures.

    Example:
        >>> nll(NllOptions(models=("push-ot-small", "push-ot-small")))
        Traceback (most recent call last):
        pixelpush.errors.InputError: --models names 'push-ot-small' twice.
    """
    check_outputs(options.json, options.figure)
    check_counts(options.scoring, "episodes", "batch_size")
    names = [options.model] if options.model else list(options.models)
    if not names or (options.model and options.models):
        raise InputError("give one model with --model, or several with --models.")
    if len(set(names)) != len(names):
        raise InputError(f"--models names {next(n for n in names if names.count(n) > 1)!r} twice.")

    from pixelpush.eval.likelihood.runs import check_scoring

    check_scoring(names, options.data, options.splits)  # before torch is loaded

    from pixelpush.eval.likelihood import run

    outputs = run.Outputs(
        options.json, options.figure, bool(options.models), options.quiet, options.conditions
    )
    run.score_models(names, options.data, options.splits, options.scoring, outputs)
