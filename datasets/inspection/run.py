"""Carry out ``pixelpush inspect``: from the name of a data set to its page."""

from __future__ import annotations

from pathlib import Path

from pixelpush.datasets.inspection.inspect import inspect_dataset, inspect_store
from pixelpush.datasets.readers import recognise
from pixelpush.datasets.registry import is_simulated, open_dataset
from pixelpush.datasets.root import data_root
from pixelpush.errors import InputError
from pixelpush.files import expanded


def inspect_named(data: str, split: str | None, limit: int, out: Path | None) -> str:
    """The page of a data set, also written beside its contact sheet into ``out``.

    data: a laboratory of the simulated bin, the name of a prepared set, or a store's folder. split:
    None for all of a store, or train of the simulated bin. limit: episodes of a split that are
    looked at. out: None for the store itself, or for a folder here where a split is chosen. Raises
    InputError for recordings that are not prepared, and says how to prepare them.

    >>> inspect_named("sim", "val", 0, None)
    Traceback (most recent call last):
    pixelpush.errors.InputError: --episodes must be at least 1, got 0.
    """
    if limit < 1:
        raise InputError(f"--episodes must be at least 1, got {limit}.")
    if is_simulated(data):
        split = split or "train"
        episodes = open_dataset(data, split)
        return inspect_dataset(episodes, out or _beside(data, split), limit=limit)
    path = expanded(data)
    if not path.exists() and path.name == data:
        path = data_root() / data
    if path.exists() and not (path / "store.json").is_file():
        reader, what = recognise(path)
        raise InputError(
            f"{path}: {what}, not a prepared set; run 'pixelpush prepare {reader.name} --raw "
            f"{path}', which ends with this page."
        )
    if not path.exists():
        open_dataset(data, split or "train")  # its error says what there is
    if split is not None:
        out = out or _beside(path.name, split)
    return inspect_store(path, limit=limit, out=out, split=split)


def _beside(name: str, split: str) -> Path:
    """Where the page of one split goes: a store's own page is of all of it."""
    return Path(f"inspect-{name.replace(':', '-')}-{split}")
