"""The errors that PixelPush raises on purpose. A leaf module: every package may import it."""

from __future__ import annotations


class PixelPushError(Exception):
    """Base of every error that PixelPush raises on purpose.

    >>> issubclass(InputError, PixelPushError)
    True
    """


class InputError(PixelPushError):
    """Something the user gave is wrong. The message is one line: what, where and what to do.

    The command line prints it without a traceback and exits with code 2.

    >>> raise InputError("--steps must be at least 1, got 0.")
    Traceback (most recent call last):
    pixelpush.errors.InputError: --steps must be at least 1, got 0.
    """
