"""What a reader could not use: counted, named, and an error beyond a limit."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

from pixelpush.errors import InputError


@dataclass(frozen=True)
class Damage:
    """One record or episode that could not be read.

    >>> Damage("a.tfrecord", 3, 120, "wrong checksum").record
    3
    """

    file: str
    record: int
    offset: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, record {self.record} (byte {self.offset}): {self.reason}"


@dataclass(frozen=True)
class Unreadable:
    """An episode that could not be read; the reason names its file.

    >>> str(Unreadable("a.mp4: damaged"))
    'a.mp4: damaged'
    """

    reason: str

    def __str__(self) -> str:
        return self.reason


class DamageLog:
    """Counts and names what could not be read; raises InputError beyond ``limit`` of it.

    With a limit of 0 the first fault is the error itself. ``say`` passes on what a reader
    assumed or noticed; both go to ``report``, by default stderr.

    >>> log = DamageLog(1, report=print)
    >>> log.add(Unreadable("a.mp4: damaged"))
    skipped a damaged record: a.mp4: damaged
    >>> len(log.found)
    1
    """

    def __init__(self, limit: int, report: Callable[[str], object] | None = None):
        if limit < 0:
            raise InputError(f"the damage limit must be 0 or more, got {limit}.")
        self.limit = limit
        self.found: list[Damage | Unreadable] = []
        self._said: set[str] = set()
        self._report = report or (lambda line: print(line, file=sys.stderr))

    def add(self, damage: Damage | Unreadable) -> None:
        """Take note of a damaged record, once however often its file is read.

        Raises InputError for one more than the limit.

        >>> DamageLog(limit=0).add(Unreadable("a.mp4: it does not decode."))
        Traceback (most recent call last):
        pixelpush.errors.InputError: a.mp4: it does not decode.
        """
        if damage in self.found:
            return
        if len(self.found) >= self.limit:
            more = (
                f" More than {self.limit} damaged records; repair or fetch the file again, or "
                "raise --damage-limit."
                if self.limit or isinstance(damage, Damage)
                else ""
            )
            raise InputError(f"{damage}{more}")
        self.found.append(damage)
        self._report(f"skipped a damaged record: {damage}")

    def say(self, line: str) -> None:
        """Tell the user something, once.

        >>> log = DamageLog(limit=0, report=print)
        >>> log.say("camera: front")
        camera: front
        >>> log.say("camera: front")
        """
        if line not in self._said:
            self._said.add(line)
            self._report(line)
