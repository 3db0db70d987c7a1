"""The command ``pixelpush presets``."""

from __future__ import annotations

from dataclasses import dataclass

import tyro

from pixelpush.training.preset_names import check_preset_name


@dataclass(frozen=True)
class PresetsOptions:
    """Options of ``pixelpush presets``.

    Example:
        >>> PresetsOptions("push-ot-small").name
        'push-ot-small'
    """

    name: tyro.conf.Positional[str] = ""
    """One preset: its command, hardware, time, expected figure, sizes and recipe. Left out: a line
    for each."""


def presets(options: PresetsOptions) -> None:
    """What can be trained: training presets with size, hardware, minutes and expected figure.

    Example:
        >>> presets(PresetsOptions("nothing"))
        Traceback (most recent call last):
        pixelpush.errors.InputError: unknown training preset 'nothing'; nearest: push-otn, ...
    """
    if options.name:
        check_preset_name(options.name)  # before torch is loaded

    from pixelpush.eval.presets import preset_text, presets_text

    print(preset_text(options.name) if options.name else presets_text())
