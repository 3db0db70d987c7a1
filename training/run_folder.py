"""The run folder: what the run is (config.json), and one process at a time."""

from __future__ import annotations

import contextlib
import fcntl
import json
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pixelpush
from pixelpush.errors import InputError
from pixelpush.files import full_disk_is_a_clear_error, read_json, write_json
from pixelpush.training.config import TrainConfig
from pixelpush.training.schedule import make_schedule

FORMAT = 1
_PACKAGES = ("torch", "numpy", "lightning-fabric", "safetensors", "opencv-python-headless")


@contextlib.contextmanager
def locked(run: Path) -> Iterator[None]:
    """Hold the run folder; a second training in it is refused.

    The lock goes with the process, however it ends. Raises InputError where the folder cannot be
    made or is held.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, locked(Path(folder) / "run"):
    ...     (Path(folder) / "run" / "lock").is_file()
    True
    """
    with full_disk_is_a_clear_error(run):
        try:
            run.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise InputError(f"{run}: is a file; --run names the folder of the run.") from None
        except PermissionError:
            raise InputError(
                f"{run}: cannot be created (permission denied); use another --run."
            ) from None
        stream = open(run / "lock", "a")  # noqa: SIM115 (held as long as the lock)
    with stream:
        try:
            # The system drops this lock when the process ends, in whatever way: no stale lock is
            # left.
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"{run}: another process is training in this run folder; wait for it, or use "
                "another --run."
            ) from None
        yield


def begin_or_resume(
    run: Path, config: TrainConfig, data: Mapping[str, Any], about: Mapping[str, Any]
) -> None:
    """Write config.json, or check that the run in this folder is the same one.

    about: further facts to keep (preset, command), which are not compared. Raises InputError that
    names the first setting that differs.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     begin_or_resume(Path(folder), TrainConfig(8, 100), {"model": "one"}, {})
    ...     read_json(Path(folder) / "config.json")["train"]["examples"]
    100
    """
    path = run / "config.json"
    # Through JSON, as the file that it is compared with: tuples become lists.
    identity = json.loads(json.dumps({"train": asdict(config), "task": dict(data)}))
    notes = identity["task"].pop("notes", None)
    if path.is_file():
        found = read_json(path)
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise InputError(
                f"{path}: not format {FORMAT}, which this version reads; use another --run."
            )
        _compare(run, found, identity, make_schedule(config.schedule).depends_on_length)
        return
    if (run / "checkpoints").exists():
        raise InputError(
            f"{path}: missing, but there are checkpoints; this is no whole run folder. Use "
            "another --run."
        )
    write_json(
        path,
        {
            "format": FORMAT,
            **about,
            **identity,
            "notes": notes,
            "versions": _versions(),
            "commit": _commit(),
        },
    )


def _compare(
    run: Path, found: Mapping[str, Any], wanted: Mapping[str, Any], length_matters: bool
) -> None:
    # A setting that came after the run began was then what its default is now.
    old = _flat(asdict(TrainConfig(1, 1)), "train") | _flat(found.get("train"), "train")
    new = _flat(wanted["train"], "train")
    old |= _flat(found.get("task"), "task")
    new |= _flat(wanted["task"], "task")
    if not length_matters:
        old.pop("train.examples", None)
        new.pop("train.examples", None)
    for name in [*new, *(old.keys() - new.keys())]:
        if old.get(name) != new.get(name):
            raise InputError(
                f"{run}: this run has {name} = {old.get(name)!r}, the command asks for "
                f"{new.get(name)!r}; use the"
                " settings it began with, or another --run."
            )


def _flat(value: Any, name: str) -> dict[str, object]:
    if not isinstance(value, dict):
        return {name: value}
    return {
        key: item
        for part, inner in value.items()
        for key, item in _flat(inner, f"{name}.{part}").items()
    }


def _versions() -> dict[str, str]:
    found = {name: version(name) for name in _PACKAGES}
    return {"pixelpush": pixelpush.__version__, "python": platform.python_version(), **found}


def _commit() -> str | None:
    """The commit of a source checkout, with '-modified' where files differ from it; None where
    there is none."""
    root = Path(pixelpush.__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return None
    try:
        commit = _git(root, "rev-parse", "HEAD")
        # Not 'describe --dirty': it writes the index whatever --no-optional-locks says.
        changes = _git(root, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return None
    return f"{commit}-modified" if changes else commit


def _git(root: Path, *words: str) -> str:
    """What a git command that only reads prints."""
    done = subprocess.run(
        ["git", "--no-optional-locks", *words],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    )
    return done.stdout.strip()


def command_line() -> str:
    """Return the command as it was typed.

    >>> isinstance(command_line(), str)
    True
    """
    return " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
