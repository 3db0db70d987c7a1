"""The command ``pixelpush train``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from pixelpush.training.config import RunOptions
from pixelpush.training.options import PresetChanges, TrainingData
from pixelpush.training.preset_names import help_text


@dataclass(frozen=True)
class TrainOptions:
    """Options of ``pixelpush train``. Those left out are the preset's.

    Example:
        >>> TrainOptions("push-ot-small", TrainingData("sim"), Path("runs/small")).settings
        ()
    """

    preset: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="PRESET", help=help_text())]
    source: TrainingData
    """What to train and validate on."""
    run: Path
    """Run folder. A run that is there already is continued."""
    changes: PresetChanges = field(default_factory=PresetChanges)
    """Changes of the preset; what is left out stays as the preset has it."""
    settings: Annotated[
        tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(name="set", metavar="NAME=VALUE")
    ] = ()
    """Any setting of the model (channels=48), or of train., optimizer., schedule. or data.
    (optimizer.clip_norm=2)."""
    how: RunOptions = field(default_factory=RunOptions)
    """How and where the run is carried out; this may differ from one call to the next."""


def train(options: TrainOptions) -> None:
    """Train a model. Run the same command again to continue from the last save.

    Example:
        >>> train(TrainOptions("nothing", TrainingData("sim"), Path("runs/small")))
        Traceback (most recent call last):
        pixelpush.errors.InputError: unknown training preset 'nothing'; nearest: push-otn, ...
    """
    from pixelpush.training.request import check_training

    check_training(options.preset, options.source, options.how)  # before torch is loaded

    from pixelpush.eval.rollout.training import train_with_strips

    train_with_strips(
        options.preset,
        options.source,
        options.run,
        options.changes,
        options.settings,
        options.how,
    )
