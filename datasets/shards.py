"""Finished shards of a store: one file of records each, and a sidecar that says what it holds."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from array_record.python.array_record_module import ArrayRecordWriter

from pixelpush.datasets.contents import joined_hash
from pixelpush.datasets.description import ShardDescription
from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.records import Schema, content_hash, encode_record
from pixelpush.datasets.store_reader import open_shard
from pixelpush.errors import InputError
from pixelpush.files import LIMITED, atomic_file, read_json_object, write_json

_SUFFIX = ".array_record"
SIDECAR = ".shard.json"
# Group size 1: each record is its own chunk, so random access reads no more than it needs.
_WRITER_OPTIONS = "group_size:1,zstd:3"
_SPLIT_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Shard:
    """A finished shard: what its sidecar file holds until the store is sealed.

    >>> Shard("val", 0, "a.array_record", 9, 8, Schema(3, 8, 8, 5, 5), ("a",), (20,), ("0",)).ids
    ('a',)
    """

    split: str
    index: int
    file: str
    bytes: int
    record_bytes: int
    schema: Schema
    ids: tuple[str, ...]
    lengths: tuple[int, ...]
    hashes: tuple[str, ...]

    def description(self) -> ShardDescription:
        """What store.json keeps of it."""
        return ShardDescription(self.file, len(self.ids), self.bytes, joined_hash(self.hashes))


def check_split_name(split: str) -> None:
    """Refuse with an InputError a name that files of a split could not carry.

    >>> check_split_name("test-seen")
    """
    if not _SPLIT_NAME.fullmatch(split):
        raise InputError(
            f"split name {split!r}: use small letters, digits and single hyphens, as in "
            "'test-seen'."
        )


def write_shard(
    folder: str | Path,
    split: str,
    index: int,
    episodes: Iterable[Episode],
    *,
    written: Callable[[Episode], object] | None = None,
) -> Shard:
    """Write shard ``index`` of ``split`` into a working folder.

    index: 0, 1, ..., without gaps by the time of sealing. The shard counts as finished only once
    this returns; a kill leaves it unfinished and the call is simply made again. Shards may be
    written by several processes at once. Raises InputError if there are no episodes, if schemas
    differ or if the disk is full.

    >>> import tempfile
    >>> import numpy as np
    >>> rows = np.zeros((1, 5), np.float32)
    >>> episode = Episode(np.zeros((1, 3, 8, 8), np.uint8), rows, rows, "a")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_shard(folder, "val", 0, [episode]).file
    'val-00000.array_record'
    """
    folder = Path(folder)
    check_split_name(split)
    name = f"{split}-{index:05d}{_SUFFIX}"
    ids = []
    lengths = []
    hashes = []
    record_bytes = 0
    schema = None
    with atomic_file(folder / name) as partial:
        with _writing(folder / name):
            writer = ArrayRecordWriter(str(partial), _WRITER_OPTIONS)
        for episode in episodes:
            schema = schema or Schema.of(episode)
            schema.check(episode)
            record = encode_record(episode)
            with _writing(folder / name):
                writer.write(record)
            record_bytes += len(record)
            ids.append(episode.id)
            lengths.append(len(episode.frames))
            hashes.append(content_hash(episode))
            if written is not None:
                written(episode)
        with _writing(folder / name):
            writer.close()
            arrived = open_shard(partial).num_records()
        if schema is None:
            raise InputError(f"shard {index} of split {split!r} has no episodes.")
        if arrived != len(ids):
            raise InputError(
                f"{folder / name}: {arrived} of {len(ids)} records reached the disk (is it full?)."
            )
        size = partial.stat().st_size
    shard = Shard(
        split, index, name, size, record_bytes, schema, tuple(ids), tuple(lengths), tuple(hashes)
    )
    # The sidecar comes last: a shard without one does not count as finished.
    write_json(folder / f"{split}-{index:05d}{SIDECAR}", asdict(shard))
    return shard


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """array_record raises RuntimeError for everything; the operating system's reason is in its
    message."""
    try:
        yield
    except RuntimeError as error:
        if "File too large" in str(error):
            raise InputError(f"{path}: {LIMITED}") from error
        if any(reason in str(error) for reason in ("No space left", "quota")):
            raise InputError(f"{path}: the disk is full; free some space and run again.") from error
        raise OSError(f"{path}: writing failed: {error}") from error


def finished_shards(folder: str | Path) -> dict[tuple[str, int], Shard]:
    """The finished shards of a working folder by (split, index); none where it does not exist yet.

    >>> finished_shards("nowhere")
    {}
    """
    shards = {}
    for sidecar in sorted(Path(folder).glob(f"*{SIDECAR}")):
        fields = read_json_object(sidecar)
        try:
            fields["schema"] = Schema(**fields["schema"])
            for name in ("ids", "lengths", "hashes"):
                fields[name] = tuple(fields[name])
            shard = Shard(**fields)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{sidecar}: damaged ({error!r}); remove it and run again.") from None
        data = sidecar.with_name(shard.file)
        # A shard whose file was lost or cut off since is made again.
        if data.is_file() and data.stat().st_size == shard.bytes:
            shards[shard.split, shard.index] = shard
    return shards
