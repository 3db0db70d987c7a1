"""Ending a run early but cleanly: SIGTERM, Ctrl-C, the --minutes budget; and how long ago the last
save was."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType

_ACKNOWLEDGED = b"\nsaving after this step, then stopping; Ctrl-C again stops at once.\n"


class Clock:
    """Whether this process asks the run to stop or to save.

    minutes: time until the stop; 0 for no limit. save_minutes: age of the last save at which the
    next one is due.

    >>> Clock(minutes=0, save_minutes=10).requests()
    (False, False)
    """

    def __init__(self, minutes: float, save_minutes: float):
        self._end = time.monotonic() + 60 * minutes if minutes else None
        self._save_seconds = 60 * save_minutes
        self._saved = time.monotonic()
        self.interrupted = False

    def requests(self) -> tuple[bool, bool]:
        """Return (stop, save).

        stop: whether to end the run after this step. save: whether a save is due by the clock."""
        now = time.monotonic()
        stop = self.interrupted or (self._end is not None and now >= self._end)
        return stop, now - self._saved >= self._save_seconds

    def saved(self) -> None:
        """A save was written."""
        self._saved = time.monotonic()


# SIGHUP comes when the terminal is closed.
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def stopping_on_signals(clock: Clock) -> Iterator[None]:
    """Let the first SIGINT, SIGTERM or SIGHUP ask for a save and a stop after the step.

    A second SIGINT interrupts at once.

    >>> clock = Clock(minutes=0, save_minutes=10)
    >>> with stopping_on_signals(clock):
    ...     signal.raise_signal(signal.SIGTERM)
    >>> clock.requests()
    (True, False)
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(number: int, frame: FrameType | None) -> None:
        clock.interrupted = True
        # Not through the bar: a signal may come while it holds its lock.
        os.write(2, _ACKNOWLEDGED)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, ask) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
