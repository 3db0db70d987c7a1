"""Train a preset on a data set: choose its task, open its data, start the loop."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pixelpush.datasets import is_simulated, open_dataset
from pixelpush.datasets.episodes import EpisodeDataset
from pixelpush.datasets.image_sets import open_images
from pixelpush.datasets.joined import JoinedEpisodes
from pixelpush.datasets.registry import lasting_name
from pixelpush.errors import InputError
from pixelpush.image.presets import image_config
from pixelpush.registry import Registry
from pixelpush.training import loop
from pixelpush.training.config import DataConfig, RunOptions, TrainConfig
from pixelpush.training.devices import check_accelerator
from pixelpush.training.image_task import ImageTask
from pixelpush.training.loop import DrawSamples
from pixelpush.training.options import (
    PresetChanges,
    TrainingData,
    override,
    parse_settings,
    split_settings,
)
from pixelpush.training.preset import Preset
from pixelpush.training.presets import find_preset
from pixelpush.training.run_folder import command_line
from pixelpush.training.super_resolution_task import SuperResolutionTask
from pixelpush.training.task import Task
from pixelpush.training.video_task import VideoTask


def run_training(
    preset: str,
    data: TrainingData,
    run: Path,
    changes: PresetChanges,
    settings: Sequence[str],
    options: RunOptions,
    draw_samples: DrawSamples | None = None,
) -> None:
    """Train a preset, or continue the run that is in the folder ``run``.

    settings: ``NAME=VALUE`` texts. draw_samples(model, folder) is called at the intervals of
    ``options.sample_examples``. Raises InputError where something asked for does not fit.

    >>> from pixelpush.training.options import PresetChanges
    >>> run_training("oops", TrainingData("sim"), Path("run"), PresetChanges(), (), RunOptions())
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: unknown training preset 'oops'; nearest: ...
    """
    chosen, model_settings, config = configure(preset, changes, settings)
    check_accelerator(options)  # before any data are made for it
    task = open_task(chosen, model_settings, config.data, data)

    about = {"preset": preset, "data": lasting_name(data.data), "command": command_line()}
    try:
        progress = loop.train(task, config, run, options, about, draw_samples)
    except FileNotFoundError:
        if run.is_dir():
            raise
        raise InputError(
            f"{run}: the run's folder was removed while it trained, and its saves with it; the "
            "same command begins anew."
        ) from None
    if progress.best is not None and not options.quiet:
        print(f"best save: {run}/checkpoints/{progress.best['save']}", file=sys.stderr)


def configure(
    name: str, changes: PresetChanges, settings: Sequence[str]
) -> tuple[Preset, Mapping[str, Any], TrainConfig]:
    """A preset, the settings of the model that override its own, and the training's configuration.

    >>> preset, model, config = configure("push-ot-small", PresetChanges(seed=3), ["channels=48"])
    >>> model, config.seed
    ({'channels': 48}, 3)
    """

    preset = find_preset(name)
    model_settings, training_settings = split_settings(parse_settings(settings))
    return preset, model_settings, override(changes.applied_to(preset.train), training_settings)


def _open_video_task(
    preset: Preset, settings: Mapping[str, Any], data: DataConfig, source: TrainingData
) -> Task:

    overrides = {**preset.overrides, **settings}
    training, validation = opened_with_others(
        source, lambda data, split: open_video_split(data, split, overrides)
    )
    return VideoTask(preset.model, overrides, data, training, validation)


def opened_with_others(
    source: TrainingData, open_split: Callable[[str, str], EpisodeDataset]
) -> tuple[EpisodeDataset, EpisodeDataset | None]:
    """The training split, joined with those of ``source.also``, and the validation split or None.

    >>> opened_with_others(TrainingData("a", validation_split="none"), lambda data, split: [])
    ([], None)
    """
    training, validation = source.opened(open_split)
    if source.also:
        others = [open_split(data, "train") for data in source.also]
        training = JoinedEpisodes([training, *others])
    return training, validation


def open_video_split(data: str, split: str, settings: Mapping[str, Any]) -> EpisodeDataset:
    """Open a split for a model with these settings.

    The simulator draws at the settings' frame size, where they name one.

    >>> open_video_split("no-such-data", "val", {})
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: ...
    """

    size = (
        {"size": settings["frame_size"]} if is_simulated(data) and "frame_size" in settings else {}
    )
    return open_dataset(data, split, **size)


def _open_super_resolution_task(
    preset: Preset, settings: Mapping[str, Any], data: DataConfig, source: TrainingData
) -> Task:

    overrides = {**preset.overrides, **settings}
    if not all(map(is_simulated, (source.data, *source.also))):
        training, validation = opened_with_others(source, open_dataset)
        return SuperResolutionTask(overrides, data, training, validation)
    # The simulator draws the same episode at every size: the small frames are pictures of their
    # own.
    side = overrides["frame_size"]
    large, small = (
        opened_with_others(source, partial(open_dataset, size=pixels))
        for pixels in (side, side // 2)
    )
    return SuperResolutionTask(overrides, data, *large, small)


def _open_image_task(
    preset: Preset, settings: Mapping[str, Any], data: DataConfig, source: TrainingData
) -> Task:

    overrides = {**preset.overrides, **settings}
    scales = overrides.pop("train_scales", [])
    config = image_config(preset.model, **overrides)
    if source.also:
        raise InputError("--also: episodes can be joined, image sets cannot; leave it out.")
    training, validation = source.opened(partial(open_images, size=config.image_size))
    return ImageTask(config, data, training, validation, scales)


_OPENERS: Registry[Callable[..., Task]] = Registry(
    "family of models",
    {
        "video": _open_video_task,
        "upscaler": _open_super_resolution_task,
        "image": _open_image_task,
    },
)


def open_task(
    preset: Preset, settings: Mapping[str, Any], data: DataConfig, source: TrainingData
) -> Task:
    """Return the task of a preset's family on the splits of the source.

    >>> open_task(find_preset("push-ot-small"), {}, DataConfig(), TrainingData("no-such-data"))
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: ...
    """
    return _OPENERS.find(preset.family)(preset, settings, data, source)
