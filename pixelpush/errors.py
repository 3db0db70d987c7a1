"""The one error class for a user's mistake. A leaf module: every room may import it."""

from __future__ import annotations


class InputError(ValueError):
    """Something the user gave is wrong. The message is one line: what, where and what to do.

    The command line prints it without a traceback and exits with code 2.
    """
