"""TFRecord files without TensorFlow: framing, both checksums of every record, damage counted and
named.

A record is: length (8 bytes, little endian), masked CRC32C of those 8 bytes, the data, masked
CRC32C of the data."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import google_crc32c
import numpy as np

from pixelpush.errors import InputError

# Longer records are taken for damage: no episode of any set read here comes near.
MAX_RECORD_BYTES = 1 << 30
_HEADER, _FOOTER = 12, 4
_SCAN_BYTES = 1 << 20


@dataclass(frozen=True)
class Damage:
    """One record that could not be read."""

    file: str
    record: int
    offset: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, record {self.record} (byte {self.offset}): {self.reason}"


class DamageLog:
    """Counts and names damaged records over any number of files; raises InputError beyond ``limit``
    of them."""

    def __init__(self, limit: int, report: Callable[[str], object] | None = None):
        if limit < 0:
            raise InputError(f"the damage limit must be 0 or more, got {limit}.")
        self.limit = limit
        self.found: list[Damage] = []
        self._report = report or (lambda line: print(line, file=sys.stderr))

    def add(self, damage: Damage) -> None:
        """Take note of a damaged record, once however often its file is read."""
        if damage in self.found:
            return
        if len(self.found) >= self.limit:
            raise InputError(
                f"{damage} More than {self.limit} damaged records; repair or fetch the file again, "
                "or raise --damage-limit."
            )
        self.found.append(damage)
        self._report(f"skipped a damaged record: {damage}")


@dataclass(frozen=True)
class Record:
    """An intact record: its number in the file (damaged ones counted), its byte offset, its
    data."""

    number: int
    offset: int
    data: bytes


def masked_crc32c(data: bytes) -> int:
    """The checksum as TFRecord stores it: rotated and offset, so that checksums of checksums stay
    useful."""
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def read_records(path: str | Path, log: DamageLog) -> Iterator[Record]:
    """The intact records of a file in order; the damaged ones go to ``log``.

    Damaged data costs one record. After a damaged length the next record is found by searching for
    bytes whose two checksums both hold; everything in between counts as one damaged record. A
    truncated tail is reported."""
    path = Path(path)
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            yield from _read(file, size, path, log)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}).") from None


def _read(file: BinaryIO, size: int, path: Path, log: DamageLog) -> Iterator[Record]:
    offset, number = 0, 0
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
                offset, number = following, number + 1
                continue
            reason = "the checksum of its data is wrong"
        log.add(Damage(str(path), number, offset, f"{reason}."))
        offset, number = following, number + 1


def _length_at(file: BinaryIO, offset: int) -> int | None:
    """The record length written at ``offset``, or None if its checksum does not hold."""
    file.seek(offset)
    header = file.read(_HEADER)
    if len(header) < _HEADER or masked_crc32c(header[:8]) != struct.unpack_from("<I", header, 8)[0]:
        return None
    return struct.unpack_from("<Q", header)[0]


def _data_at(file: BinaryIO, offset: int, length: int) -> bytes | None:
    file.seek(offset + _HEADER)
    data, footer = file.read(length), file.read(_FOOTER)
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
