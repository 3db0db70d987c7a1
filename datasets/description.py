"""The description of a store, store.json, as typed records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pixelpush.datasets.episodes import Metadata
from pixelpush.datasets.schema import Schema
from pixelpush.errors import InputError
from pixelpush.files import MARKER, is_complete, read_json
from pixelpush.words import counted

FORMAT = "pixelpush-episodes"
FORMAT_VERSION = 1
_LARGEST_COUNT = 2**53  # a JSON reader that holds numbers as float64 is exact up to here
_LONGEST_NAME = 255  # bytes, in common file systems


@dataclass(frozen=True)
class ShardDescription:
    """A shard: its file's name in the store's folder, its episodes, and the file's bytes.

    content_sha256: digest of its episodes' contents; '' in stores older than it.

    >>> ShardDescription("train-00000.array_record", episodes=2, bytes=1000).episodes
    2
    """

    file: str
    episodes: int
    bytes: int
    content_sha256: str = ""


@dataclass(frozen=True)
class SplitDescription:
    """A split: its size, the digest of its contents, its shards in order, and frames by episode.

    >>> SplitDescription(1, 20, "0" * 64, (ShardDescription("a", 1, 9),), (20,)).frames
    20
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

    >>> StoreDescription(Schema(3, 64, 64, 5, 5), {}, {}, {}).as_json()["format"]
    'pixelpush-episodes'
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
            raise InputError(f"{path}: split {name!r} is empty; prepare the data again.")
        by_shards = sum(shard.episodes for shard in found.shards)
        if by_shards != found.episodes or len(found.lengths) != found.episodes:
            raise InputError(
                f"{path}/store.json: split {name!r} disagrees about its number of episodes; "
                "prepare the data again."
            )
        return found


def read_description(path: str | Path) -> StoreDescription:
    """The description of the finished store in ``path``; anything else is a clear error.

    >>> read_description("nowhere")
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere: no such folder; ...
    """
    path = Path(path)
    value = _read_value(path)
    try:
        metadata = value["metadata"]
        if not isinstance(metadata, dict):
            raise TypeError("metadata is not an object")
        return StoreDescription(
            Schema(**{name: _count(size) for name, size in value["schema"].items()}),
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
        raise InputError(f"{path}: no such folder; name one that 'pixelpush prepare' made.")
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
        raise InputError(
            f"{path}/store.json: not the description of a store of episodes; prepare the data "
            "again."
        )
    if value.get("format_version") != FORMAT_VERSION:
        raise InputError(
            f"{path}: format version {value.get('format_version')!r}, this program reads "
            f"{FORMAT_VERSION}; prepare the data again."
        )
    return value


def _split(fields: Mapping[str, Any]) -> SplitDescription:
    shards = tuple(
        ShardDescription(
            _file_name(item["file"]),
            _count(item["episodes"]),
            _count(item["bytes"]),
            _text(item.get("content_sha256", "")),
        )
        for item in fields["shards"]
    )
    return SplitDescription(
        _count(fields["episodes"]),
        _count(fields["frames"]),
        _text(fields["content_sha256"]),
        shards,
        tuple(_count(length) for length in fields["lengths"]),
    )


def _count(value: object) -> int:
    """A number of things: whole, not negative, and not larger than any that is meant."""
    if type(value) is not int or not 0 <= value <= _LARGEST_COUNT:
        raise ValueError(f"{value!r} is no count")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is no text")
    return value


def _file_name(value: object) -> str:
    """The name of a file in the store's folder: no path, and none that no folder can hold."""
    name = _text(value)
    outside = name in ("", "..") or Path(name).name != name
    if outside or "\0" in name or len(name.encode()) > _LONGEST_NAME:
        raise ValueError(f"{name!r:.40} is no file name")
    return name


def store_splits(path: str | Path) -> list[str]:
    """The names of a store's splits.

    >>> store_splits("nowhere")
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere: no such folder; ...
    """
    return sorted(read_description(path).splits)


def summary(path: str | Path) -> str:
    """A few lines for people: splits, episodes, frames, sizes.

    >>> summary("nowhere")
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere: no such folder; ...
    """
    description = read_description(path)
    schema = description.schema
    lines = [f"{path}: {schema.in_words}"]
    for name, split in description.splits.items():
        megabytes = sum(shard.bytes for shard in split.shards) / 1e6
        lines.append(
            f"  {name}: {counted(split.episodes, 'episode')}, {counted(split.frames, 'frame')}, "
            f"{megabytes:.1f} MB"
        )
    return "\n".join(lines)
