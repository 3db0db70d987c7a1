"""Checks that what is read from a store is what was written.

Sizes and checksums of single records do not tell one split's shard from another's. The digests of
the episodes' contents do: they are compared as soon as every episode of a shard has been read
whole, and again when the split has."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

from pixelpush.datasets.description import SplitDescription
from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.records import content_hash
from pixelpush.errors import InputError


def joined_hash(hashes: Sequence[str]) -> str:
    """Return the SHA-256 of several episodes' digests, in order.

    >>> joined_hash([])[:8]
    'e3b0c442'
    """
    return hashlib.sha256("".join(hashes).encode()).hexdigest()


class ContentCheck:
    """Gathers the digests of a split's episodes as they are read, in any order.

    ``take`` raises InputError at the episode that makes a shard, or the split, whole and wrong.
    Callers from several threads hold a lock.

    >>> import numpy as np
    >>> from pixelpush.datasets.description import ShardDescription
    >>> rows = np.zeros((2, 0), np.float32)
    >>> episode = Episode(np.zeros((2, 1, 8, 8), np.uint8), rows, rows, "a")
    >>> shard = ShardDescription("train-00000.array_record", episodes=1, bytes=900)
    >>> digest = joined_hash([content_hash(episode)])
    >>> check = ContentCheck(Path("store"), "train", SplitDescription(1, 2, digest, (shard,), (2,)))
    >>> check.take(0, 0, episode)
    >>> check.done
    True
    """

    def __init__(self, path: Path, split: str, description: SplitDescription):
        self._path = path
        self._split = split
        self._description = description
        self._ends = list(accumulate(shard.episodes for shard in description.shards))
        self._digests: list[str | None] = [None] * description.episodes
        self._left = [shard.episodes for shard in description.shards]
        self.done = False

    def take(self, index: int, shard: int, episode: Episode) -> None:
        """Note one episode that was read whole."""
        if self._digests[index] is not None:
            return
        self._digests[index] = content_hash(episode)
        self._left[shard] -= 1
        if self._left[shard] == 0:
            self._compare_shard(shard)
        if not any(self._left):
            self._compare_split()
            self.done = True

    def _compare_shard(self, number: int) -> None:
        shard = self._description.shards[number]
        first = self._ends[number] - shard.episodes
        found = joined_hash([str(digest) for digest in self._digests[first : self._ends[number]]])
        if shard.content_sha256 and found != shard.content_sha256:
            raise InputError(
                f"{self._path / shard.file}: the shard does not hold what was written for split "
                f"{self._split!r} (content hash); prepare the data again."
            )

    def _compare_split(self) -> None:
        found = joined_hash([str(digest) for digest in self._digests])
        if found != self._description.content_sha256:
            files = f"{self._description.shards[0].file} to {self._description.shards[-1].file}"
            raise InputError(
                f"{self._path}: split {self._split!r} is not what was written (content hash of "
                f"{files}); prepare the data again."
            )
