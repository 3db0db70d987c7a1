"""The result of every reader of recordings: episodes by split, and what was left out.

A reader is a module of ``readers`` with ``Options`` (a frozen dataclass), ``recognise(raw)`` and
``read(raw, options, log) -> Recording``. It finds and decodes; ``prepare.py`` does the rest for all
of them: splits, minimal length, damage, the store and the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pixelpush.datasets.episodes import Episode, Metadata


@dataclass(frozen=True)
class Entry:
    """A recorded episode that was found. ``read`` decodes it, None where it has no frames.

    where: its file, and place in it, for the message of an InputError that does not say it.

    >>> Entry("a", read=lambda: None).read() is None
    True
    """

    id: str
    read: Callable[[], Episode | None]
    where: str = ""


@dataclass(frozen=True)
class Recording:
    """The episodes of a recorded set, read one at a time.

    splits: the source's own, or one list called ``UNSPLIT`` that ``prepare`` divides. metadata:
    JSON values that say where the data came from and how they were processed; the keys that other
    code reads are ``frames`` (crop, resize, size), ``fps``, ``state_names``, ``action_names`` and
    ``action_kind`` (where the source declares it). left_out: asked when all is read. total:
    episodes, where the number is known.

    >>> Recording({"train": []}, {"source": "a camera"}).total is None
    True
    """

    splits: Mapping[str, Iterable[Entry]]
    metadata: Metadata
    left_out: Callable[[], Mapping[str, Any]] = dict
    total: int | None = None


UNSPLIT = ""


def unsplit(
    entries: Sequence[Entry],
    metadata: Metadata,
    left_out: Callable[[], Mapping[str, Any]] = dict,
) -> Recording:
    """A recording whose source has no splits of its own.

    >>> unsplit([Entry("a", lambda: None)], {}).total
    1
    """
    return Recording({UNSPLIT: entries}, metadata, left_out, len(entries))
