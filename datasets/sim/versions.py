"""Which version of the simulated bin a store or a run is of: told by what they recorded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pixelpush.datasets.root import data_root
from pixelpush.datasets.sim.episodes import training_content
from pixelpush.datasets.sim.names import (
    LABORATORIES,
    SOURCE,
    SPLITS,
    is_simulated,
    parse_name,
)
from pixelpush.errors import InputError


def of_another_version(config: Mapping[str, Any]) -> bool:
    """Whether a run's config.json names the simulated bin, but not of this program's version.

    The run's content hash is compared with what this version would give for its laboratory, frame
    size and number of episodes. False where the run had other data, or recorded no hash.

    >>> of_another_version({"data": "bair"})
    False
    """
    data = str(config.get("data") or "")
    task = config.get("task") or {}
    training = task.get("training") or {}
    if not is_simulated(data) or "content" not in training:
        return False
    laboratory, _ = parse_name(data)
    now = _identity(laboratory, int(task["model"]["frame_size"]))
    return training["content"] not in {
        training_content(now, split, training["episodes"], noise)
        for split in SPLITS
        for noise in (True, False)
    }


def refuse_another_version(
    path: Path, metadata: Mapping[str, Any], laboratory: str | None = None, size: int | None = None
) -> None:
    """Raise InputError for a store of another version, with the command that makes it anew.

    metadata: of the store at ``path``. laboratory, size: what it should be of; left out, what it
    says itself. Stores of other data are not judged.

    >>> refuse_another_version(Path("bair"), {"source": "BAIR"})
    >>> refuse_another_version(Path("old"), {"source": SOURCE, "identity": {"scene": 3}})
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: old: made by another version of the simulated bin: ...
    """
    if metadata.get("source") != SOURCE:
        return
    found = metadata.get("identity", {})
    if laboratory is None:
        laboratory = _laboratory(found)
    size = int(found.get("size", 64)) if size is None else size
    expected = _identity(laboratory, size)
    if found.get("hash") == expected["hash"]:
        return
    differing = [
        f"{name} {found.get(name)} (now {value})"
        for name, value in expected.items()
        if found.get(name) != value and name != "hash"
    ]
    raise InputError(
        f"{path}: made by another version of the simulated bin: "
        f"{', '.join(differing) or 'unknown'}; 'pixelpush prepare {laboratory} --size {size}"
        f"{_root_option(path, laboratory, size)} --rebuild' makes it anew."
    )


def _laboratory(found: Mapping[str, Any]) -> str:
    """The laboratory of a store's identity; the first versions had one, and did not name it."""
    named = found.get("laboratory")
    return named if named in LABORATORIES else "sim"


def _root_option(path: Path, laboratory: str, size: int) -> str:
    """Where a store lies as ``prepare`` lays it, but not under the data root: the option that leads
    there."""
    folder = path.absolute().parent
    root = folder.parent.parent
    laid = folder == root / laboratory / str(size)
    return f" --root {root}" if laid and root != data_root() else ""


def _identity(laboratory: str, size: int) -> Mapping[str, Any]:
    """The identity of this program's bin. MuJoCo, a third of a command's start, is imported
    here."""
    from pixelpush.datasets.sim.generate import identity

    return identity(laboratory, size)
