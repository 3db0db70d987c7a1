"""Reading the on-disk store (its layout is described in store.py)."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from array_record.python.array_record_module import ArrayRecordReader

from pixelpush.datasets.augment import Mirror, Reflection
from pixelpush.datasets.contents import ContentCheck
from pixelpush.datasets.description import ShardDescription, read_description
from pixelpush.datasets.episodes import Episode, Metadata
from pixelpush.datasets.records import Schema, decode_record
from pixelpush.errors import InputError

_READER_OPTIONS = "readahead_buffer_size:0,max_parallelism:0"
_MAX_OPEN_SHARDS = 32
# Unpacking a long record for a short clip costs more than decoding the clip, so such records are
# kept, up to so much.
_MAX_KEPT_BYTES = 256 << 20


def open_shard(path: Path) -> Any:
    """array_record's reader of a shard file.

    >>> open_shard(Path("no-such-shard")).num_records()
    0
    """
    return ArrayRecordReader(str(path), _READER_OPTIONS, file_reader_buffer_size=1 << 16)


class EpisodeStore:
    """A split of a store, by random access: ``len(store)``, ``store[i]`` -> Episode.

    ``store.read(i, start, stop)`` gives a part of one. Opening checks that every shard is there,
    whole, and holds as many records as it should; when all episodes have been read, their contents
    are compared with what was written. Safe to pickle, to fork and to use from several threads.
    Every error is an InputError that names the shard and record.

    >>> EpisodeStore("nowhere", "train")
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere: no such folder; ...
    """

    def __init__(self, path: str | Path, split: str):
        self.path = Path(path)
        description = read_description(self.path)
        found = description.split(split, self.path)
        self.schema = description.schema
        self.metadata = description.metadata
        # None where it is not known.
        self.mirror = _mirror(self.path, self.metadata, self.schema)
        # pose, delta or other; None in stores that do not say it.
        self.action_kind: str | None = self.metadata.get("action_kind")
        self.content_sha256 = found.content_sha256
        # Frames of each episode.
        self.lengths = np.array(found.lengths, dtype=np.int64)
        self.split = split
        self.name = f"{self.path.name}/{split}"
        self._description = found
        self._files = [shard.file for shard in found.shards]
        self._ends = list(accumulate(shard.episodes for shard in found.shards))
        for shard in found.shards:
            self._check_shard(shard)
        self._reset()

    def _check_shard(self, shard: ShardDescription) -> None:
        path = self.path / shard.file
        if Path(shard.file).name != shard.file or not path.is_file():
            raise InputError(f"{path}: the shard is missing; prepare the data again.")
        with path.open("rb"):  # what may not be read is not called damaged
            found = path.stat().st_size
        if found != shard.bytes:
            raise InputError(
                f"{path}: the shard is truncated or changed: {found} bytes, expected "
                f"{shard.bytes}; prepare the data again."
            )
        try:
            records = open_shard(path).num_records()
        except RuntimeError as error:
            raise InputError(
                f"{path}: the shard is damaged ({error}); prepare the data again."
            ) from None
        if records != shard.episodes:
            raise InputError(
                f"{path}: the shard holds {records} records, expected {shard.episodes}; it is "
                "damaged: prepare the data again."
            )

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._readers: OrderedDict[str, Any] = OrderedDict()
        self._kept: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._kept_bytes = 0
        self._process = os.getpid()
        self._contents = ContentCheck(self.path, self.split, self._description)

    def __getstate__(self) -> dict[str, Any]:
        per_process = ("_lock", "_readers", "_kept", "_kept_bytes", "_process", "_contents")
        return {name: value for name, value in self.__dict__.items() if name not in per_process}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._reset()

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, index: int) -> Episode:
        return self.read(index)

    def read(self, index: int, start: int = 0, stop: int | None = None) -> Episode:
        """Episode ``index``, or its frames [start, stop) alone, without ``extra``.

        Only the frames asked for are decoded. Raises IndexError outside the split, InputError for
        damage.

        >>> import tempfile
        >>> from pixelpush.datasets.store_writer import write_store
        >>> rows = np.zeros((3, 0), np.float32)
        >>> episode = Episode(np.zeros((3, 1, 8, 8), np.uint8), rows, rows, "a")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = write_store(Path(folder) / "store", {"train": [episode]}, {})
        ...     EpisodeStore(path, "train").read(0, start=1).frames.shape
        (2, 1, 8, 8)
        """
        if not -len(self) <= index < len(self):
            raise IndexError(f"{self.name} has {len(self)} episodes, asked for {index}")
        index = int(index) % len(self)
        shard = int(np.searchsorted(self._ends, index, side="right"))
        position = index - (self._ends[shard - 1] if shard else 0)
        what = f"{self.path / self._files[shard]}, record {position}"
        try:
            data = self._read_record(self._files[shard], position, keep=(start, stop) != (0, None))
        except RuntimeError as error:
            raise InputError(f"{what}: damaged ({error}); prepare the data again.") from None
        episode = decode_record(data, self.schema, what, start, stop)
        if stop is None and start == 0 and not self._contents.done:
            with self._lock:
                self._contents.take(index, shard, episode)
        if stop is None and start == 0 and len(episode.frames) != self.lengths[index]:
            raise InputError(
                f"{what}: {len(episode.frames)} frames, store.json says {self.lengths[index]}; "
                "prepare the data again."
            )
        return episode

    def _read_record(self, name: str, position: int, keep: bool) -> bytes:
        # A reader's file offset would be shared with the parent after a fork; each process opens
        # its own.
        if self._process != os.getpid():
            self._reset()
        with self._lock:
            data = self._kept.pop((name, position), None)
            if data is not None:
                self._kept[name, position] = data  # now the latest used
                return data
            reader = self._readers.pop(name, None) or open_shard(self.path / name)
            self._readers[name] = reader
            if len(self._readers) > _MAX_OPEN_SHARDS:
                self._readers.popitem(last=False)
            data = reader.read([position])[0]
            if keep:
                self._keep(name, position, data)
            return data

    def _keep(self, name: str, position: int, data: bytes) -> None:
        self._kept[name, position] = data
        self._kept_bytes += len(data)
        while self._kept_bytes > _MAX_KEPT_BYTES:
            self._kept_bytes -= len(self._kept.popitem(last=False)[1])


def _mirror(path: Path, metadata: Metadata, schema: Schema) -> Mirror | None:
    """From ``mirror`` in the metadata: the entries of the state, and of the action, that change
    sign."""
    if metadata.get("mirror") is None:
        return None
    try:
        states, actions = ([int(entry) for entry in entries] for entries in metadata["mirror"])
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{path}/store.json: damaged ({error!r}); prepare the data again."
        ) from None
    return Mirror(
        Reflection.negating(states, schema.state_dim, f"the state of {path}"),
        Reflection.negating(actions, schema.action_dim, f"the action of {path}"),
    )
