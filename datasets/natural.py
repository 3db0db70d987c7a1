"""Names in the order people count: frame2 before frame10."""

from __future__ import annotations

import re


def natural_key(name: str) -> tuple[tuple[int, int | str], ...]:
    """A sort key in which runs of digits compare as numbers."""
    parts = re.split(r"(\d+)", name)
    return tuple(
        (0, int(part)) if part.isdecimal() and part.isascii() else (1, part)
        for part in parts
        if part
    )


def template(name: str) -> str:
    """The name with every run of digits replaced by '#': files of one series share it."""
    return re.sub(r"\d+", "#", name)
