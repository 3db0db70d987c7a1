"""The one way to report progress: a task of known length, advanced by counts. A leaf module."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol


class Advance(Protocol):
    """Called with the number of items that were finished since the last call.

    note: what is known by now, shown behind the bar.

    >>> with silent(3, "scoring") as advance:
    ...     advance(1, "1.04 nats/sub-pixel")
    """

    def __call__(self, count: int, note: str = "", /) -> object: ...


# ``progress(total, name)`` begins a task of ``total`` items.
Progress = Callable[[int, str], AbstractContextManager[Advance]]

SECONDS_A_LINE = 5.0  # between two lines of a log


@contextlib.contextmanager
def silent(total: int, name: str) -> Iterator[Advance]:
    """Report nothing.

    >>> with silent(3, "reading") as advance:
    ...     advance(1)
    """
    yield lambda count, note="": None


@contextlib.contextmanager
def progress_bar(total: int, name: str) -> Iterator[Advance]:
    """Show a bar on stderr, which vanishes when the task is done.

    >>> with progress_bar(3, "reading") as advance:
    ...     _ = advance(3)
    """
    from tqdm import tqdm

    with tqdm(total=total, desc=name, leave=False, dynamic_ncols=True, file=sys.stderr) as bar:

        def advance(count: int, note: str = "") -> None:
            if note:
                bar.set_postfix_str(note, refresh=False)
            bar.update(count)

        yield advance


def progress_unless(quiet: bool) -> Progress:
    """How a command reports progress: by a bar, or not at all.

    >>> progress_unless(True) is silent
    True
    """
    return silent if quiet else progress_bar


@contextlib.contextmanager
def progress_kept(total: int, name: str, done: int = 0, unit: str = "episode") -> Iterator[Advance]:
    """Show a long task: by a bar that stays, or in a log by a line every few seconds.

    done: items of ``total`` that were there before.

    >>> with progress_kept(2, "sim/val") as advance:
    ...     _ = advance(2)
    """
    if not sys.stderr.isatty():
        yield _Lines(total, name, done, unit).advance
        return
    from tqdm import tqdm

    with tqdm(total=total, initial=done, unit=unit, desc=name) as bar:
        yield lambda count, note="": bar.update(count)


class _Lines:
    def __init__(self, total: int, name: str, done: int, unit: str):
        self._total = total
        self._name = name
        self._unit = unit
        self._before = done
        self._done = done
        self._begin = time.monotonic()
        self._said = self._begin

    def advance(self, count: int, note: str = "") -> None:
        self._done += count
        now = time.monotonic()
        if now - self._said < SECONDS_A_LINE and self._done < self._total:
            return
        self._said = now
        rate = (self._done - self._before) / max(now - self._begin, 1e-9)
        left = (self._total - self._done) / rate
        print(
            f"{self._name}: {self._done} of {self._total} {self._unit}s, {rate:.1f} a second, "
            f"{_duration(left)} left",
            file=sys.stderr,
            flush=True,
        )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
