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
from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.records import Schema, decode_record
from pixelpush.errors import InputError
from pixelpush.files import MARKER, is_complete, read_json

FORMAT = "pixelpush-episodes"
FORMAT_VERSION = 1

_READER_OPTIONS = "readahead_buffer_size:0,max_parallelism:0"
_MAX_OPEN_SHARDS = 32
# Unpacking a long record for a short clip costs more than decoding the clip, so such records are
# kept, up to so much.
_MAX_KEPT_BYTES = 256 << 20


def open_shard(path: Path) -> Any:
    """array_record's reader of a shard file."""
    return ArrayRecordReader(str(path), _READER_OPTIONS, file_reader_buffer_size=1 << 16)


def read_description(path: str | Path) -> dict[str, Any]:
    """The contents of a finished store's store.json; anything else is a clear error."""
    path = Path(path)
    if not path.is_dir():
        raise InputError(f"{path}: no such folder.")
    if not (path / "store.json").is_file():
        raise InputError(
            f"{path}: not a store of episodes (no store.json); make one with 'pixelpush prepare'."
        )
    if not is_complete(path):
        raise InputError(
            f"{path}: the store was not finished (no {MARKER}); run its 'pixelpush prepare' again."
        )
    description = read_json(path / "store.json")
    if not isinstance(description, dict) or description.get("format") != FORMAT:
        raise InputError(f"{path}/store.json: not the description of a store of episodes.")
    if description.get("format_version") != FORMAT_VERSION:
        raise InputError(
            f"{path}: format version {description.get('format_version')!r}, this program reads "
            f"{FORMAT_VERSION}; "
            "prepare the data again."
        )
    return description


class EpisodeStore:
    """A split of a store: ``len(store)``, ``store[i]`` -> Episode, ``store.read(i, start, stop)``
    -> part of one.

    Opening checks that every shard is there, whole, and holds as many records as it should. Safe to
    pickle, to fork and to use from several threads. Every error is an InputError that names the
    shard and record."""

    def __init__(self, path: str | Path, split: str):
        self.path = Path(path)
        description = read_description(self.path)
        try:
            splits = description["splits"]
            if split not in splits:
                raise InputError(
                    f"{self.path}: no split {split!r}; it has {', '.join(sorted(splits))}."
                )
            self.schema = Schema(**description["schema"])
            self.metadata: dict[str, Any] = description["metadata"]
            if not isinstance(self.metadata, dict):
                raise TypeError("metadata is not an object")
            self.mirror = _mirror(
                self.path, self.metadata, self.schema
            )  # None where it is not known
            # pose, delta or other; None in stores that are older than the question.
            self.action_kind: str | None = self.metadata.get("action_kind")
            self.content_sha256: str = splits[split]["content_sha256"]
            self.lengths = np.array(
                splits[split]["lengths"], dtype=np.int64
            )  # frames of each episode
            shards = [
                (str(item["file"]), int(item["episodes"]), int(item["bytes"]))
                for item in splits[split]["shards"]
            ]
            count = int(splits[split]["episodes"])
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(
                f"{self.path}/store.json: damaged ({error!r}); prepare the data again."
            ) from None
        self.split = split
        self.name = f"{self.path.name}/{split}"
        self._files = [name for name, _, _ in shards]
        self._ends = list(accumulate(episodes for _, episodes, _ in shards))
        if count == 0 or not self._ends:
            raise InputError(f"{self.path}: split {split!r} is empty.")
        if self._ends[-1] != count or len(self.lengths) != count:
            raise InputError(
                f"{self.path}/store.json: split {split!r} disagrees about its number of episodes."
            )
        for name, episodes, size in shards:
            self._check_shard(name, episodes, size)
        self._reset()

    def _check_shard(self, name: str, episodes: int, size: int) -> None:
        path = self.path / name
        if Path(name).name != name or not path.is_file():
            raise InputError(f"{path}: the shard is missing; prepare the data again.")
        found = path.stat().st_size
        if found != size:
            raise InputError(
                f"{path}: the shard is truncated or changed: {found} bytes, expected {size}."
            )
        try:
            records = open_shard(path).num_records()
        except RuntimeError as error:
            raise InputError(f"{path}: the shard is damaged ({error}).") from None
        if records != episodes:
            raise InputError(
                f"{path}: the shard holds {records} records, expected {episodes}; it is damaged."
            )

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._readers: OrderedDict[str, Any] = OrderedDict()
        self._kept: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._kept_bytes = 0
        self._process = os.getpid()

    def __getstate__(self) -> dict[str, Any]:
        per_process = ("_lock", "_readers", "_kept", "_kept_bytes", "_process")
        return {name: value for name, value in self.__dict__.items() if name not in per_process}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._reset()

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, index: int) -> Episode:
        return self.read(index)

    def read(self, index: int, start: int = 0, stop: int | None = None) -> Episode:
        """Episode ``index``, or its frames [start, stop) alone: only those are decoded, and
        ``extra`` is left out."""
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
        if stop is None and start == 0 and len(episode.frames) != self.lengths[index]:
            raise InputError(
                f"{what}: {len(episode.frames)} frames, store.json says {self.lengths[index]}."
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


def _mirror(path: Path, metadata: dict[str, Any], schema: Schema) -> Mirror | None:
    """From ``mirror`` in the metadata: the entries of the state, and of the action, that change
    sign."""
    if metadata.get("mirror") is None:
        return None
    states, actions = ([int(entry) for entry in entries] for entries in metadata["mirror"])
    return Mirror(
        Reflection.negating(states, schema.state_dim, f"the state of {path}"),
        Reflection.negating(actions, schema.action_dim, f"the action of {path}"),
    )


def store_splits(path: str | Path) -> list[str]:
    """The names of a store's splits."""
    return sorted(read_description(path)["splits"])


def summary(path: str | Path) -> str:
    """A few lines for people: splits, episodes, frames, sizes."""
    description = read_description(path)
    schema = Schema(**description["schema"])
    lines = [
        f"{path}: frames {schema.channels}x{schema.height}x{schema.width}, "
        f"state {schema.state_dim}, action {schema.action_dim}"
    ]
    for split, fields in description["splits"].items():
        megabytes = sum(shard["bytes"] for shard in fields["shards"]) / 1e6
        lines.append(
            f"  {split}: {fields['episodes']} episodes, {fields['frames']} frames, "
            f"{megabytes:.1f} MB"
        )
    return "\n".join(lines)
