"""The simulated futures of the committed pairs, in files: they depend on no model, and take longer
to simulate than to score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple
from pathlib import Path

import numpy as np

from pixelpush.datasets.episodes import Episode
from pixelpush.eval.listening.counterfactuals import Futures, Laboratory, Pair
from pixelpush.files import atomic_file

_LABELS = ("segmentation", "object_poses")


def futures(
    laboratory: str, size: int, pairs: Sequence[Pair], folder: Path | None
) -> list[Futures]:
    """Both futures of every pair, read from ``folder`` where it has them, simulated and written
    there where not. folder: of this version of the bin; None keeps nothing."""
    simulated: Laboratory | None = None
    found = []
    for pair in pairs:
        path = None if folder is None else folder / laboratory / str(size) / f"{_name(pair)}.npz"
        if path is not None and path.is_file():
            found.append(_read(path, pair))
            continue
        simulated = simulated or Laboratory(laboratory, size)
        found.append(simulated.futures(pair))
        if path is not None:
            _write(path, found[-1])
    return found


def _name(pair: Pair) -> str:
    """All that a pair says.

    >>> _name(Pair("val", 3, "miss", aside=(0.02, -0.0), target=1))
    'val-3-miss--1-0.02_-0.0-1'
    """
    return "-".join(
        "_".join(map(str, value)) if isinstance(value, tuple) else str(value)
        for value in astuple(pair)
    )


def _write(path: Path, both: Futures) -> None:
    arrays: dict[str, np.ndarray] = {}
    for which, episode in (("own", both.own), ("other", both.other)):
        for field in ("frames", "states", "actions"):
            arrays[f"{which}-{field}"] = getattr(episode, field)
        arrays |= {f"{which}-{label}": episode.extra[label] for label in _LABELS}
        arrays[f"{which}-id"] = np.array(episode.id)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def _read(path: Path, pair: Pair) -> Futures:
    with np.load(path, allow_pickle=False) as arrays:
        own, other = (_episode(arrays, which) for which in ("own", "other"))
    return Futures(pair, own, other)


def _episode(arrays: Mapping[str, np.ndarray], which: str) -> Episode:
    frames, states, actions = (
        arrays[f"{which}-{field}"] for field in ("frames", "states", "actions")
    )
    labels = {label: arrays[f"{which}-{label}"] for label in _LABELS}
    return Episode(frames, states, actions, str(arrays[f"{which}-id"]), labels)
