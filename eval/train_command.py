"""The ``train`` command: training, with strips of sampled futures on the way. Light: torch is
imported on a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import tyro

from pixelpush.errors import InputError
from pixelpush.training.commands import TrainOptions, configure, open_video_split, run_training

if TYPE_CHECKING:
    from pixelpush.training.loop import DrawSamples


def train(options: Annotated[TrainOptions, tyro.conf.arg(name="")]) -> None:
    """Train a model. The same command again continues a run, from its last save."""
    run_training(options, strips(options) if options.sample_examples > 0 else None)


def strips(options: TrainOptions) -> DrawSamples:
    """What draws film strips of the first validation episodes, or of the first training ones
    without validation."""
    preset, settings, config = configure(options)
    if preset.family != "video":
        raise InputError(
            "--sample-examples draws futures, of video models only; try 'pixelpush sample' on a "
            "save."
        )

    from pixelpush.eval.rollouts import RolloutSettings, strips_while_training

    split = options.train_split if options.validation_split == "none" else options.validation_split
    episodes = open_video_split(options.data, split, {**preset.overrides, **settings})
    return strips_while_training(
        episodes, RolloutSettings(samples=3, seed=config.seed, context=config.data.context)
    )
