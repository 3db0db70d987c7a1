"""Reading untrusted .npy and .npz content: never unpickled, sizes checked before memory is
taken."""

from __future__ import annotations

import io
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pixelpush.datasets.natural import is_junk
from pixelpush.datasets.sniff import foreign
from pixelpush.errors import InputError

_NPY_HEADER = re.compile(
    rb"\{'descr': ('[^']{1,40}'|\[.{1,4000}\]), 'fortran_order': (True|False), "
    rb"'shape': \(([\d, ]{0,200})\),? ?\} *\n?"
)

# What the standard library's reader is known to raise on damaged archives (RuntimeError: encrypted
# ones).
_ZIP_ERRORS = (
    OSError,
    zipfile.BadZipFile,
    ValueError,
    NotImplementedError,
    EOFError,
    RuntimeError,
    OverflowError,
    struct.error,
    zlib.error,
)

# No file, and no member of an archive, may have, or unfold to, more than what one of its kind may
# need. A table takes twenty times its bytes while it is read.
_LIMITS = {
    **dict.fromkeys((".csv", ".tsv", ".json", ".txt"), 32 << 20),
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".webp"), 64 << 20),
}
_LIMIT = 960 << 20


def _check_bytes(size: int, name: str, what: str) -> None:
    limit = _LIMITS.get(Path(name).suffix.lower(), _LIMIT)
    if size > limit:
        raise InputError(
            f"{what}: {size} bytes, too many for a file of its kind (at most {limit}); split it."
        )


def encode_array(array: np.ndarray) -> bytes:
    """The .npy bytes of an array of numbers.

    NumPy refuses object arrays with a ValueError, because they would need pickle.

    >>> decode_array(encode_array(np.arange(3)), "three numbers").tolist()
    [0, 1, 2]
    """
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asarray(array, order="C"), allow_pickle=False)
    return buffer.getvalue()


def decode_array(data: bytes, what: str) -> np.ndarray:
    """The array in .npy bytes, a read-only view of them; ``what`` names the source in errors.

    Raises InputError for damaged bytes and for anything but plain numbers of at most 8 dimensions.

    >>> decode_array(b"no array", "frames.npy")
    Traceback (most recent call last):
    pixelpush.errors.InputError: frames.npy: not a .npy array; save it by numpy.save.
    """
    if data[:6] != b"\x93NUMPY" or len(data) < 12:
        raise InputError(f"{what}: not a .npy array; save it by numpy.save.")
    # Version 1 counts its header in two bytes, later ones in four.
    width = 2 if data[6] == 1 else 4
    start = 8 + width + int.from_bytes(data[8 : 8 + width], "little")
    # NumPy itself evaluates the header as a Python literal; this takes only what NumPy writes.
    match = _NPY_HEADER.fullmatch(data[8 + width : start])
    if match is None:
        raise InputError(
            f"{what}: the header of the .npy array is damaged, or of a kind that is not read; "
            "save it by numpy.save."
        )
    if not re.fullmatch(rb"'([<>]?[biuf][1248]|\|[biu]1)'", match[1]):
        raise InputError(
            f"{what}: array of {match[1].decode('latin-1')[:40]}; only plain numbers are read; "
            "convert it by astype."
        )
    dtype = np.dtype(match[1][1:-1].decode())
    shape = tuple(int(size) for size in match[3].split(b",") if size.strip())
    expected = math.prod(shape) * dtype.itemsize
    found = len(data) - start
    if len(shape) > 8 or expected != found:
        raise InputError(
            f"{what}: shape {shape} of {dtype} needs {expected} bytes, found {found} "
            "(truncated?); copy or save it again."
        )
    return np.frombuffer(data, dtype=dtype, offset=start).reshape(
        shape, order="F" if match[2] == b"True" else "C"
    )


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def first_bytes(path: Path) -> bytes:
    """What tells the kind of a file; b'' where it cannot be read.

    >>> first_bytes(Path("no-such-file"))
    b''
    """
    try:
        with path.open("rb") as file:
            return file.read(512)
    except OSError:
        return b""


def read_bytes(path: Path) -> bytes:
    """A file's bytes; a missing, unreadable or oversized file is a clear error.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "a").write_bytes(b"abc")
    ...     read_bytes(Path(folder) / "a")
    b'abc'
    """
    try:
        _check_bytes(path.stat().st_size, path.name, str(path))
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}).") from None


def _members(path: Path) -> list[zipfile.ZipInfo]:
    """The files in a zip archive; anything else is a clear error."""
    try:
        with zipfile.ZipFile(path) as archive:
            return [info for info in archive.infolist() if not info.filename.endswith("/")]
    except _ZIP_ERRORS as error:
        known = None if not path.is_file() else foreign(first_bytes(path))
        if known and not known.startswith("a zip"):
            raise InputError(f"{path}: {known}.") from None
        raise InputError(
            f"{path}: not a readable archive ({_first_line(error)}); pack or fetch it again."
        ) from None


class Archive:
    """A .zip or .npz file read member by member, in memory: nothing is ever extracted to disk.

    Hidden files and those that macOS adds are passed over. Members whose names could leave the
    archive's own folder, encrypted ones and oversized ones are refused with an InputError.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/a.npz", frames=np.zeros(3))
    ...     list(Archive(Path(folder) / "a.npz").names())
    ['frames.npy']
    """

    def __init__(self, path: Path):
        self.path = path
        self._infos: dict[str, zipfile.ZipInfo] = {}
        for info in _members(path):
            parts = info.filename.replace("\\", "/").split("/")
            self._check_member(info, parts)
            if any(is_junk(part) for part in parts):
                continue
            if info.filename in self._infos:
                raise InputError(f"{path}: two members are called {info.filename!r}; pack it anew.")
            self._infos[info.filename] = info

    def _check_member(self, info: zipfile.ZipInfo, parts: list[str]) -> None:
        if ".." in parts or not parts[0] or ":" in parts[0]:
            raise InputError(
                f"{self.path}: member {info.filename!r} points outside the archive; pack it anew."
            )
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError(
                f"{self.path}: member {info.filename!r} is neither stored nor deflated; pack it "
                "anew."
            )

    def names(self) -> Iterator[str]:
        """Names of the members in stored order.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "some.npz"
        ...     np.savez(path, frames=np.zeros(1), states=np.zeros(1))
        ...     list(Archive(path).names())
        ['frames.npy', 'states.npy']
        """
        return iter(self._infos)

    def read(self, name: str) -> bytes:
        """One member's bytes, its CRC checked; an unknown or damaged member is an InputError.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "some.zip"
        ...     with zipfile.ZipFile(path, "w") as archive:
        ...         archive.writestr("a.txt", "hello")
        ...     Archive(path).read("a.txt")
        b'hello'
        """
        info = self._infos.get(name)
        if info is None:
            raise InputError(f"{self.path}: no member {name!r}; it has {sorted(self._infos)[:12]}.")
        _check_bytes(info.file_size, name, f"{self.path}: member {name!r} unfolds to")
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(info) as stream:
                # One byte beyond the declared size is asked for, so that a lying header is noticed,
                # not obeyed.
                data = stream.read(info.file_size + 1)
        except _ZIP_ERRORS as error:
            raise InputError(
                f"{self.path}: member {name!r} is damaged ({_first_line(error)}); fetch or pack "
                "it again."
            ) from None
        if len(data) != info.file_size:
            raise InputError(
                f"{self.path}: member {name!r} is damaged ({len(data)} of {info.file_size} "
                "bytes); fetch or pack it again."
            )
        return data

    def read_array(self, key: str) -> np.ndarray:
        """The array ``key`` of a .npz, as ``decode_array`` reads it.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "some.npz"
        ...     np.savez(path, states=np.zeros((2, 5)))
        ...     Archive(path).read_array("states").shape
        (2, 5)
        """
        return decode_array(self.read(f"{key}.npy"), f"{self.path}: array {key!r}")
