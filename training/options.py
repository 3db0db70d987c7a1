"""From what was typed to the settings of a run: overrides of a preset, checked and typed. Light."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from pixelpush.errors import InputError
from pixelpush.training.config import TrainConfig

_GROUPS = ("optimizer", "schedule", "data")


def parse_settings(settings: Sequence[str]) -> dict[str, Any]:
    """``["channels=48", "optimizer.clip_norm=2"]`` -> a dict; values are read as JSON, else they
    are text."""
    parsed: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name:
            raise InputError(f"--set {setting}: write it as name=value.")
        if name in parsed:
            raise InputError(f"--set {name} is given twice.")
        try:
            parsed[name] = json.loads({"True": "true", "False": "false"}.get(text, text))
        except ValueError:
            parsed[name] = text
    return parsed


def split_settings(settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(settings of the model, settings of the training): the latter are those that start with a
    group's name."""
    training = {
        name: value
        for name, value in settings.items()
        if name.partition(".")[0] in (*_GROUPS, "train")
    }
    return {name: value for name, value in settings.items() if name not in training}, training


def override(config: TrainConfig, settings: Mapping[str, Any]) -> TrainConfig:
    """The configuration with ``train.x``, ``optimizer.x``, ``schedule.x``, ``data.x`` replaced;
    unknown ones fail."""
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
    if isinstance(old, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(old) is not type(value):
        raise InputError(
            f"--set {name}: {value!r} should be of type {type(old).__name__}, like {old!r}."
        )
    return value
