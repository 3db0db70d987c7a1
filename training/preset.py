"""What a training preset is. Light."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pixelpush.training.config import TrainConfig


@dataclass(frozen=True)
class Preset:
    """family: 'video', 'image' or 'upscaler'. model: a model preset or kind of that family;
    overrides: its settings.

    command, hardware, minutes, expected: for people, what to type and what comes of it.
    """

    family: str
    model: str
    train: TrainConfig
    command: str
    hardware: str
    minutes: str
    expected: str
    overrides: Mapping[str, Any] = field(default_factory=dict)
