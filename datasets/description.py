"""The description of a store, store.json, as typed records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pixelpush.datasets.episodes import Metadata
from pixelpush.datasets.records import Schema
from pixelpush.errors import InputError
from pixelpush.files import MARKER, is_complete, read_json

FORMAT = "pixelpush-episodes"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class ShardDescription:
    """A shard: its file's name in the store's folder, its episodes, and the file's bytes.

    >>> ShardDescription("train-00000.array_record", episodes=3, bytes=900).episodes
    3
    """

    file: str
    episodes: int
    bytes: int


@dataclass(frozen=True)
class SplitDescription:
    """A split: its size, the digest of its contents, its shards in order, and frames by episode.

    >>> shard = ShardDescription("train-00000.array_record", episodes=2, bytes=900)
    >>> SplitDescription(2, frames=9, content_sha256="ab", shards=(shard,), lengths=(4, 5)).frames
    9
    """

    episodes: int
    frames: int
    content_sha256: str
    shards: tuple[ShardDescription, ...]
    lengths: tuple[int, ...]


@dataclass(frozen=True)
class StoreDescription:
    """A store: what all of its episodes share, its splits, and what the source says.

    versions: of the packages that wrote it, for people.

    >>> schema = Schema(channels=3, height=64, width=64, state_dim=5, action_dim=5)
    >>> StoreDescription(schema, {}, {"fps": 10}, {}).metadata["fps"]
    10
    """

    schema: Schema
    splits: Mapping[str, SplitDescription]
    metadata: Metadata
    versions: Mapping[str, str]

    def as_json(self) -> Mapping[str, object]:
        """What store.json holds.

        >>> schema = Schema(channels=3, height=64, width=64, state_dim=5, action_dim=5)
        >>> StoreDescription(schema, {}, {}, {}).as_json()["schema"]["height"]
        64
        """
        return {"format": FORMAT, "format_version": FORMAT_VERSION, **asdict(self)}

    def split(self, name: str, path: Path) -> SplitDescription:
        """A split of the store at ``path``; an unknown, empty or contradictory one is refused.

        >>> schema = Schema(channels=3, height=64, width=64, state_dim=5, action_dim=5)
        >>> shard = ShardDescription("val-00000.array_record", 1, 900)
        >>> split = SplitDescription(1, 4, "", (shard,), lengths=(4,))
        >>> store = StoreDescription(schema, {"val": split}, {}, {})
        >>> store.split("val", Path("store")).lengths
        (4,)
        >>> store.split("train", Path("store"))
        Traceback (most recent call last):
        pixelpush.errors.InputError: store: no split 'train'; it has val.
        """
        if name not in self.splits:
            raise InputError(f"{path}: no split {name!r}; it has {', '.join(sorted(self.splits))}.")
        found = self.splits[name]
        if found.episodes == 0 or not found.shards:
            raise InputError(f"{path}: split {name!r} is empty.")
        by_shards = sum(shard.episodes for shard in found.shards)
        if by_shards != found.episodes or len(found.lengths) != found.episodes:
            raise InputError(
                f"{path}/store.json: split {name!r} disagrees about its number of episodes."
            )
        return found


def read_description(path: str | Path) -> StoreDescription:
    """The description of the finished store in ``path``; anything else is a clear error.

    >>> read_description("nowhere")
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere: no such folder.
    """
    path = Path(path)
    value = _read_value(path)
    try:
        metadata = value["metadata"]
        if not isinstance(metadata, dict):
            raise TypeError("metadata is not an object")
        return StoreDescription(
            Schema(**value["schema"]),
            {str(name): _split(fields) for name, fields in value["splits"].items()},
            metadata,
            value.get("versions", {}),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{path}/store.json: damaged ({error!r}); prepare the data again."
        ) from None


def _read_value(path: Path) -> Mapping[str, Any]:
    """What store.json holds, of a store that is finished and of this format."""
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
    value = read_json(path / "store.json")
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise InputError(f"{path}/store.json: not the description of a store of episodes.")
    if value.get("format_version") != FORMAT_VERSION:
        raise InputError(
            f"{path}: format version {value.get('format_version')!r}, this program reads "
            f"{FORMAT_VERSION}; prepare the data again."
        )
    return value


def _split(fields: Mapping[str, Any]) -> SplitDescription:
    shards = tuple(
        ShardDescription(str(item["file"]), int(item["episodes"]), int(item["bytes"]))
        for item in fields["shards"]
    )
    return SplitDescription(
        int(fields["episodes"]),
        int(fields["frames"]),
        str(fields["content_sha256"]),
        shards,
        tuple(int(length) for length in fields["lengths"]),
    )


def store_splits(path: str | Path) -> list[str]:
    """The names of a store's splits.

    >>> store_splits("nowhere")
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere: no such folder.
    """
    return sorted(read_description(path).splits)


def summary(path: str | Path) -> str:
    """A few lines for people: splits, episodes, frames, sizes.

    >>> summary("nowhere")
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere: no such folder.
    """
    description = read_description(path)
    schema = description.schema
    lines = [
        f"{path}: frames {schema.channels}x{schema.height}x{schema.width}, "
        f"state {schema.state_dim}, action {schema.action_dim}"
    ]
    for name, split in description.splits.items():
        megabytes = sum(shard.bytes for shard in split.shards) / 1e6
        lines.append(
            f"  {name}: {split.episodes} episodes, {split.frames} frames, {megabytes:.1f} MB"
        )
    return "\n".join(lines)
