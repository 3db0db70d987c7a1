"""Settings of a training run. What changes the weights is in TrainConfig; how and where it runs is
in RunOptions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pixelpush.errors import InputError
from pixelpush.settings import (
    MOST_WORKERS,
    check_at_most,
    check_choice,
    check_not_negative,
    check_positive,
)
from pixelpush.training.optimizer_recipes import OptimizerConfig
from pixelpush.training.schedule import ScheduleConfig

Precision = Literal["32", "bf16"]


@dataclass(frozen=True)
class DataConfig:
    """How clips are cut from the training data and augmented.

    clip_frames: frames of a training clip, cut at a random place of a longer episode. context:
    frames given. scored_frames: longer episodes are scored in clips of this many frames, however
    short those of training are.

    mirror: half of the clips are mirrored left to right, states and actions with them. jitter:
    largest shift in pixels. colour: strength, 0 to 1, of random brightness, contrast and channel
    gains. corruption: share of the clips whose past is shown with faults (datasets/corruption.py),
    so that the faults of a model's own samples are not taken for news. own_samples: share of the
    steps, of an upscaler of the crops, whose past is a rollout of the model itself instead
    (vpn/own_past.py). drawing_episodes: how many other episodes give frames with each clip, which
    teach the layered encoder to draw the arm (it needs many stations in every step). object_labels:
    in pasts that are rollouts, objects that have moved are not learnt from, by the labels of the
    simulated bin; a rollout has them elsewhere. A model with objects learns there to keep its own
    whole, and goes along the labelled ways in half of the true pasts. teaches: 'all', or 'drawing'
    for a run that teaches to draw the arm alone, from which others start, or 'objects' for one that
    teaches to find objects and to foresee their ways. crop: super-resolution models train on random
    crops of this side; 0 for whole images. Raises InputError for a value out of bounds.

    >>> DataConfig(clip_frames=10, jitter=2).context
    2
    """

    clip_frames: int = 20
    context: int = 2
    scored_frames: int = 20
    mirror: bool = False
    jitter: int = 0
    colour: float = 0.0
    corruption: float = 0.0
    own_samples: float = 0.0
    drawing_episodes: int = 0
    object_labels: bool = False
    teaches: str = "all"
    crop: int = 0

    def __post_init__(self):
        check_choice("teaches", self.teaches, ("all", "drawing", "objects"))
        check_not_negative(self, "jitter", "colour", "crop", "drawing_episodes")
        for name in ("corruption", "own_samples"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} is a share, 0 to 1, got {getattr(self, name)}.")
        if self.object_labels and not self.own_samples:
            raise InputError("object_labels are used in own pasts alone: set own_samples too.")
        if self.object_labels and (self.mirror or self.jitter):
            raise InputError("object_labels are of the frames as recorded: no mirror, no jitter.")
        if self.colour >= 1:
            raise InputError(f"colour must be below 1, got {self.colour}.")
        for name in ("clip_frames", "scored_frames"):
            if not 1 <= self.context < getattr(self, name):
                raise InputError(
                    f"context {self.context} must be at least 1 and below {name} "
                    f"{getattr(self, name)}."
                )


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides the final weights, given the task.

    examples: the planned length of the run. ema_decay: decay per step of the averaged weights that
    are evaluated and published; 0 for no averaging. start: model whose weights, and normalisation,
    the run starts from (``find_saved``); '' for new ones. Raises InputError for a value out of
    bounds.

    >>> TrainConfig(batch_size=8, examples=100).optimizer.name
    'adamw'
    """

    batch_size: int
    examples: int
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    data: DataConfig = field(default_factory=DataConfig)
    ema_decay: float = 0.0
    precision: Precision = "32"
    seed: int = 0
    start: str = ""

    def __post_init__(self):
        check_positive(self, "batch_size", "examples")
        check_not_negative(self, "seed")
        if not 0 <= self.ema_decay < 1:
            raise InputError(f"ema_decay must be in [0, 1), got {self.ema_decay}.")
        check_choice("precision", self.precision, ("32", "bf16"))


@dataclass(frozen=True)
class RunOptions:
    """How and where a run is carried out; it may differ from one call to the next of the same run.

    Intervals are in examples. 0 means a twentieth of the planned length for save_examples, the same
    for validate_examples but never more than a tenth of the work (``validation_interval``), every
    tenth step for log_examples, and never for sample_examples. Raises
    InputError for a value out of bounds.

    >>> RunOptions(minutes=5.0).keep
    3
    """

    accelerator: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Kind of device; auto takes a GPU where there is one."""
    devices: int = 0
    """Devices (on a CPU: processes) per machine; 0: what torchrun or Slurm says, else 1."""
    nodes: int = 0
    """Machines; 0: what torchrun or Slurm says, else 1."""
    accumulate: int = 1
    """Cut each process's part of a batch into this many pieces, to save memory; the result is
    the same."""
    compile: bool = False
    """Compile the model with torch.compile."""
    checkpointing: bool = False
    """Recompute activations in the backward pass: less memory, more time."""
    deterministic: bool = False
    """Use deterministic algorithms on a GPU too (slower)."""
    workers: int = 1
    """Reading threads per process."""
    minutes: float = 0.0
    """Save and stop after this many minutes. The schedule does not change, and the same command
    continues the run. 0: no limit."""
    save_examples: int = 0
    """Examples between two saves; 0: twenty saves in a run."""
    save_minutes: float = 10.0
    """Save also when the last save is this many minutes old."""
    keep: int = 3
    """How many of the last saves are kept, beside the best."""
    validate_examples: int = 0
    """Examples between two validations; 0: twenty validations in a run, or fewer where they would
    take more than a tenth of the work."""
    validation_items: int = 64
    """Items that are validated on while training; the whole split is scored at the end."""
    log_examples: int = 0
    """Examples between two lines of metrics; 0: a line every ten steps."""
    sample_examples: int = 0
    """Examples between two drawings of sampled futures (video models); 0: none are drawn."""
    track: tuple[Literal["tensorboard", "wandb", "trackio"], ...] = ()
    """Give the metrics to these trackers too; each is an extra: pip install 'pixelpush[wandb]'."""
    quiet: bool = False
    """No progress bar."""

    def __post_init__(self):
        check_at_most(self, MOST_WORKERS, "workers")
        check_positive(self, "accumulate", "workers", "keep", "save_minutes", "validation_items")
        check_not_negative(
            self,
            "devices",
            "nodes",
            "minutes",
            "save_examples",
            "validate_examples",
            "log_examples",
            "sample_examples",
        )
