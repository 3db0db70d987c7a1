"""Signals ask for a save and a stop."""

from __future__ import annotations

import signal

import pytest

from pixelpush.training.interrupt import Clock, stopping_on_signals


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_each_asks_once_and_the_handlers_come_back(name):
    number = getattr(signal, name)
    before = signal.getsignal(number)
    clock = Clock(minutes=0, save_minutes=10)
    with stopping_on_signals(clock):
        assert clock.requests() == (False, False)
        signal.raise_signal(number)
    assert clock.requests() == (True, False)
    assert signal.getsignal(number) is before
