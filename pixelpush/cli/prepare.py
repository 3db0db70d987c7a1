"""The command ``pixelpush prepare``; sources.py has its sub-commands."""

from __future__ import annotations

from pixelpush.errors import InputError


def prepare() -> None:
    """Turn recordings, or the simulator, into a data set: pixelpush prepare --raw DIR, or
    pixelpush prepare {sim,lerobot,rlds,folder,...}.

    Example:
        >>> prepare()
        Traceback (most recent call last):
        pixelpush.errors.InputError: name a source: pixelpush prepare ...
    """
    from pixelpush.cli.sources import sources

    raise InputError(
        f"name a source: pixelpush prepare {{{','.join(sources())}}}; or give --raw DIR, and its "
        "format is recognised."
    )
