"""Writing files and folders so that a kill or a full disk never leaves half of one. A leaf
module."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pixelpush.errors import InputError

# A folder that carries this file is complete; it is written last.
MARKER = "COMPLETE"


@contextlib.contextmanager
def full_disk_is_a_clear_error(path: Path) -> Iterator[None]:
    """Turn 'no space left' and 'quota exceeded' under ``path`` into one clear line.

    >>> with full_disk_is_a_clear_error(Path("run")):
    ...     raise OSError(errno.ENOSPC, "no space left")
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: run: the disk is full; ...
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise InputError(
                f"{path}: the disk is full; nothing was kept of this write. Free some space and "
                "run again."
            ) from error
        raise


def sync(path: Path) -> None:
    """Flush a file or folder to the disk.

    >>> sync(Path("."))
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def atomic_file(path: str | Path) -> Iterator[Path]:
    """Yield a path beside ``path`` to write to; it replaces ``path`` only if the block succeeds.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_file(Path(folder) / "a.txt") as partial:
    ...         _ = partial.write_text("whole")
    ...     (Path(folder) / "a.txt").read_text()
    'whole'
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix is kept, because writers of images and videos choose the format by it.
    partial = path.with_name(f".{path.stem}.{uuid.uuid4().hex[:8]}.partial{path.suffix}")
    try:
        with full_disk_is_a_clear_error(path):
            yield partial
            sync(partial)
            os.replace(partial, path)
            sync(path.parent)
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield an empty folder beside ``path``; it becomes ``path`` only if the block succeeds.

    It then gets its marker. ``path`` must not exist. Everything is flushed before the marker is
    written and before the rename.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_folder(Path(folder) / "save") as partial:
    ...         pass
    ...     is_complete(Path(folder) / "save")
    True
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
    partial.mkdir()
    try:
        with full_disk_is_a_clear_error(path):
            yield partial
            for item in sorted(partial.rglob("*")):
                sync(item)
            (partial / MARKER).write_text("complete\n")
            sync(partial / MARKER)
            sync(partial)
            os.rename(partial, path)
            sync(path.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def is_complete(folder: str | Path) -> bool:
    """Whether ``atomic_folder`` finished this folder.

    >>> is_complete("no-such-folder")
    False
    """
    return (Path(folder) / MARKER).is_file()


def write_json(path: str | Path, value: Any) -> None:
    """Write indented JSON atomically; NaN and infinity are refused.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_json(Path(folder) / "a.json", {"a": 1})
    ...     read_json(Path(folder) / "a.json")
    {'a': 1}
    """
    text = json.dumps(value, indent=2, allow_nan=False) + "\n"
    with atomic_file(path) as partial:
        partial.write_text(text)


def read_json(path: str | Path) -> Any:
    """Read JSON; a missing or broken file raises InputError.

    >>> read_json("no-such-file")
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: no-such-file: no such file.
    """
    path = Path(path)
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        raise InputError(f"{path}: no such file.") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not valid JSON ({error}).") from None
