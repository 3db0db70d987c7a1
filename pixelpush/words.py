"""Words that fit their numbers, for what is printed."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """A number with its noun, which gets an 's' for all but one.

    >>> counted(1, "episode"), counted(12, "frame")
    ('1 episode', '12 frames')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
