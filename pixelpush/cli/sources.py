"""The sub-commands of ``pixelpush prepare``: one for each source of episodes.

Only 'pixelpush prepare SOURCE' imports this file: readers and simulator take a while to load."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pixelpush.datasets.objects import commands as objects
from pixelpush.datasets.prepare import StoreOptions, write_recording
from pixelpush.datasets.readers import READERS, Reader, recognise
from pixelpush.datasets.sim import commands as sim
from pixelpush.errors import InputError
from pixelpush.files import expanded


def sources() -> dict[str, Callable[..., None]]:
    """The one list of what can be prepared: the simulator's laboratories, and every reader.

    Example:
        >>> sorted(sources())[-1]
        'zarr'
    """
    return {
        "sim": sim.prepare_sim,
        "sim-diverse": sim.prepare_sim_diverse,
        "sim-cameras": sim.prepare_sim_cameras,
        "sim-objects": objects.prepare_objects,
        **{reader.name: _command(reader) for reader in READERS},
    }


def _command(reader: Reader) -> Callable[..., None]:
    """The sub-command of a reader: its own options and the store's, side by side."""

    def command(raw: Path, recordings: Any, store: StoreOptions) -> None:
        write_recording(reader.name, raw, recordings, store)

    # The command line is made from these; the reader's own options differ from one to the next.
    command.__annotations__["recordings"] = reader.load().Options
    command.__annotations__["store"] = StoreOptions
    command.__annotations__["raw"] = Path
    command.__doc__ = f"{reader.summary}\n\nArgs:\n    raw: Folder or file with the recordings."
    return command


def with_source(arguments: Sequence[str]) -> list[str]:
    """The arguments of 'prepare' with the name of the source in front.

    Where only --raw is given, the format of what lies there is recognised and printed.

    Example:
        >>> with_source(["lerobot", "--raw", "recordings"])
        ['lerobot', '--raw', 'recordings']
        >>> with_source(["--store", "mine"])
        Traceback (most recent call last):
        pixelpush.errors.InputError: name a source, or give --raw DIR, and its format is recognised.
    """
    if not arguments or not arguments[0].startswith("-") or set(arguments) & {"-h", "--help"}:
        return list(arguments)
    raw = _value(arguments, "--raw")
    if raw is None:
        raise InputError("name a source, or give --raw DIR, and its format is recognised.")
    reader, what = recognise(expanded(raw))
    print(f"{raw}: {what}; reading it by 'pixelpush prepare {reader.name}'.", file=sys.stderr)
    return [reader.name, *arguments]


def _value(arguments: Sequence[str], option: str) -> str | None:
    for number, argument in enumerate(arguments):
        if argument == option and number + 1 < len(arguments):
            return arguments[number + 1]
        if argument.startswith(f"{option}="):
            return argument.removeprefix(f"{option}=")
    return None
