"""The record of one kind of video model, and the registry of all kinds.

A decoder's file ends with its record; ``vpn/decoders/__init__.py`` lists the files. Presets, rows
of the speed table, help texts and labels of published figures are derived from the records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pixelpush.errors import InputError
from pixelpush.registry import Registry

if TYPE_CHECKING:
    from pixelpush.vpn.decoders.base import Decoder
    from pixelpush.vpn.samplers import Sampler


@dataclass(frozen=True)
class Measured:
    """What a training of one of our presets took and gave.

    minutes: how long, in words. figure: the score reached, in words.

    >>> Measured("60 on sim:2000", "1.5 nats per sub-pixel on val").minutes
    '60 on sim:2000'
    """

    minutes: str
    figure: str


@dataclass(frozen=True)
class VideoKind:
    """Everything that the package knows about one kind of video model.

    name: of the kind, as in ``build_model(name)``; published figures (``pixelpush.published``) go
    by it too. label: for tables. complexity: sequential evaluations of a video of T frames of N
    pixels. decoder: its class. distribution: pixel distribution of a model built by the bare name.
    paper, gpu, small: settings of the presets ``paper-<name>``, ``push-<name>`` and
    ``push-<name>-small`` beside those that all kinds share (``vpn/presets.py``); paper is None
    where no paper describes the kind. variants: settings of the presets ``paper-<name>-<variant>``
    beside those of ``paper-<name>``. ours: what these presets fill in where the papers are
    silent. samplers: rows of the speed table. measured: by preset.

    >>> from pixelpush.vpn.decoders import KINDS
    >>> KINDS["ot"].label, KINDS["ot"].complexity
    ('O(T) VPN', 'O(T)')
    """

    name: str
    label: str
    complexity: str
    decoder: type[Decoder]
    distribution: str
    samplers: tuple[Sampler, ...]
    paper: Mapping[str, Any] | None = None
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    ours: tuple[str, ...] = ()
    gpu: Mapping[str, Any] = field(default_factory=dict)
    small: Mapping[str, Any] = field(default_factory=dict)
    measured: Mapping[str, Measured] = field(default_factory=dict)

    def sampler(self, name: str) -> Sampler:
        """Return the sampler of that name; an unknown name raises InputError.

        >>> from pixelpush.vpn.decoders import KINDS
        >>> KINDS["otn"].sampler("wavefront").words
        ', cached, wavefront'
        """
        for sampler in self.samplers:
            if sampler.name == name:
                return sampler
        names = ", ".join(sampler.name for sampler in self.samplers)
        raise InputError(f"{self.name}: unknown sampler {name!r}; choose one of {names}.")


# Filled by ``vpn/decoders/__init__.py``, in the order of Table 2.
KINDS: Registry[VideoKind] = Registry("video model")
