"""Options of a training run: data, changes of the preset, settings. No torch."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from pixelpush.errors import InputError
from pixelpush.settings import check_seed
from pixelpush.training.config import TrainConfig

Split = TypeVar("Split")
_GROUPS = ("optimizer", "schedule", "data")


@dataclass(frozen=True)
class TrainingData:
    """A data set and the splits of it that are trained and validated on.

    >>> TrainingData("sim", validation_split="none").opened("{}/{}".format)
    ('sim/train', None)
    """

    data: str
    """Data set: 'sim' (sim:1000: with 1000 training episodes), the name of a prepared one, or a
    store's folder."""
    train_split: str = "train"
    """Split to train on."""
    validation_split: str = "val"
    """Split to validate on; 'none' for no validation."""
    also: tuple[str, ...] = ()
    """Further data sets whose train split is trained on too, such as sim-cameras."""

    def opened(self, open_split: Callable[[str, str], Split]) -> tuple[Split, Split | None]:
        """The training split and the validation split or None, of ``data`` alone.

        ``open_split(data, split)`` opens one."""
        training = open_split(self.data, self.train_split)
        if self.validation_split == "none":
            return training, None
        try:
            return training, open_split(self.data, self.validation_split)
        except InputError as error:
            raise InputError(f"{error} Without validation: --validation-split none.") from None

    @property
    def held_out(self) -> str:
        """The validation split, or the training one where nothing is validated."""
        return self.train_split if self.validation_split == "none" else self.validation_split


@dataclass(frozen=True)
class PresetChanges:
    """What a command changes of its preset's training; None leaves the preset's own value.

    >>> PresetChanges(learning_rate=0.01).applied_to(TrainConfig(8, 100)).optimizer.learning_rate
    0.01
    """

    examples: int | None = None
    """Planned length of the run in training examples (clips or images); the schedule follows it."""
    start: str | None = None
    """Start from the weights of this run folder, saved model or shipped one, of the same sizes
    (fine-tuning)."""
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

    def __post_init__(self):
        if self.seed is not None:
            check_seed(self.seed)

    def applied_to(self, base: TrainConfig) -> TrainConfig:
        """The configuration with the changes made; each goes to the part that has its name."""
        given = {
            name: value
            for name, value in vars(self).items()
            if value is not None and value is not False
        }
        optimizer = _fields_among(base.optimizer, given)
        data = _fields_among(base.data, given)
        own = given.keys() - optimizer.keys() - data.keys()
        return dataclasses.replace(
            base,
            optimizer=dataclasses.replace(base.optimizer, **optimizer),
            data=dataclasses.replace(base.data, **data),
            **{name: given[name] for name in own},
        )


def _fields_among(config: Any, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Those of the given values that are fields of ``config``."""
    names = {field.name for field in dataclasses.fields(config)}
    return {name: value for name, value in given.items() if name in names}


def parse_settings(settings: Sequence[str]) -> Mapping[str, Any]:
    """Turn ``["channels=48", "optimizer.clip_norm=2"]`` into values by name.

    Values are read as JSON, or else as text. Raises InputError for a text without '=' and for a
    name given twice.

    >>> parse_settings(["channels=48", "distribution=softmax", "centred=False"])
    {'channels': 48, 'distribution': 'softmax', 'centred': False}
    """
    parsed = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name:
            raise InputError(f"--set {setting}: write it as name=value.")
        if name in parsed:
            raise InputError(f"--set {name} is given twice.")
        try:
            # Python's spelling is taken beside JSON's. What is neither number, list nor truth is a
            # text.
            parsed[name] = json.loads({"True": "true", "False": "false"}.get(text, text))
        except ValueError:
            parsed[name] = text
    return parsed


def split_settings(settings: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return (settings of the model, settings of the training).

    The latter are those that start with a group's name.

    >>> split_settings({"channels": 48, "data.jitter": 2})
    ({'channels': 48}, {'data.jitter': 2})
    """
    training = {
        name: value
        for name, value in settings.items()
        if name.partition(".")[0] in (*_GROUPS, "train")
    }
    return {name: value for name, value in settings.items() if name not in training}, training


def override(config: TrainConfig, settings: Mapping[str, Any]) -> TrainConfig:
    """Return the configuration with some settings replaced.

    They are named ``train.x``, ``optimizer.x``, ``schedule.x`` and ``data.x``. Unknown names and
    wrong types raise InputError.

    >>> override(TrainConfig(8, 100), {"optimizer.clip_norm": 2}).optimizer.clip_norm
    2.0
    """
    for name, value in settings.items():
        group, _, key = name.partition(".")
        if group == "train":
            config = _replace(config, key, value, name)
        else:
            config = dataclasses.replace(
                config, **{group: _replace(getattr(config, group), key, value, name)}
            )
    return config


def _replace(config: Any, key: str, value: Any, name: str) -> Any:
    known = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    known = {field: old for field, old in known.items() if not dataclasses.is_dataclass(old)}
    if key not in known:
        group = name.partition(".")[0]
        raise InputError(
            f"unknown setting {name!r}; the settings are "
            f"{', '.join(f'{group}.{k}' for k in known)}."
        )
    return dataclasses.replace(config, **{key: _typed(known[key], value, name)})


def _typed(old: Any, value: Any, name: str) -> Any:
    """The value with the type of the one that it replaces."""
    if isinstance(old, tuple) and isinstance(value, list):
        if not all(isinstance(item, int | float) and not isinstance(item, bool) for item in value):
            raise InputError(f"--set {name}: {value!r} should hold numbers only.")
        return tuple(value)
    # 1 for 1.0 is meant well. True is an int to Python, and is not.
    if isinstance(old, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(old) is not type(value):
        raise InputError(
            f"--set {name}: {value!r} should be of type {type(old).__name__}, like {old!r}."
        )
    return value
