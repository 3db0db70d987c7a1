"""A line of the page of ``pixelpush doctor``. A leaf module."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """A line of the report. sound: whether all is well with what it names.

    >>> Finding("no ffmpeg", sound=False).sound
    False
    """

    text: str
    sound: bool = True
