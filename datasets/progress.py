"""Progress of a long job on stderr: a bar in a terminal, a line every few seconds in a log."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

SECONDS = 5.0  # between two lines


@contextlib.contextmanager
def episode_progress(name: str, total: int, done: int = 0) -> Iterator[Callable[[], None]]:
    """Yield a function to call after every episode; ``done`` of ``total`` were there before.

    >>> with episode_progress("sim/val", total=2) as advance:
    ...     advance()
    """
    if not sys.stderr.isatty():
        yield _Lines(name, total, done).advance
        return
    from tqdm import tqdm

    with tqdm(total=total, initial=done, unit="episode", desc=name) as bar:

        def advance() -> None:
            bar.update()

        yield advance


class _Lines:
    def __init__(self, name: str, total: int, done: int):
        self._name, self._total, self._done = name, total, done
        self._before = done
        self._begin = self._said = time.monotonic()

    def advance(self) -> None:
        self._done += 1
        now = time.monotonic()
        if now - self._said < SECONDS and self._done < self._total:
            return
        self._said = now
        rate = (self._done - self._before) / max(now - self._begin, 1e-9)
        left = (self._total - self._done) / rate
        print(
            f"{self._name}: {self._done} of {self._total} episodes, {rate:.1f} a second, "
            f"{_duration(left)} left",
            file=sys.stderr,
            flush=True,
        )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
