"""The training presets as text for ``pixelpush presets``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from torch import nn

from pixelpush.eval.text import MISSING, fitted_table, terminal_width
from pixelpush.image.kinds import NOT_MEASURED
from pixelpush.image.presets import image_config
from pixelpush.image.registry import build_image_model
from pixelpush.saved import built_empty
from pixelpush.training.preset import Preset
from pixelpush.training.presets import find_preset, presets
from pixelpush.vpn import build_model
from pixelpush.vpn.presets import video_config
from pixelpush.vpn.super_resolution import build_upscaler

# Of the simulated bin and of the Google set: the numbers that a model's size is given for.
_VECTORS = {"state_dim": 5, "action_dim": 5}
_HEADER = ["preset", "weights", "hardware", "minutes", "expected"]


def presets_text(width: int | None = None) -> str:
    """One table for each family: name, size, hardware, minutes, expected figure.

    width: the most characters of a line; None for the terminal's.

    >>> sorted({preset.family for preset in presets().values()})  # a table for each
    ['image', 'upscaler', 'video']
    """
    families: dict[str, list[list[str]]] = {}
    for name, preset in presets().items():
        size = f"{parameters(preset) / 1e6:.2f}M"
        row = [name, size, preset.hardware, _brief(preset.minutes), _brief(preset.expected)]
        families.setdefault(preset.family, []).append(row)
    width = terminal_width() if width is None else width
    tables = [
        f"{family}\n{fitted_table(_HEADER, rows, width)}" for family, rows in families.items()
    ]
    closing = f"{MISSING}: {NOT_MEASURED}. 'pixelpush presets NAME' says everything about one."
    return "\n\n".join([*tables, closing])


def _brief(words: str) -> str:
    return words.removesuffix(f"; ours {NOT_MEASURED}").replace(NOT_MEASURED, MISSING)


def preset_text(name: str) -> str:
    """Everything about one preset. Raises InputError for an unknown name.

    >>> print(preset_text("push-ot-small").splitlines()[0])
    preset:    push-ot-small (video, ...M weights)
    >>> preset_text("nothing")
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: unknown training preset 'nothing'; nearest: push-otn, ...
    """
    preset = find_preset(name)
    lines = {
        "preset": f"{name} ({preset.family}, {parameters(preset) / 1e6:.2f}M weights)",
        "command": preset.command,
        "hardware": preset.hardware,
        "minutes": preset.minutes,
        "expected": preset.expected,
    }
    parts = [f"{label + ':':<10} {words}" for label, words in lines.items()]
    if preset.ours:
        parts += ["\nours, where the papers do not say", *(f"  {words}" for words in preset.ours)]
    for label, settings in (("model", _model_settings(preset)), ("train", asdict(preset.train))):
        parts += [f"\n{label}", *(f"  {line}" for line in _flat(settings))]
    return "\n".join(parts)


def parameters(preset: Preset) -> int:
    """How many weights the preset's model has; of video models with 5 states and 5 actions.

    >>> round(parameters(find_preset("push-ot-small")) / 1e6, 2)
    4.78
    """
    model = built_empty(lambda: _BUILDERS[preset.family](preset))
    return sum(weights.numel() for weights in model.parameters())


def _model_settings(preset: Preset) -> Mapping[str, Any]:
    if preset.family == "video":
        return asdict(video_config(preset.model, **{**_VECTORS, **preset.overrides}))
    if preset.family == "image":
        return asdict(image_config(preset.model, **_image_overrides(preset)))
    return asdict(build_upscaler(**preset.overrides).config)


def _image_overrides(preset: Preset) -> Mapping[str, Any]:
    return {name: value for name, value in preset.overrides.items() if name != "train_scales"}


def _image(preset: Preset) -> nn.Module:
    config = image_config(preset.model, **_image_overrides(preset))
    return build_image_model(config.kind, **asdict(config))


_BUILDERS: dict[str, Callable[[Preset], nn.Module]] = {
    "video": lambda preset: build_model(preset.model, **{**_VECTORS, **preset.overrides}),
    "image": _image,
    "upscaler": lambda preset: build_upscaler(**preset.overrides),
}


def _flat(settings: Mapping[str, Any], prefix: str = "") -> list[str]:
    lines = []
    for name, value in settings.items():
        if isinstance(value, Mapping):
            lines += _flat(value, f"{prefix}{name}.")
        else:
            lines.append(f"{prefix}{name} = {json.dumps(value)}")
    return lines
