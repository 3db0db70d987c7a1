"""Writing the on-disk store (its layout is described in store.py)."""

from __future__ import annotations

import os
import platform
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import version
from itertools import chain, islice
from pathlib import Path

from pixelpush.datasets.contents import joined_hash
from pixelpush.datasets.description import SplitDescription, StoreDescription
from pixelpush.datasets.episodes import Episode, Metadata
from pixelpush.datasets.records import Schema
from pixelpush.datasets.shards import SIDECAR, Shard, check_split_name, finished_shards, write_shard
from pixelpush.datasets.store_tfds import ShardSize, write_tfds_files
from pixelpush.errors import InputError
from pixelpush.files import (
    MARKER,
    atomic_folder,
    behind_links,
    full_disk_is_a_clear_error,
    is_complete,
    sync,
    write_json,
)

EPISODES_PER_SHARD = 256


def write_store(
    path: str | Path,
    splits: Mapping[str, Iterable[Episode]],
    metadata: Metadata,
    *,
    left_out: Callable[[], Metadata] = dict,
    overwrite: bool = False,
    episodes_per_shard: int = EPISODES_PER_SHARD,
    written: Callable[[Episode], object] | None = None,
) -> Path:
    """Write all splits, streaming (one episode in memory at a time), and return ``path``.

    ``metadata`` (JSON values) says where the data came from and how it was pre-processed;
    ``left_out``, asked when all is read, adds to it what was skipped. ``written`` is called after
    every episode. An existing ``path`` is refused, or replaced at the very end with ``overwrite``.
    On any error nothing is left behind. Raises InputError for a bad episode, an empty split or a
    full disk.

    >>> import tempfile
    >>> import numpy as np
    >>> rows = np.zeros((1, 5), np.float32)
    >>> episode = Episode(np.zeros((1, 3, 8, 8), np.uint8), rows, rows, "a")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_store(f"{folder}/new", {"val": [episode]}, {}).name
    'new'
    """
    path = behind_links(path) if overwrite else Path(path)
    refuse_existing(path, overwrite)
    for split in splits:
        check_split_name(split)
    # The old store stays in place until the new one is whole.
    target = path.with_name(f".{path.name}.new") if overwrite else path
    if overwrite:  # what an interrupted replacement may have left
        shutil.rmtree(target, ignore_errors=True)
    with atomic_folder(target) as folder:
        for split, episodes in splits.items():
            _write_split(folder, split, iter(episodes), episodes_per_shard, written)
        _describe(folder, {**metadata, **left_out()})
        _drop_sidecars(folder)
    if overwrite:
        _replace(target, path)
    return path


def _write_split(
    folder: Path,
    split: str,
    episodes: Iterator[Episode],
    per_shard: int,
    written: Callable[[Episode], object] | None,
) -> None:
    index = 0
    for first in episodes:
        write_shard(
            folder, split, index, chain([first], islice(episodes, per_shard - 1)), written=written
        )
        index += 1
    if index == 0:
        raise InputError(
            f"split {split!r} has no episodes left; nothing was written. Give another --split, or "
            "a lower --min-frames."
        )


def seal_store(
    folder: str | Path, path: str | Path, metadata: Metadata, *, overwrite: bool = False
) -> Path:
    """Turn a working folder of finished shards into the store ``path`` and return ``path``.

    Both lie on the same file system. Raises InputError for gaps in the shards of a split, episodes
    with the same id and shards of different schemas.

    >>> seal_store("nowhere", "new", {})
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere: there is no finished shard to make a store of.
    """
    folder = Path(folder)
    path = behind_links(path) if overwrite else Path(path)
    refuse_existing(path, overwrite)
    with full_disk_is_a_clear_error(path):
        if not is_complete(folder):
            for stray in folder.glob(".*.partial*"):
                stray.unlink()
            _describe(folder, metadata)
            # On disk before the marker is: a power cut must not leave a marker over lost bytes.
            for item in folder.iterdir():
                sync(item)
            (folder / MARKER).write_text("complete\n")
            sync(folder / MARKER)
            sync(folder)
        _drop_sidecars(folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(folder, path)
    return path


def refuse_existing(path: Path, overwrite: bool) -> None:
    """Refuse with an InputError an output that exists, unless it is a store that may be replaced.

    >>> refuse_existing(Path("nowhere"), overwrite=False)
    """
    if not path.exists() and not path.is_symlink():
        return
    if not overwrite:
        raise InputError(
            f"{path}: already exists; give another --out, or --overwrite to replace it."
        )
    if not (path / "store.json").is_file():
        raise InputError(
            f"{path}: is not a store of episodes, so it is not replaced; give another --out."
        )


def _describe(folder: Path, metadata: Metadata) -> None:
    """Write store.json and TFDS's two files from the sidecars."""
    by_split: dict[str, list[Shard]] = {}
    for shard in finished_shards(folder).values():
        by_split.setdefault(shard.split, []).append(shard)
    if not by_split:
        raise InputError(f"{folder}: there is no finished shard to make a store of.")
    schema = next(iter(by_split.values()))[0].schema
    splits = {
        split: _describe_split(folder, split, shards, schema) for split, shards in by_split.items()
    }
    description = StoreDescription(schema, splits, dict(metadata), _versions())
    write_json(folder / "store.json", description.as_json())
    write_tfds_files(folder, schema, _shard_sizes(by_split))


def _describe_split(
    folder: Path, split: str, shards: list[Shard], schema: Schema
) -> SplitDescription:
    shards.sort(key=lambda shard: shard.index)
    _refuse_gaps(folder, split, [shard.index for shard in shards])
    for shard in shards:
        if shard.schema != schema:
            raise InputError(
                f"{folder / shard.file}: {shard.schema.in_words}, but the shards before it have "
                f"{schema.in_words}; write it anew."
            )
    ids = [identity for shard in shards for identity in shard.ids]
    if len(set(ids)) != len(ids):
        twice = Counter(ids).most_common(1)[0][0]
        raise InputError(
            f"{folder}: split {split!r} has more than one episode {twice!r}; ids must differ."
        )
    hashes = list(chain.from_iterable(shard.hashes for shard in shards))
    lengths = tuple(chain.from_iterable(shard.lengths for shard in shards))
    return SplitDescription(
        len(ids),
        sum(lengths),
        joined_hash(hashes),
        tuple(shard.description() for shard in shards),
        lengths,
    )


def _shard_sizes(by_split: Mapping[str, list[Shard]]) -> dict[str, list[ShardSize]]:
    return {
        split: [ShardSize(len(shard.ids), shard.record_bytes) for shard in shards]
        for split, shards in by_split.items()
    }


def _refuse_gaps(folder: Path, split: str, indices: list[int]) -> None:
    if indices != list(range(len(indices))):
        missing = sorted(set(range(indices[-1] + 1)) - set(indices))
        raise InputError(
            f"{folder}: split {split!r} lacks shards {missing[:8]}; write them before sealing."
        )


def _versions() -> dict[str, str]:
    packages = ("array-record", "numpy", "opencv-python-headless", "tensorflow-datasets")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def _drop_sidecars(folder: Path) -> None:
    for sidecar in folder.glob(f"*{SIDECAR}"):
        sidecar.unlink()


def _replace(source: Path, path: Path) -> None:
    """Rename a complete folder to ``path``; what was there goes only after the new one is in
    place."""
    old = path.with_name(f".{path.name}.old")
    if path.exists():
        shutil.rmtree(old, ignore_errors=True)
        os.rename(path, old)
    os.rename(source, path)
    sync(path.parent)
    shutil.rmtree(old, ignore_errors=True)
