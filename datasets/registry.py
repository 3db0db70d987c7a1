"""From a name or a path to a data set."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pixelpush.datasets.episodes import EpisodeDataset
from pixelpush.errors import InputError

# Stores that 'pixelpush prepare NAME' makes under the data root.
PREPARED = ("google-push", "bair", "moving-mnist")


def data_root() -> Path:
    """Where prepared stores lie unless told otherwise: $PIXELPUSH_DATA, else ~/.cache/pixelpush."""
    return Path(os.environ.get("PIXELPUSH_DATA") or Path.home() / ".cache" / "pixelpush").expanduser()


def open_dataset(name_or_path: str | os.PathLike[str], split: str, **options: Any) -> EpisodeDataset:
    """A split of a data set: ``len()``, ``[i]`` -> Episode.

    ``name_or_path``: a store's folder; ``"sim"``, the simulated bin, with its own ``options``; or the name of a store
    under the data root. Raises InputError, which lists what there is, for anything else.
    """
    name = os.fspath(name_or_path)
    path = Path(name).expanduser()
    if name == "sim":
        from pixelpush.datasets.sim import open_sim  # type: ignore[attr-defined]

        return open_sim(split, **options)
    if options:
        raise InputError(f"dataset {name!r} takes no options, got {', '.join(sorted(options))}.")

    from pixelpush.datasets.store import EpisodeStore

    if path.is_dir():
        return EpisodeStore(path, split)
    in_root = data_root() / name
    if Path(name).name == name and in_root.is_dir():
        return EpisodeStore(in_root, split)
    if name in PREPARED:
        raise InputError(f"dataset {name!r} is not prepared; run 'pixelpush prepare {name} --raw DIR' first.")
    raise InputError(
        f"no dataset {name!r}: not a folder, and the known ones are {', '.join(available())}. "
        "Make one of your own recordings with 'pixelpush prepare folder --raw DIR'."
    )


def available() -> list[str]:
    """Names that ``open_dataset`` can open now: 'sim' and the finished stores under the data root."""
    root = data_root()
    stores = [path.parent.name for path in root.glob("*/store.json")] if root.is_dir() else []
    return ["sim", *sorted(name for name in stores if not name.startswith("."))]
