"""RLDS data sets, as Open X-Embodiment publishes them: TFDS folders or bare TFRecords, read without
TensorFlow.

A record is an episode; its features are named steps/observation/IMAGE, steps/observation/STATE,
steps/action, each with the values of all steps in a row. At step t the observation comes first,
then the action that leads to step t + 1."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pixelpush.datasets.damage import DamageLog
from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.examples import parse_example
from pixelpush.datasets.images import decode_image
from pixelpush.datasets.natural import natural_key
from pixelpush.datasets.readers.common import (
    RobotOptions,
    VectorChoice,
    choose_camera,
    make_episode,
    names_of,
    robot_metadata,
)
from pixelpush.datasets.recording import Entry, Recording, unsplit
from pixelpush.datasets.tables import rows_of_array
from pixelpush.datasets.tfrecord import (
    RecordPlace,
    find_records,
    read_record,
)
from pixelpush.errors import InputError
from pixelpush.words import counted

_FILE = re.compile(
    r"(?:(.+)-)?(train|val|valid|validation|test)\.(tfrecord|array_record)(?:-(\d{5})-of-(\d{5}))?"
)
_BARE = re.compile(r".*\.(tfrecord|tfrecords|array_record)(-\d{5}-of-\d{5})?")
_STATES = (
    ("observation/state",),
    ("observation/proprio",),
    ("observation/robot_state",),
    ("state",),
)
_ACTIONS = (("action",), ("actions",))
# First bytes of PNG, JPEG and WebP: a feature of bytes that begins so is a camera's.
_MAGIC = (b"\x89PNG", b"\xff\xd8", b"RIFF")


@dataclass(frozen=True)
class Options(RobotOptions):
    """Options of ``pixelpush prepare rlds``; --raw is the folder of one version.

    It has a features.json, or is any folder of TFRecords.

    Example:
        >>> Options(state_key="observation/proprio").allow_missing
        False
    """

    camera: str | None = None
    """Which camera, where there are several: its key, or the key's last part."""
    state_key: str = ""
    """Feature, or features with commas, of the state, without 'steps/'; 'none' for none. Left out:
    observation/state."""
    action_key: str = ""
    """Feature, or features with commas, of the action; 'none' for none. Left out: action."""
    allow_missing: bool = False
    """Accept splits of which only some files are there."""


def recognise(raw: Path) -> str | None:
    """What lies in ``raw``, where its records have 'steps/...' features; else None.

    >>> recognise(Path("nowhere")) is None
    True
    """
    try:
        files = _files(raw, allow_missing=True)
        first = next(iter(files.values()))[0]
        keys = parse_example(read_record(find_records(first)[0]), str(first))
    except (InputError, IndexError):
        return None
    return (
        f"an RLDS data set ({counted(len(files), 'split')})"
        if "steps/action" in str(keys)
        else None
    )


def read(raw: Path, options: Options, log: DamageLog) -> Recording:
    """The splits of the files' names, where they name more than one; else one list.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / "some-train.tfrecord").touch()
    ...     read(Path(folder), Options(), DamageLog(0))
    Traceback (most recent call last):
    pixelpush.errors.InputError: ...: its TFRecords hold no records; fetch them again.
    """
    files = _files(raw, options.allow_missing)
    places = {
        split: [(path, place) for path in paths for place in find_records(path)]
        for split, paths in files.items()
    }
    first_path, first_place = next(iter(next(iter(places.values()))), (None, None))
    if first_path is None or first_place is None:
        raise InputError(f"{raw}: its TFRecords hold no records; fetch them again.")
    layout = _layout(
        parse_example(read_record(first_place), f"{first_path}, record 0"), options, raw
    )
    splits = {
        split: [
            Entry(
                f"{path.name}:{place.number}",
                functools.partial(_episode, path, place, layout, options),
                f"{path}, record {place.number}",
            )
            for path, place in found
        ]
        for split, found in places.items()
    }
    metadata = robot_metadata(
        "rlds",
        options,
        camera=layout.camera,
        state=list(layout.states),
        action=list(layout.actions),
        files={split: [path.name for path in paths] for split, paths in files.items()},
    )
    if len(splits) == 1:
        return unsplit(next(iter(splits.values())), metadata)
    return Recording(splits, metadata, total=sum(map(len, splits.values())))


@dataclass
class _Files:
    """Files by split, and how many there should be where their names say so."""

    paths: dict[str, list[Path]] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)

    def add(self, path: Path) -> None:
        """Take in a file; a bare one without a split's name is of 'train'."""
        match = _FILE.fullmatch(path.name)
        split = {"valid": "val", "validation": "val"}.get(match[2], match[2]) if match else "train"
        self.paths.setdefault(split, []).append(path)
        if match and match[5]:
            self.totals[split] = int(match[5])


def _files(raw: Path, allow_missing: bool) -> dict[str, list[Path]]:
    """Files by split, each split whole unless ``allow_missing``."""
    if raw.is_file():
        return {"train": [raw]}
    if not raw.is_dir():
        raise InputError(f"{raw}: no such folder; --raw is the folder with the TFRecords.")
    found = _Files()
    paths = [path for path in raw.rglob("*") if path.is_file() and _BARE.fullmatch(path.name)]
    for path in sorted(paths, key=lambda path: natural_key(str(path.relative_to(raw)))):
        found.add(path)
    if not paths:
        raise InputError(
            f"{raw}: no files called *.tfrecord* or *.array_record* in it; --raw holds them."
        )
    folders = {path.parent for path in paths}
    if len(folders) > 1:
        names = ", ".join(sorted(str(folder.relative_to(raw)) for folder in folders)[:4])
        raise InputError(f"{raw}: TFRecords in several folders ({names}); name one by --raw.")
    if not allow_missing:
        _refuse_missing(raw, found)
    return found.paths


def _refuse_missing(raw: Path, found: _Files) -> None:
    for split, total in found.totals.items():
        if len(found.paths[split]) != total:
            raise InputError(
                f"{raw}: {len(found.paths[split])} of the {total} files of split {split} are here; "
                "fetch the others, or accept a part by --allow-missing."
            )


@dataclass(frozen=True)
class _Layout:
    """The features that are read: whole keys."""

    camera: str
    states: tuple[str, ...]
    actions: tuple[str, ...]


def _layout(features: Any, options: Options, raw: Path) -> _Layout:
    cameras = [
        key.removeprefix("steps/")
        for key in sorted(features)
        if features[key].WhichOneof("kind") == "bytes_list"
        and features[key].bytes_list.value
        and features[key].bytes_list.value[0].startswith(_MAGIC)
    ]
    camera = choose_camera(cameras, options.camera, str(raw))
    numbers = [
        key.removeprefix("steps/")
        for key in sorted(features)
        if features[key].WhichOneof("kind") in ("float_list", "int64_list")
        and key.startswith("steps/")
    ]
    choice = VectorChoice(numbers, numbers, "feature", raw)
    states = choice.keys(_relative(options.state_key), _STATES, "state")
    actions = choice.keys(_relative(options.action_key), _ACTIONS, "action")
    return _Layout(camera, states, actions)


def _relative(keys: str) -> str:
    """Keys as asked for, without the steps/ before them."""
    return ",".join(key.removeprefix("steps/") for key in names_of(keys))


def _episode(path: Path, place: RecordPlace, layout: _Layout, options: Options) -> Episode:
    what = f"{path}, record {place.number}"
    features = parse_example(read_record(place), what)
    pictures = list(_value(features, layout.camera, "bytes_list", what))
    if not pictures:
        raise InputError(
            f"{what}: no frames under steps/{layout.camera}; choose another by --camera."
        )

    def images() -> Iterator[np.ndarray]:
        for number, data in enumerate(pictures):
            yield decode_image(data, f"{what}, frame {number}")

    def vectors(keys: tuple[str, ...]) -> np.ndarray | None:
        parts = [_rows(features, key, len(pictures), what) for key in keys]
        return np.concatenate(parts, axis=1) if parts else None

    return make_episode(
        images(),
        vectors(layout.states),
        vectors(layout.actions),
        f"{path.name}:{place.number}",
        what,
        options,
    )


def _value(features: Any, key: str, kind: str, what: str) -> Any:
    full = f"steps/{key}"
    if full not in features:
        raise InputError(
            f"{what}: no feature {full!r}; it is damaged, or choose others by --camera, "
            "--state-key and --action-key."
        )
    return getattr(features[full], kind).value


def _rows(features: Any, key: str, length: int, what: str) -> np.ndarray:
    kind = "float_list"
    if f"steps/{key}" in features and features[f"steps/{key}"].WhichOneof("kind") == "int64_list":
        kind = "int64_list"
    # An episode is one Example. TFDS flattens a feature of all steps into one list of numbers.
    values = np.array(_value(features, key, kind, what))
    if len(values) == 0 or len(values) % length:
        raise InputError(
            f"{what}: {len(values)} values of steps/{key} for {length} frames; not a whole number "
            "of values a frame: it is damaged, or choose another feature."
        )
    return rows_of_array(values.reshape(length, -1), f"{what}, steps/{key}")
