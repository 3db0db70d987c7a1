"""TFRecord files without TensorFlow: framing, both checksums of every record, damage counted and
named.

A record is: length (8 bytes, little endian), masked CRC32C of those 8 bytes, the data, masked
CRC32C of the data."""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import google_crc32c
import numpy as np
from array_record.python.array_record_module import ArrayRecordReader

from pixelpush.datasets.damage import Damage, DamageLog
from pixelpush.datasets.sniff import foreign
from pixelpush.errors import InputError

# Longer records are taken for damage: no episode of any set read here comes near.
MAX_RECORD_BYTES = 1 << 30
# A record: uint64 length, its uint32 checksum, the data, their uint32 checksum.
_HEADER = 12
_FOOTER = 4
_SCAN_BYTES = 1 << 20


@dataclass(frozen=True)
class Record:
    """An intact record: its number in the file, its byte offset, its data.

    Damaged records are counted in the number.

    >>> Record(number=0, offset=12, data=b"a").data
    b'a'
    """

    number: int
    offset: int
    data: bytes


def masked_crc32c(data: bytes) -> int:
    """The checksum as TFRecord stores it: rotated and offset.

    The mask keeps checksums of checksums useful (tensorflow/core/lib/hash/crc32c.h).

    >>> hex(masked_crc32c(b""))
    '0xa282ead8'
    """
    # Masked, because the CRC of data that contain their own CRC tells little.
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def read_records(path: str | Path, log: DamageLog) -> Iterator[Record]:
    """The intact records of a file in order; the damaged ones go to ``log``.

    Damaged data costs one record. After a damaged length the next record is found by searching for
    bytes whose two checksums both hold; everything in between counts as one damaged record. A
    truncated tail is reported.

    >>> list(read_records("nowhere", DamageLog(0)))
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere: cannot be read (No such file or directory).
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            refuse_foreign(file, path)
            yield from _read(file, size, path, log)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}).") from None


@dataclass(frozen=True)
class RecordPlace:
    """Where a record lies in a TFRecord or array_record file; array_records have no offset.

    >>> RecordPlace(Path("a.tfrecord"), number=0, offset=0).number
    0
    """

    path: Path
    number: int
    offset: int | None


def find_records(path: Path) -> list[RecordPlace]:
    """The records of a file, found by their lengths alone: nothing else is read.

    Raises InputError where a length is damaged or the file is cut short.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / "a.tfrecord").touch()
    ...     find_records(Path(folder) / "a.tfrecord")
    []
    """
    if ".array_record" in path.name:
        return [RecordPlace(path, number, None) for number in range(_array_reader(path)[1])]
    found = []
    offset = 0
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            refuse_foreign(file, path)
            while offset < size:
                length = _length_at(file, offset)
                if length is None or offset + _HEADER + length + _FOOTER > size:
                    raise InputError(
                        f"{path}, record {len(found)} (byte {offset}): its length is damaged or "
                        "the file is cut short; fetch it again."
                    )
                found.append(RecordPlace(path, len(found), offset))
                offset += _HEADER + length + _FOOTER
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}).") from None
    return found


def read_record(place: RecordPlace) -> bytes:
    """One record's data, its checksum verified; damage is an InputError that names it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.tfrecord"
    ...     _ = file.write_bytes(bytes(20))
    ...     read_record(RecordPlace(file, 0, 0))  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    pixelpush.errors.InputError: a.tfrecord
    """
    what = f"{place.path}, record {place.number}"
    if place.offset is None:
        try:
            return _array_reader(place.path)[0].read([place.number])[0]
        except RuntimeError as error:
            raise InputError(f"{what}: damaged ({error}).") from None
    with place.path.open("rb") as file:
        length = _length_at(file, place.offset)
        data = None if length is None else _data_at(file, place.offset, length)
    if data is None:
        raise InputError(f"{what}: the checksum of its data is wrong.")
    return data


@functools.lru_cache(maxsize=4)
def _array_reader(path: Path) -> tuple[Any, int]:
    try:
        reader = ArrayRecordReader(str(path), "readahead_buffer_size:0,max_parallelism:0")
        return reader, reader.num_records()
    except RuntimeError as error:
        raise InputError(
            f"{path}: not a readable array_record file ({error}); fetch it again."
        ) from None


def refuse_foreign(file: BinaryIO, path: Path) -> None:
    """Refuse with an InputError a file that is no TFRecord, and say what it is.

    It may be a compressed file, a web page or an LFS pointer.

    >>> import io
    >>> refuse_foreign(io.BytesIO(b"<html>"), Path("a"))  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    pixelpush.errors.InputError: a
    """
    head = file.read(512)
    known = foreign(head) if _length_at(file, 0) is None else None
    if known:
        raise InputError(f"{path}: {known}.")


def _read(file: BinaryIO, size: int, path: Path, log: DamageLog) -> Iterator[Record]:
    offset = 0
    number = 0
    while offset < size:
        length = _length_at(file, offset)
        if length is None:
            following = _next_record(file, offset + 1, size)
            reason = (
                "truncated header"
                if size - offset < _HEADER
                else "the checksum of its length is wrong"
            )
        elif length > MAX_RECORD_BYTES or offset + _HEADER + length + _FOOTER > size:
            following = _next_record(file, offset + 1, size)
            reason = (
                f"truncated: {length} bytes announced, "
                f"{max(0, size - offset - _HEADER - _FOOTER)} left"
            )
        else:
            data = _data_at(file, offset, length)
            following = offset + _HEADER + length + _FOOTER
            if data is not None:
                yield Record(number, offset, data)
                offset = following
                number += 1
                continue
            reason = "the checksum of its data is wrong"
        log.add(Damage(str(path), number, offset, f"{reason}."))
        offset = following
        number += 1


def _length_at(file: BinaryIO, offset: int) -> int | None:
    """The record length written at ``offset``, or None if its checksum does not hold."""
    file.seek(offset)
    header = file.read(_HEADER)
    if len(header) < _HEADER or masked_crc32c(header[:8]) != struct.unpack_from("<I", header, 8)[0]:
        return None
    return struct.unpack_from("<Q", header)[0]


def _data_at(file: BinaryIO, offset: int, length: int) -> bytes | None:
    file.seek(offset + _HEADER)
    data = file.read(length)
    footer = file.read(_FOOTER)
    if len(footer) < _FOOTER or masked_crc32c(data) != struct.unpack("<I", footer)[0]:
        return None
    return data


def _next_record(file: BinaryIO, start: int, size: int) -> int:
    """The offset of the first whole, intact and non-empty record at or after ``start``; ``size`` if
    there is none."""
    position = start
    while position + _HEADER + _FOOTER <= size:
        file.seek(position)
        # Headers may straddle two pieces, so each piece overlaps the next by a header less one
        # byte.
        piece = file.read(_SCAN_BYTES + _HEADER - 1)
        for at in _plausible_headers(
            piece, min(MAX_RECORD_BYTES, size - position - _HEADER - _FOOTER)
        ):
            offset = position + at
            length = _length_at(file, offset)
            if length is None or offset + _HEADER + length + _FOOTER > size:
                continue
            if _data_at(file, offset, length) is not None:
                return offset
        position += _SCAN_BYTES
    return size


def _plausible_headers(piece: bytes, longest: int) -> list[int]:
    """Where in ``piece`` a length from 1 to ``longest`` could stand: of random bytes hardly
    anywhere."""
    last = len(piece) - _HEADER
    found = []
    for phase in range(min(8, last + 1)):
        lengths = np.frombuffer(piece, dtype="<u8", count=(last - phase) // 8 + 1, offset=phase)
        found += (np.flatnonzero((lengths > 0) & (lengths <= max(0, longest))) * 8 + phase).tolist()
    return sorted(found)
