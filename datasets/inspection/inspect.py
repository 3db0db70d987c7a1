"""The page of a store or of any data set that can be opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pixelpush.datasets.episodes import EpisodeDataset, Metadata
from pixelpush.datasets.inspection.measure import Measurement
from pixelpush.datasets.inspection.page import page
from pixelpush.datasets.inspection.sheet import contact_sheet
from pixelpush.datasets.store import EpisodeStore, read_description, store_splits, summary
from pixelpush.errors import InputError

PAGE = "page.txt"
SHEET = "contact-sheet.png"
# Keys of a store's metadata that tell what was left out.
_LEFT_OUT = (
    "episodes_too_short",
    "episodes_in_no_split",
    "damaged_records",
    "moves_without_image",
    "last_moves_without_command",
    "episodes_not_here",
    "folders_without_frames",
    "frames_trimmed",
)


def inspect_store(
    path: Path,
    measured: Measurement | None = None,
    limit: int = 1000,
    out: Path | None = None,
    split: str | None = None,
) -> str:
    """The page of a store, also written as page.txt beside contact-sheet.png.

    measured: what an import has measured already; else up to ``limit`` episodes a split are read.
    out: the folder that both are written to, by default the store itself. split: the one that is
    looked at, by default all. Raises InputError for anything but a store, and for a split that it
    does not have.

    >>> inspect_store(Path("nowhere"))
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere: no such folder; ...
    """
    metadata = read_description(path).metadata
    chosen = store_splits(path) if split is None else [split]
    splits = {name: EpisodeStore(path, name) for name in chosen}
    total = sum(len(store) for store in splits.values())
    if measured is None:
        measured = Measurement(metadata)
        for store in splits.values():
            _measure(store, measured, limit)
    text = "\n".join(
        [summary(path), page(path.name, measured, metadata, total), *_left_out(metadata)]
    )
    return _write(text, splits.get("train") or next(iter(splits.values())), out or path)


def inspect_dataset(
    episodes: EpisodeDataset, out: Path, metadata: Metadata | None = None, limit: int = 1000
) -> str:
    """The page of one split of any data set, the simulated bin's too.

    It is also written as page.txt into ``out``, beside contact-sheet.png. metadata: by default the
    data set's own. limit: episodes that are looked at, spread evenly.

    >>> import tempfile
    >>> import numpy as np
    >>> from pixelpush.datasets.episodes import Episode, Prefix
    >>> rows = np.zeros((3, 0), np.float32)
    >>> episodes = Prefix([Episode(np.zeros((3, 1, 8, 8), np.uint8), rows, rows, "a")], 1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     print(inspect_dataset(episodes, Path(folder)).splitlines()[0])
    in memory: 1 episode, 3 frames; 3 to 3 frames each, median 3
    """
    found: Metadata = metadata or getattr(episodes, "metadata", None) or {}
    measured = Measurement(found)
    _measure(episodes, measured, limit)
    return _write(page(episodes.name, measured, found, len(episodes)), episodes, out)


def _measure(episodes: EpisodeDataset, measured: Measurement, limit: int) -> None:
    count = min(limit, len(episodes))
    for number in range(count):
        measured.add(episodes[number * len(episodes) // count])


def _write(text: str, episodes: EpisodeDataset, out: Path) -> str:
    try:
        out.mkdir(parents=True, exist_ok=True)
        sheet = contact_sheet(episodes, out / SHEET)
        (out / PAGE).write_text(f"{text}\n")
    except OSError as error:
        raise InputError(
            f"{out}: cannot be written to ({error.strerror or error}); name a folder by --out."
        ) from None
    return f"{text}\ncontact sheet: {sheet}"


def _left_out(metadata: Metadata) -> list[str]:
    lines = []
    for key in _LEFT_OUT:
        value = metadata.get(key)
        if value and (not isinstance(value, dict) or any(value.values())):
            lines.append(f"left out, {key.replace('_', ' ')}: {_brief(value)}")
    return lines


def _brief(value: Any) -> str:
    if isinstance(value, list):
        return f"{len(value)} ({', '.join(value[:3])}{', ...' if len(value) > 3 else ''})"
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items())
    return str(value)
