"""From a name or a path to a data set."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pixelpush.datasets.description import read_description
from pixelpush.datasets.episodes import EpisodeDataset
from pixelpush.datasets.readers import READERS
from pixelpush.datasets.root import data_root
from pixelpush.datasets.sim.names import (
    LABORATORIES,
    SOURCE,
    check_split,
    default_others,
    is_simulated,
    parse_name,
)
from pixelpush.errors import InputError
from pixelpush.files import expanded, is_complete

# Stores that 'pixelpush prepare NAME' makes under the data root.
PREPARED = tuple(reader.name for reader in READERS if reader.public)


def open_dataset(
    name_or_path: str | os.PathLike[str], split: str, **options: Any
) -> EpisodeDataset:
    """A split of a data set: ``len()``, ``[i]`` -> Episode.

    ``name_or_path``: a store's folder; ``"sim"``, ``"sim-diverse"`` or ``"sim-cameras"``, a
    laboratory of the simulated bin, with its own ``options``; ``"sim:1000"``, the same with 1000
    training episodes and at least as many of the others as 'pixelpush prepare sim --episodes 1000'
    makes; or the name of a store under the data root. Raises InputError, which lists the known
    names, for anything else.

    >>> open_dataset("bair", "test", size=3)
    Traceback (most recent call last):
    pixelpush.errors.InputError: dataset 'bair' takes no options, got size.
    """
    name = os.fspath(name_or_path)
    if is_simulated(name):
        # It loads the physics, which nothing else here needs.
        from pixelpush.datasets.sim.opening import open_sim

        laboratory, count = parse_name(name)
        return open_sim(laboratory, split, **{**_counts(split, count), **options})
    if options:
        raise InputError(f"dataset {name!r} takes no options, got {', '.join(sorted(options))}.")

    from pixelpush.datasets.store import EpisodeStore

    folder = find_store(name)
    store = EpisodeStore(folder, split)
    if store.metadata.get("source") == SOURCE:
        # It loads the physics too.
        from pixelpush.datasets.sim.versions import refuse_another_version

        refuse_another_version(folder, store.metadata)
    return store


def find_store(name_or_path: str) -> Path:
    """The folder of a store, given as a path or by its name under the data root.

    Raises InputError, which lists the known names, where there is none.

    >>> find_store("bair-of-mine")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    pixelpush.errors.InputError: no dataset
    """
    name = name_or_path
    path = expanded(name)
    if path.is_dir():
        return path
    in_root = data_root() / name
    if Path(name).name == name and in_root.is_dir():
        return in_root
    if name in PREPARED:
        raise InputError(
            f"dataset {name!r} is not prepared; run 'pixelpush prepare {name} --raw DIR' first."
        )
    raise InputError(
        f"no dataset {name!r}: not a folder, and the known ones are {', '.join(available())}. "
        "Make one of recordings with 'pixelpush prepare --raw DIR'."
    )


def count_episodes(name_or_path: str, split: str, size: int = 64) -> int:
    """How many episodes a split has, without making any.

    The simulated bin is made when it is opened: the number is what it will have then. size: side of
    its frames in pixels. Raises InputError for an unknown data set or split.

    >>> count_episodes("sim:1000", "train")
    1000
    """
    if not is_simulated(name_or_path):
        path = find_store(name_or_path)
        return read_description(path).split(split, path).episodes
    # They load the physics, which nothing else here needs.
    from pixelpush.datasets.sim.prepare import store_path
    from pixelpush.datasets.sim.splits import first_episodes

    check_split(split)
    laboratory, training = parse_name(name_or_path)
    counts = _counts(split, training)
    if "episodes" in counts:
        return counts["episodes"]
    store = store_path(laboratory, split, size)
    made = read_description(store).splits[split].episodes if is_complete(store) else 0
    return max(made, counts.get("least", 0)) or first_episodes(split)


def lasting_name(name_or_path: str) -> str:
    """The name of a data set as a run should keep it: of a folder, its whole path.

    A whole path still leads there from another working directory.

    >>> lasting_name("sim:1000")
    'sim:1000'
    """
    path = expanded(name_or_path)
    if not is_simulated(name_or_path) and path.is_dir():
        return str(path.resolve())
    return name_or_path


def _counts(split: str, training: int | None) -> dict[str, int]:
    """Options of ``open_sim`` where the name says how many training episodes there are."""
    if training is None:
        return {}
    return {"episodes": training} if split == "train" else {"least": default_others(training)}


def available() -> list[str]:
    """Names that ``open_dataset`` can open now.

    They are the simulated laboratories and the finished stores under the data root.

    >>> available()[:3]
    ['sim', 'sim-diverse', 'sim-cameras']
    """
    root = data_root()
    stores = [path.parent.name for path in root.glob("*/store.json")] if root.is_dir() else []
    return [*LABORATORIES, *sorted(name for name in stores if not name.startswith("."))]
