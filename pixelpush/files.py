"""Writing files and folders so that a kill or a full disk never leaves half of one. A leaf
module."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shutil
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pixelpush.errors import InputError

if sys.platform != "win32":  # where the command line refuses to run, in one line
    import fcntl

# A folder that carries this file is complete; it is written last.
MARKER = "COMPLETE"
# The description of a store of a million episodes has a tenth of it.
LARGEST_JSON = 64 << 20


# What is said where a file would grow past the limit on the size of files.
LIMITED = (
    "the file would be larger than is allowed here; nothing was kept of this write. Raise the "
    "limit (ulimit -f) and run again."
)


@contextlib.contextmanager
def full_disk_is_a_clear_error(path: Path) -> Iterator[None]:
    """Turn 'no space left', 'quota exceeded' and 'file too large' into one clear line.

    >>> with full_disk_is_a_clear_error(Path("run")):
    ...     raise OSError(errno.ENOSPC, "no space left")
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: run: the disk is full (no space left); ...
    """
    try:
        yield
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise InputError(f"{path}: {LIMITED}") from error
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise InputError(
                f"{path}: the disk is full ({error.strerror}); nothing was kept of this write. "
                "Free some space and run again."
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

    Only regular files are replaced. A link is followed and stays; a device or a pipe, such as
    /dev/null or /dev/stdout, gets the finished bytes. What killed writers of the same file have
    left is removed. Raises InputError for a folder.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_file(Path(folder) / "a.txt") as partial:
    ...         _ = partial.write_text("whole")
    ...     (Path(folder) / "a.txt").read_text()
    'whole'
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path}: is a folder; give a file name.")
    if path.exists() and not path.is_file():
        with tempfile.TemporaryDirectory() as folder:
            partial = Path(folder) / f"partial{path.suffix}"
            yield partial
            with (
                full_disk_is_a_clear_error(path),
                partial.open("rb") as source,
                path.open("wb") as device,
            ):
                shutil.copyfileobj(source, device)
        return
    path = behind_links(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path)
    # The suffix is kept, because writers of images and videos choose the format by it.
    partial = _partial(path, path.suffix)
    try:
        with full_disk_is_a_clear_error(path):
            partial.touch()
            with _held(partial):
                yield partial
            sync(partial)
            os.replace(partial, path)
            # The rename itself is durable only once the folder is flushed.
            sync(path.parent)
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield an empty folder beside ``path``; it becomes ``path`` only if the block succeeds.

    It then gets its marker. ``path`` must not exist. Everything is flushed before the marker is
    written and before the rename. What killed writers of the same folder have left is removed.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_folder(Path(folder) / "save") as partial:
    ...         pass
    ...     is_complete(Path(folder) / "save")
    True
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path)
    partial = _partial(path, "")
    partial.mkdir()
    try:
        with full_disk_is_a_clear_error(path):
            with _held(partial):
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


def behind_links(path: str | Path) -> Path:
    """Return where an output that may be a link really lies, so that replacing it keeps the link.

    >>> behind_links("no-such-file").name
    'no-such-file'
    """
    path = Path(path)
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def expanded(path: str | Path) -> Path:
    """Return a path with its ~ replaced; InputError where the user is unknown.

    >>> expanded("~no-such-user/data")
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: ~no-such-user/data: no such user's home folder; write the path out.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise InputError(f"{path}: no such user's home folder; write the path out.") from None


def leftovers(folder: str | Path) -> list[Path]:
    """Return what killed writers have left under a folder; what is being written is not listed.

    >>> leftovers("no-such-folder")
    []
    """
    found = Path(folder).rglob(".*.partial*")
    return sorted(path for path in found if not path.is_symlink() and _abandoned(path))


def remove_leftovers(path: Path) -> None:
    """Remove what killed writers of ``path`` have left beside it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / ".a.01234567.partial.txt").touch()
    ...     remove_leftovers(Path(folder) / "a.txt")
    ...     list(Path(folder).iterdir())
    []
    """
    pattern = re.compile(rf"\.{re.escape(_short(path))}\.[0-9a-f]{{8}}\.partial(\..*)?")
    for leftover in [*path.parent.glob(".*.partial*")]:
        if pattern.fullmatch(leftover.name) and _abandoned(leftover):
            if leftover.is_dir() and not leftover.is_symlink():
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink(missing_ok=True)


def _short(path: Path) -> str:
    """The part of a name that its partial names carry; names have at most 255 bytes."""
    return path.stem.encode()[:160].decode(errors="ignore")


def _partial(path: Path, suffix: str) -> Path:
    return path.with_name(f".{_short(path)}.{uuid.uuid4().hex[:8]}.partial{suffix}")


@contextlib.contextmanager
def _held(path: Path) -> Iterator[None]:
    """Hold a lock on a file or folder, which goes with the process however it ends."""
    handle = os.open(path, os.O_RDONLY)
    try:
        # Some network file systems have no locks: there, nothing keeps two writers apart.
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _abandoned(path: Path) -> bool:
    """Whether no process holds this partial file or folder."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


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


def read_json(path: str | Path, largest: int = LARGEST_JSON) -> Any:
    """Read JSON; a missing, broken, huge or too deeply nested file raises InputError.

    largest: bytes that such a file may have.

    >>> read_json("no-such-file")
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: no-such-file: no such file.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > largest:
            raise InputError(f"{path}: {size} bytes; a file of this kind has at most {largest}.")
        return json.loads(path.read_text(), parse_constant=_refuse_constant)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{path}: no such file.") from None
    except RecursionError:
        raise InputError(f"{path}: not valid JSON (nested too deeply).") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from None
    except ValueError as error:  # UnicodeDecodeError is one
        raise InputError(f"{path}: not valid JSON ({error}).") from None


def _refuse_constant(name: str) -> None:
    """Python's reader takes NaN and infinities, which are no JSON."""
    raise ValueError(f"{name} is no number of JSON")


def read_json_object(path: str | Path) -> dict[str, Any]:
    """Read JSON that must be an object.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_json(Path(folder) / "a.json", [1])
    ...     read_json_object(Path(folder) / "a.json")
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: ...a.json: holds a list, not an object; the file is damaged.
    """
    found = read_json(path)
    if not isinstance(found, dict):
        kind = type(found).__name__
        raise InputError(f"{path}: holds a {kind}, not an object; the file is damaged.")
    return found
