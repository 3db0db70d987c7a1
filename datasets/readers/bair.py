"""BAIR robot pushing, small (Ebert et al. 2017): 30 frames of 64x64, action 4, end-effector
position 3.

Read from the original TFRecords (``.../train/traj_*.tfrecords``, ``.../test/...``; keys
``{i}/image_aux1/encoded``, raw bytes, ``{i}/action``, ``{i}/endeffector_pos``), or from a folder
prepared by TFDS (``bair_robot_pushing_small``, as TFRecord or array_record; keys ``image_aux1`` (30
PNGs), ``action``, ``endeffector_pos``)."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
from array_record.python.array_record_module import ArrayRecordReader

from pixelpush.datasets.damage import Damage, DamageLog
from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.examples import (
    bytes_feature,
    float_feature,
    one_bytes_feature,
    parse_example,
)
from pixelpush.datasets.frames import check_size, fit
from pixelpush.datasets.images import decode_image
from pixelpush.datasets.natural import natural_key
from pixelpush.datasets.recording import Entry, Recording
from pixelpush.datasets.tfrecord import Record, read_records
from pixelpush.errors import InputError

View = Literal["aux1", "main"]
Validation = Literal["held-out", "none"]
ACTION = 4
STATE = 3
SIDE = 64
HELD_OUT_FILE = "traj_256_to_511"
HELD_OUT_EPISODES = 256

_TFDS_FILE = re.compile(
    r"bair_robot_pushing_small-(train|test)\.(tfrecord|array_record)-(\d{5})-of-(\d{5})"
)
_ORIGINAL_FILE = re.compile(r"traj_\d+_to_\d+\.tfrecords?")
_FRAME = re.compile(r"(\d{1,9})/image_")


def find_files(raw: Path) -> dict[str, list[Path]]:
    """The files of ``train`` and ``test`` under ``raw``, of whichever form is there.

    They are in natural name order. Raises InputError where there are none, or TFDS's are
    incomplete.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("traj_256_to_511.tfrecords", "traj_0_to_255.tfrecords"):
    ...         (Path(folder) / "train").mkdir(exist_ok=True)
    ...         (Path(folder) / "train" / name).touch()
    ...     [path.stem for path in find_files(Path(folder))["train"]]
    ['traj_0_to_255', 'traj_256_to_511']
    """
    if not raw.is_dir():
        raise InputError(
            f"{raw}: no such folder; --raw holds softmotion30_44k/ or a TFDS "
            "bair_robot_pushing_small/."
        )
    splits: dict[str, list[Path]] = {}
    totals: dict[str, int] = {}
    for path in sorted(raw.rglob("*"), key=lambda path: natural_key(str(path.relative_to(raw)))):
        prepared = _TFDS_FILE.fullmatch(path.name)
        if prepared:
            splits.setdefault(prepared[1], []).append(path)
            totals[prepared[1]] = int(prepared[4])
        elif _ORIGINAL_FILE.fullmatch(path.name) and path.parent.name in ("train", "test"):
            splits.setdefault(path.parent.name, []).append(path)
    if not splits:
        raise InputError(
            f"{raw}: neither train/traj_*.tfrecords nor bair_robot_pushing_small-train.tfrecord-* "
            "in it."
        )
    names = [path.name for paths in splits.values() for path in paths]
    if totals and len(names) != sum(totals.values()):
        raise InputError(
            f"{raw}: {len(names)} TFDS files in it, their names announce {sum(totals.values())}; "
            "fetch the others."
        )
    return splits


@dataclass(frozen=True)
class Options:
    """Options of ``pixelpush prepare bair``; --raw is the folder with the set's files.

    They are train/traj_*.tfrecords and test/..., or TFDS's bair_robot_pushing_small-* files.

    Example:
        >>> Options(view="main").validation
        'held-out'
    """

    size: int = 64
    """Height and width of the frames, in pixels; 64 keeps them as they are."""
    view: View = "aux1"
    """Camera; aux1 is the one that published figures use."""
    validation: Validation = "held-out"
    """held-out keeps traj_256_to_511 (from TFDS: the first 256 train episodes) from training."""

    def __post_init__(self):
        check_size(self.size)


def recognise(raw: Path) -> str | None:
    """What lies in ``raw``, where it is the original TFRecords or TFDS's files; else None.

    >>> recognise(Path("nowhere")) is None
    True
    """
    try:
        find_files(raw)
    except InputError:
        return None
    return "BAIR robot pushing (small)"


def read(raw: Path, options: Options, log: DamageLog) -> Recording:
    """The episodes of the set in ``raw``, by split.

    Held-out validation is the file traj_256_to_511 of the train folder, as in public code. TFDS
    keeps no file names, so there it is the first 256 train episodes.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / "bair_robot_pushing_small-train.tfrecord-00000-of-00001").touch()
    ...     sorted(read(Path(folder), Options(), DamageLog(0)).splits)
    ['train', 'val']
    """
    files = find_files(raw)
    resized = "" if options.size == SIDE else f", resized to {options.size}x{options.size}"
    metadata = {
        "source": "bair_robot_pushing_small",
        "preprocess": f"image_{options.view}{resized}",
        "frames": {"size": options.size, "crop": "centre", "resize": "auto"},
        "state": "endeffector_pos",
        "action": "action",
        "state_names": ["x", "y", "z"],
        "validation": options.validation,
        "files": {split: len(paths) for split, paths in files.items()},
    }
    return Recording(_splits(files, options, log), metadata)


def _splits(
    files: dict[str, list[Path]], options: Options, log: DamageLog
) -> dict[str, Iterator[Entry]]:
    def entries(paths: list[Path]) -> Iterator[Entry]:
        return _entries(paths, options, log)

    splits = {name: entries(paths) for name, paths in files.items()}
    if options.validation == "held-out" and "train" in files:
        held_out = [path for path in files["train"] if path.stem == HELD_OUT_FILE]
        if held_out:
            splits["val"] = entries(held_out)
            splits["train"] = entries([path for path in files["train"] if path not in held_out])
        elif any(_TFDS_FILE.fullmatch(path.name) for path in files["train"]):
            # TFDS keeps no file names, so episodes are counted. Each split reads the files from the
            # start.
            splits["val"] = islice(entries(files["train"]), HELD_OUT_EPISODES)
            splits["train"] = islice(entries(files["train"]), HELD_OUT_EPISODES, None)
        else:
            raise InputError(
                f"there is no train/{HELD_OUT_FILE}.tfrecords to hold out; fetch it or "
                "--validation none."
            )
    return splits


def _entries(paths: list[Path], options: Options, log: DamageLog) -> Iterator[Entry]:
    """The episodes of files in either form."""
    for path in paths:
        for record in _records(path, log):
            what = f"{path}, record {record.number}"
            identity = f"{path.parent.name}/{path.name}:{record.number}"
            decode = functools.partial(_episode, record.data, identity, what, options)
            yield Entry(identity, decode, what)


def _records(path: Path, log: DamageLog) -> Iterator[Record]:
    if ".array_record" not in path.name:
        yield from read_records(path, log)
        return
    reader = ArrayRecordReader(str(path), "readahead_buffer_size:0,max_parallelism:0")
    for number in range(reader.num_records()):
        try:
            data = reader.read([number])[0]
        except RuntimeError as error:
            log.add(Damage(str(path), number, 0, f"{error}."))
            continue
        yield Record(number, 0, data)


def _episode(data: bytes, identity: str, what: str, options: Options) -> Episode:
    view = options.view
    features = parse_example(data, what)
    if f"image_{view}" in features:
        images, states, actions = _from_tfds(features, view, what)
    else:
        images, states, actions = _from_original(features, view, what)
    frames = np.stack([fit(image, options.size) for image in images]).transpose(0, 3, 1, 2)
    return Episode(np.ascontiguousarray(frames), states, actions, identity)


def _from_tfds(
    features: Any, view: View, what: str
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    encoded = bytes_feature(features, f"image_{view}", what)
    if not encoded:
        raise InputError(f"{what}: it has no frames; not a BAIR record, or damaged.")
    images = [decode_image(image, f"{what}, frame {index}") for index, image in enumerate(encoded)]
    states = float_feature(features, "endeffector_pos", STATE * len(images), what).reshape(
        -1, STATE
    )
    return (
        images,
        states,
        float_feature(features, "action", ACTION * len(images), what).reshape(-1, ACTION),
    )


def _from_original(
    features: Any, view: View, what: str
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    # The publisher's records have a key for each frame: 7/image_aux1/encoded, 7/action. TFDS's have
    # one for each kind of thing, all frames in a row.
    indices = sorted({int(match[1]) for key in features if (match := _FRAME.match(key))})
    if not indices or indices != list(range(len(indices))):
        raise InputError(
            f"{what}: its frames are not numbered 0, 1, 2, ...; not a BAIR record, or damaged."
        )
    images = [_raw_image(features, f"{index}/image_{view}/encoded", what) for index in indices]
    states = np.stack(
        [float_feature(features, f"{index}/endeffector_pos", STATE, what) for index in indices]
    )
    actions = np.stack(
        [float_feature(features, f"{index}/action", ACTION, what) for index in indices]
    )
    return images, states, actions


def _raw_image(features: Any, key: str, what: str) -> np.ndarray:
    # Raw levels, although the key ends in "encoded".
    data = one_bytes_feature(features, key, what)
    if len(data) != SIDE * SIDE * 3:
        raise InputError(
            f"{what}: {key!r} has {len(data)} bytes, expected {SIDE}x{SIDE}x3; not a BAIR "
            "record, or damaged."
        )
    return np.frombuffer(data, dtype=np.uint8).reshape(SIDE, SIDE, 3)
