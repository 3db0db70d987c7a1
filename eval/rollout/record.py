"""``rollout.json``: every rollout that a folder holds, those of earlier runs too."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from pixelpush.errors import InputError
from pixelpush.files import read_json, write_json

NAME = "rollout.json"
FORMAT = "pixelpush-rollout"
VERSION = 2
# An entry of rollout.json: JSON values, which other versions may have written.
Entry: TypeAlias = dict[str, Any]
# What makes two rollouts the same: with these alike the files are the same, byte for byte.
IDENTITY = ("model", "data", "split", "folder", "episode", "id", "actions_sha256", "settings")


def read_record(folder: Path) -> list[Entry]:
    """The entries of a folder's rollout.json, [] where there is none.

    Raises InputError for a file of another format.

    >>> read_record(Path("nowhere"))
    []
    """
    path = folder / NAME
    if not path.is_file():
        return []
    found = read_json(path)
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise InputError(f"{path}: not a record of rollouts; use another --out.")
    entries = found.get("rollouts")
    if found.get("version") not in (1, VERSION) or not isinstance(entries, list):
        raise InputError(
            f"{path}: version {found.get('version')!r}, this program reads 1 and {VERSION}; use "
            "another --out."
        )
    # Version 1 had one run to a folder, and its model and data above the entries.
    above = {name: found[name] for name in ("model", "data", "split", "folder") if name in found}
    return [{**above, **entry} for entry in entries]


def add_to_record(folder: Path, entries: Sequence[Mapping[str, Any]]) -> list[Entry]:
    """Add rollouts to the folder's rollout.json, in the place of the same ones; returns all.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = add_to_record(Path(folder), [{"model": "a", "steps": 3}])
    ...     add_to_record(Path(folder), [{"model": "a", "steps": 3}, {"model": "b"}])
    [{'model': 'a', 'steps': 3}, {'model': 'b'}]
    """
    before = read_record(folder)
    new = [identity_of(entry) for entry in entries]
    kept = [entry for entry in before if identity_of(entry) not in new]
    every = [*kept, *(dict(entry) for entry in entries)]
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / NAME, {"format": FORMAT, "version": VERSION, "rollouts": every})
    return every


def free_stem(folder: Path, stem: str, identity: Mapping[str, Any]) -> str:
    """The name for a rollout's files: ``stem``, or with a number where another rollout has it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = add_to_record(Path(folder), [{"model": "a", "files": {"npz": "0000-x.npz"}}])
    ...     [free_stem(Path(folder), "0000-x", {"model": name}) for name in ("a", "b")]
    ['0000-x', '0000-x-2']
    """
    taken = {
        str(entry["files"]["npz"]).removesuffix(".npz"): identity_of(entry)
        for entry in read_record(folder)
        if "npz" in entry.get("files", {})
    }
    wanted = identity_of(identity)
    number = 1
    chosen = stem
    while chosen in taken and taken[chosen] != wanted:
        number += 1
        chosen = f"{stem}-{number}"
    return chosen


def identity_of(entry: Mapping[str, Any]) -> Entry:
    """What tells a rollout from others in its folder.

    >>> identity_of({"model": "a", "steps": 3})["model"], "steps" in identity_of({"steps": 3})
    ('a', False)
    """
    return {name: entry.get(name) for name in IDENTITY}


def actions_digest(actions: np.ndarray | None) -> str | None:
    """SHA-256 of actions given in a file; None where they are the recorded ones.

    >>> actions_digest(None) is None, actions_digest(np.zeros((2, 4)))[:8]
    (True, '66687aad')
    """
    if actions is None:
        return None
    return hashlib.sha256(np.ascontiguousarray(actions, np.float32).tobytes()).hexdigest()
