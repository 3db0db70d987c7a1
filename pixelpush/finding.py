"""A line of the page of ``pixelpush doctor``. A leaf module."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """A line of the report. sound: whether what it names is without fault.

    >>> Finding("no ffmpeg", sound=False).sound
    False
    """

    text: str
    sound: bool = True
