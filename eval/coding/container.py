"""The file: a zip archive of a header and one member per episode, read at random.

``header.json`` says what decodes the file; every member is stored as it is (its bytes are already
dense) under zip's own CRC-32. A member is a few sections, one after the other, with their lengths
in front."""

from __future__ import annotations

import contextlib
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pixelpush.errors import InputError
from pixelpush.files import atomic_file

FORMAT = "pixelpush-coded"
VERSION = 1
HEADER = "header.json"
# Files made twice are the same bytes: zip members carry this date, the earliest there is.
_DATE = (1980, 1, 1, 0, 0, 0)


class Writer:
    """Adds members to a file that exists only once ``writing`` ends; ``bytes`` counts them.

    >>> import io
    >>> Writer(zipfile.ZipFile(io.BytesIO(), "w")).add("train/0000000", [b"ab"])
    14
    """

    def __init__(self, archive: zipfile.ZipFile):
        self._archive = archive

    def add(self, name: str, sections: Sequence[bytes]) -> int:
        """Write one member; its size in bytes."""
        data = pack(sections)
        self._archive.writestr(zipfile.ZipInfo(name, _DATE), data)
        return len(data)

    def finish(self, header: Mapping[str, Any]) -> None:
        """Write the header; call it last."""
        text = json.dumps({"format": FORMAT, "version": VERSION, **header}, allow_nan=False)
        info = zipfile.ZipInfo(HEADER, _DATE)
        self._archive.writestr(info, text, zipfile.ZIP_DEFLATED)


@contextlib.contextmanager
def writing(path: str | Path) -> Iterator[Writer]:
    """A writer whose file becomes ``path`` if the block succeeds; nothing is left otherwise.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with writing(Path(folder) / "a.coded") as writer:
    ...         writer.finish({"family": "video"})
    ...     Reader(Path(folder) / "a.coded").header["family"]
    'video'
    """
    with atomic_file(path) as partial, zipfile.ZipFile(partial, "w") as archive:
        yield Writer(archive)


class Reader:
    """An open file. ``header`` is its JSON; ``sections`` reads one member.

    Raises InputError for what is no such file, is damaged, or is of a newer version.

    >>> Reader("no-such-file")
    Traceback (most recent call last):
    pixelpush.errors.InputError: no-such-file: no such file; name one of 'pixelpush compress'.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        if not self.path.is_file():
            raise InputError(f"{self.path}: no such file; name one of 'pixelpush compress'.")
        with self._damage():
            with zipfile.ZipFile(self.path) as archive:
                header = json.loads(archive.read(HEADER))
            if not isinstance(header, dict) or header.get("format") != FORMAT:
                raise InputError(
                    f"{self.path}: not a file of 'pixelpush compress'; name one that is."
                )
        if header.get("version") != VERSION:
            raise InputError(
                f"{self.path}: version {header.get('version')!r} of the coded format; this release "
                f"reads version {VERSION}."
            )
        self.header: Mapping[str, Any] = header

    def sections(self, name: str) -> list[bytes]:
        """The sections of one member, its checksum verified."""
        with self._damage(), zipfile.ZipFile(self.path) as archive:
            return unpack(archive.read(name))

    @contextlib.contextmanager
    def _damage(self) -> Iterator[None]:
        """zipfile has no one error for a file that is not what it says."""
        try:
            yield
        except (
            zipfile.BadZipFile,
            zipfile.LargeZipFile,
            zlib.error,
            struct.error,
            ValueError,
            KeyError,
            EOFError,
            OSError,
            RuntimeError,
            OverflowError,
            MemoryError,
        ) as error:
            raise damaged(self.path, str(error)) from None


def damaged(path: Path, why: str) -> InputError:
    """The error of a file that cannot be read, as one line.

    >>> str(damaged(Path("pushes.pp"), "cut short"))
    'pushes.pp: the file is damaged (cut short); get it again.'
    """
    return InputError(f"{path}: the file is damaged ({why}); get it again.")


def pack(sections: Sequence[bytes]) -> bytes:
    """Sections as one byte string.

    >>> unpack(pack([b"ab", b""]))
    [b'ab', b'']
    """
    lengths = struct.pack(f"<I{len(sections)}Q", len(sections), *map(len, sections))
    return lengths + b"".join(sections)


def unpack(data: bytes) -> list[bytes]:
    """The inverse of ``pack``; ValueError or struct.error where lengths and data disagree.

    >>> unpack(pack([b"ab", b""])[:-1])
    Traceback (most recent call last):
    ValueError: a member's sections do not fill it
    """
    (count,) = struct.unpack_from("<I", data)
    lengths = struct.unpack_from(f"<{count}Q", data, 4)
    start = 4 + 8 * count
    if start + sum(lengths) != len(data):
        raise ValueError("a member's sections do not fill it")
    sections = []
    for length in lengths:
        sections.append(data[start : start + length])
        start += length
    return sections
