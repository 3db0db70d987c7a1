"""Image models by name: the kinds, the papers' sizes (``paper-*``) and small ones for a CPU.

Every preset stands in the record of its kind."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from pixelpush.image.config import ImageConfig
from pixelpush.image.kind_list import KINDS
from pixelpush.image.kinds import ImageKind, ImagePreset
from pixelpush.registry import Registry
from pixelpush.settings import check_settings


def model_presets() -> dict[str, tuple[ImageKind, ImagePreset]]:
    """Return every preset, with its kind, by name.

    >>> kind, preset = model_presets()["cifar-small-pixelcnn++"]
    >>> kind.name, preset.training
    ('pixelcnn++', 'small')
    """
    return {
        name: (kind, preset) for kind in KINDS.values() for name, preset in kind.presets.items()
    }


def image_config(name: str, **overrides: Any) -> ImageConfig:
    """Return the configuration of a preset or of a bare kind ('pixelcnn', ...), with overrides.

    An unknown name or setting raises InputError.

    >>> image_config("cifar-small-pixelcnn", channels=8).channels
    8
    """
    bare = {
        kind.name: {"kind": kind.name, "distribution": kind.distribution} for kind in KINDS.values()
    }
    presets = {
        name: {"kind": kind.name, **preset.settings}
        for name, (kind, preset) in model_presets().items()
    }
    settings = {**Registry("image model", {**bare, **presets}).find(name), **overrides}
    kind = KINDS.find(settings["kind"])
    defaults = {field.name: field.default for field in fields(kind.config)}
    check_settings(name, settings, {**defaults, "kind": None})
    return kind.config(**settings)
