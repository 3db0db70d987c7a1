"""The command ``pixelpush inspect``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro

from pixelpush.errors import InputError
from pixelpush.files import expanded


@dataclass(frozen=True)
class InspectOptions:
    """Options of ``pixelpush inspect``."""

    data: tyro.conf.Positional[str]
    """Data set: the name of a prepared one, a store's folder, or 'sim'."""
    split: str = "train"
    """Split to look at, of the simulated bin; of a store all are looked at."""
    episodes: int = 1000
    """Look at so many episodes of a split at most, spread evenly."""
    out: Path | None = None
    """Folder for page.txt and contact-sheet.png. Left out: the store's own."""


def inspect(options: InspectOptions) -> None:
    """Say what is in a data set and what looks wrong: lengths, rates, ranges, what actions are,
    still frames, gaps in time; and draw a contact sheet."""
    from pixelpush.datasets.inspection import inspect_dataset, inspect_store
    from pixelpush.datasets.readers import recognise
    from pixelpush.datasets.registry import is_simulated, open_dataset
    from pixelpush.datasets.root import data_root

    if options.episodes < 1:
        raise InputError(f"--episodes must be at least 1, got {options.episodes}.")
    if is_simulated(options.data):
        out = options.out or Path(f"inspect-{options.data.replace(':', '-')}-{options.split}")
        episodes = open_dataset(options.data, options.split)
        print(inspect_dataset(episodes, out, limit=options.episodes))
        return
    path = expanded(options.data)
    if not path.exists() and path.name == options.data:
        path = data_root() / options.data
    if path.exists() and not (path / "store.json").is_file():
        reader, what = recognise(path)
        raise InputError(
            f"{path}: {what}, not a prepared set; run 'pixelpush prepare {reader.name} --raw "
            f"{path}', which ends with this page."
        )
    if not path.exists():
        open_dataset(options.data, options.split)  # says what there is
    print(inspect_store(path, limit=options.episodes, out=options.out))
