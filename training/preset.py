"""What a training preset is. Light."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pixelpush.training.config import TrainConfig


@dataclass(frozen=True)
class Preset:
    """What a training preset is.

    family: 'video', 'image' or 'upscaler'. model: a model preset or kind of that family; overrides:
    its settings. train: how it is trained. command, hardware, minutes, expected: for people, what
    to type and what comes of it. ours: of a ``paper-*`` preset, what the papers do not say and we
    chose.

    >>> from pixelpush.training.presets import find_preset
    >>> find_preset("push-ot-small").command
    'pixelpush train push-ot-small --data sim --run runs/push-ot-small'
    """

    family: str
    model: str
    train: TrainConfig
    command: str
    hardware: str
    minutes: str
    expected: str
    overrides: Mapping[str, Any] = field(default_factory=dict)
    ours: tuple[str, ...] = ()
