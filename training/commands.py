"""Options of the ``train`` command, and what it does with them. Light: torch is imported when a run
begins."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from pixelpush.errors import InputError
from pixelpush.training.config import DataConfig, RunOptions, TrainConfig
from pixelpush.training.options import override, parse_settings, split_settings
from pixelpush.training.presets import Preset, find_preset

if TYPE_CHECKING:
    from pixelpush.datasets.episodes import EpisodeDataset
    from pixelpush.training.loop import DrawSamples
    from pixelpush.training.task import Task


@dataclass(frozen=True)
class TrainOptions:
    """Options of ``pixelpush train``. Those left out are the preset's."""

    preset: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="PRESET")]
    """What to train: a training preset (an unknown name lists them)."""
    data: str
    """Data set: 'sim' (sim:1000: with 1000 training episodes), the name of a prepared one, or a
    store's folder."""
    run: Path
    """Run folder. The same command again continues the run that is there."""
    examples: int | None = None
    """Planned length of the run in training examples (clips or images); the schedule follows it."""
    start: str | None = None
    """Start from the weights of this run folder, saved model or shipped one, of the same sizes
    (fine-tuning)."""
    minutes: float = 0.0
    """Save and stop after so many minutes; the schedule does not change, the same command
    continues. 0: no limit."""
    batch_size: int | None = None
    """Examples in a batch, over all processes."""
    learning_rate: float | None = None
    """Highest learning rate."""
    seed: int | None = None
    """Seed of everything random: initial weights, order, clips, augmentation, dropout."""
    precision: Literal["32", "bf16"] | None = None
    """Arithmetic of the network: float32, or bfloat16 where that is safe (autocast)."""
    ema_decay: float | None = None
    """Decay per step of the averaged weights that are evaluated and published; 0 turns averaging
    off."""
    clip_frames: int | None = None
    """Frames in a training clip."""
    mirror: bool = False
    """Mirror half of the clips left to right, states and actions too."""
    jitter: int | None = None
    """Shift clips by up to this many pixels."""
    colour: float | None = None
    """Strength of random brightness, contrast and colour, from 0 to below 1."""
    settings: Annotated[
        tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(name="set", metavar="NAME=VALUE")
    ] = ()
    """Any setting of the model (channels=48), or of train., optimizer., schedule. or data.
    (optimizer.clip_norm=2)."""
    train_split: str = "train"
    """Split to train on."""
    validation_split: str = "val"
    """Split to validate on; 'none' for no validation."""
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Kind of device; auto takes a GPU where there is one."""
    devices: int = 0
    """Devices (on a CPU: processes) per machine; 0: what torchrun or Slurm says, else 1."""
    nodes: int = 0
    """Machines; 0: what torchrun or Slurm says, else 1."""
    accumulate: int = 1
    """Cut each process's part of a batch into this many pieces, to save memory; the result is the
    same."""
    compile: bool = False
    """Compile the model with torch.compile."""
    checkpointing: bool = False
    """Recompute activations in the backward pass: less memory, more time."""
    deterministic: bool = False
    """Use deterministic algorithms on a GPU too (slower)."""
    workers: int = 1
    """Reading threads per process."""
    save_examples: int = 0
    """Save each time so many examples were seen; 0: twenty times in a run."""
    save_minutes: float = 10.0
    """Save also when the last save is so old."""
    keep: int = 3
    """Keep the last so many saves, and the best."""
    validate_examples: int = 0
    """Validate each time so many examples were seen; 0: twenty times in a run."""
    validation_items: int = 64
    """Validate on the first so many items while training; the whole split is scored at the end."""
    sample_examples: int = 0
    """Draw sampled futures (video models) each time so many examples were seen; 0: never."""
    log_examples: int = 0
    """Write a line of metrics each time so many examples were seen; 0: every ten steps."""
    tensorboard: bool = False
    """Write the metrics to TensorBoard too."""
    quiet: bool = False
    """No progress bar."""


def run_training(options: TrainOptions, draw_samples: DrawSamples | None = None) -> None:
    """Carry out the command. draw_samples(model, folder) is called at the intervals of
    ``sample_examples``."""
    preset, model_settings, config = configure(options)
    task = open_task(preset, model_settings, config.data, options)

    from pixelpush.datasets.registry import lasting_name
    from pixelpush.training import loop
    from pixelpush.training.run_folder import command_line

    about = {
        "preset": options.preset,
        "data": lasting_name(options.data),
        "command": command_line(),
    }
    progress = loop.train(task, config, options.run, run_options(options), about, draw_samples)
    if progress.best is not None and not options.quiet:
        print(f"best save: {options.run}/checkpoints/{progress.best['save']}", file=sys.stderr)


def configure(options: TrainOptions) -> tuple[Preset, dict[str, Any], TrainConfig]:
    """(preset, settings of the model that override its own, configuration of the training) of a
    command."""
    preset = find_preset(options.preset)
    model_settings, training_settings = split_settings(parse_settings(options.settings))
    return preset, model_settings, override(train_config(preset.train, options), training_settings)


def train_config(base: TrainConfig, options: TrainOptions) -> TrainConfig:
    """The preset's configuration with the options that were given."""

    def given(*names: str) -> dict[str, Any]:
        return {
            name: getattr(options, name) for name in names if getattr(options, name) is not None
        }

    optimizer = replace(base.optimizer, **given("learning_rate"))
    data = replace(
        base.data,
        **given("clip_frames", "jitter", "colour"),
        mirror=options.mirror or base.data.mirror,
    )
    simple = given("examples", "batch_size", "seed", "precision", "ema_decay", "start")
    return replace(base, optimizer=optimizer, data=data, **simple)


def run_options(options: TrainOptions) -> RunOptions:
    """The part of the options that says how and where to run."""
    return RunOptions(**{name: getattr(options, name) for name in RunOptions.__dataclass_fields__})


# Each family's module makes its task; it is imported only when such a preset is trained.
def _open_video_task(
    preset: Preset, settings: Mapping[str, Any], data: DataConfig, options: TrainOptions
) -> Task:
    from pixelpush.training.video_task import VideoTask

    overrides = {**preset.overrides, **settings}
    training = open_video_split(options.data, options.train_split, overrides)
    validation = None
    if options.validation_split != "none":
        try:
            validation = open_video_split(options.data, options.validation_split, overrides)
        except InputError as error:
            raise InputError(f"{error} Without validation: --validation-split none.") from None
    return VideoTask(preset.model, overrides, data, training, validation)


def open_video_split(data: str, split: str, settings: Mapping[str, Any]) -> EpisodeDataset:
    """A split for a model with these settings: the simulator draws at their frame size, where they
    name one."""
    from pixelpush.datasets import is_simulated, open_dataset

    size = (
        {"size": settings["frame_size"]} if is_simulated(data) and "frame_size" in settings else {}
    )
    return open_dataset(data, split, **size)


def _open_super_resolution_task(
    preset: Preset, settings: Mapping[str, Any], data: DataConfig, options: TrainOptions
) -> Task:
    from pixelpush.datasets import is_simulated, open_dataset
    from pixelpush.training.super_resolution_task import SuperResolutionTask

    overrides = {**preset.overrides, **settings}
    names = [
        options.train_split,
        *([] if options.validation_split == "none" else [options.validation_split]),
    ]
    if not is_simulated(options.data):
        return SuperResolutionTask(
            overrides, data, *(open_dataset(options.data, name) for name in names)
        )
    # The simulator draws the same episode at every size: the small frames are pictures of their
    # own.
    large, small = (
        [open_dataset(options.data, name, size=size) for name in names]
        for size in (overrides["frame_size"], overrides["frame_size"] // 2)
    )
    return SuperResolutionTask(
        overrides, data, *large, small=(small[0], small[1] if small[1:] else None)
    )


def _open_image_task(
    preset: Preset, settings: Mapping[str, Any], data: DataConfig, options: TrainOptions
) -> Task:
    from pixelpush.datasets.image_sets import open_images
    from pixelpush.image.presets import image_config
    from pixelpush.training.image_task import ImageTask

    overrides = {**preset.overrides, **settings}
    scales = overrides.pop("train_scales", [])
    config = image_config(preset.model, **overrides)
    names = [
        options.train_split,
        *([] if options.validation_split == "none" else [options.validation_split]),
    ]
    splits = [open_images(options.data, name, size=config.image_size) for name in names]
    return ImageTask(config, data, splits[0], splits[1] if splits[1:] else None, scales)


_OPENERS: dict[str, Callable[..., Task]] = {
    "video": _open_video_task,
    "upscaler": _open_super_resolution_task,
    "image": _open_image_task,
}


def open_task(
    preset: Preset, settings: Mapping[str, Any], data: DataConfig, options: TrainOptions
) -> Task:
    """The task of a preset's family on the data that the options name."""
    return _OPENERS[preset.family](preset, settings, data, options)
