"""The Google robot pushing data set (Finn, Goodfellow and Levine 2016) from its public TFRecords.

264 train, 5 test-seen and 5 test-novel shards
``push_{train,testseen,testnovel}.tfrecord-XXXXX-of-YYYYY``. Per move i of an episode:
``move/{i}/image/encoded`` (JPEG, 512 high, 640 wide), ``move/{i}/endeffector/vec_pitch_yaw``
(state, 5) and ``move/{i}/commanded_pose/vec_pitch_yaw`` (action, 5). Some moves, mostly late ones,
carry no image."""

from __future__ import annotations

import functools
import math
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pixelpush.datasets.damage import DamageLog
from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.examples import bytes_feature, float_feature, parse_example
from pixelpush.datasets.frames import check_size, fit
from pixelpush.datasets.images import decode_image
from pixelpush.datasets.recording import Entry, Recording
from pixelpush.datasets.resampling import public_resize
from pixelpush.datasets.tfrecord import read_records
from pixelpush.errors import InputError

Preprocess = Literal["crop", "squash", "alexlee-gk", "finn", "tensor2tensor"]
POSE = 5
VALIDATION_SHARE = 0.05

_SHARD = re.compile(r"push_(train|testseen|testnovel)\.tfrecord-(\d{5})-of-(\d{5})")
_SPLITS = {"train": "train", "testseen": "test-seen", "testnovel": "test-novel"}
# What the metadata say, and how 'rollout --folder' treats pictures of its own alike.
_DESCRIBED = {
    "crop": "crop, area filter to {size}",
    "alexlee-gk": "crop, area filter to {size} (alexlee-gk/video_prediction)",
    "finn": "crop, TensorFlow 1's bicubic to {size} (tensorflow/models)",
    "tensor2tensor": "whole picture, Pillow's bilinear to {size} (tensor2tensor)",
    "squash": "squash, area filter to {size}",
}
_FRAMES = {
    "crop": {"crop": "centre", "resize": "area"},
    "alexlee-gk": {"crop": "centre", "resize": "area"},
    "finn": {"crop": "centre", "resize": "finn"},
    "tensor2tensor": {"crop": "none", "resize": "tensor2tensor"},
    "squash": {"crop": "none", "resize": "area"},
}
_MOVE = re.compile(r"move/(\d{1,9})/")


@dataclass(frozen=True)
class Options:
    """Options of ``pixelpush prepare google-push``; --raw is the folder with the set's files.

    They are push_{train,testseen,testnovel}.tfrecord-XXXXX-of-YYYYY, in sub-folders or not.

    Example:
        >>> Options(preprocess="finn").size
        64
    """

    size: int = 64
    """Height and width of the frames, in pixels."""
    preprocess: Preprocess = "crop"
    """How the 640x512 picture becomes square. crop: the centre 512x512, averaged; alexlee-gk (its
    video_prediction) does the same. finn (tensorflow/models): the centre 512x512, TensorFlow 1's
    bicubic, and 250 of 264 train files. tensor2tensor: the whole picture, Pillow's bilinear.
    squash: the whole picture, averaged."""
    allow_missing: bool = False
    """Accept an evaluation split of which only some files are there."""

    def __post_init__(self):
        check_size(self.size)


def recognise(raw: Path) -> str | None:
    """What lies in ``raw``, where it is files called push_*.tfrecord-*; else None.

    >>> recognise(Path("nowhere")) is None
    True
    """
    found = raw.is_dir() and any(_SHARD.fullmatch(path.name) for path in raw.rglob("push_*"))
    return "the Google robot pushing set" if found else None


def read(raw: Path, options: Options, log: DamageLog) -> Recording:
    """The episodes of the published splits; validation is the last train files by name.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for number in range(2):
    ...         (Path(folder) / f"push_train.tfrecord-0000{number}-of-00264").touch()
    ...     sorted(read(Path(folder), Options(), DamageLog(0)).splits)
    ['train', 'val']
    """
    shards = find_shards(raw, options.allow_missing, options.preprocess)
    tallies = {split: Tally() for split in shards}
    splits = {
        split: _entries(paths, log, tallies[split], options) for split, paths in shards.items()
    }
    metadata = {
        "source": "google-push",
        "preprocess": _DESCRIBED[options.preprocess].format(size=f"{options.size}x{options.size}"),
        "frames": {"size": options.size, **_FRAMES[options.preprocess]},
        "state": "endeffector/vec_pitch_yaw",
        "action": "commanded_pose/vec_pitch_yaw",
        "state_names": ["x", "y", "z", "pitch", "yaw"],
        "action_names": ["x", "y", "z", "pitch", "yaw"],
        "action_kind": "pose",
        "files": {split: [path.name for path in paths] for split, paths in shards.items()},
    }

    def left_out() -> dict[str, dict[str, int]]:
        return {
            "moves_without_image": {
                split: tally.moves_without_image for split, tally in tallies.items()
            },
            "last_moves_without_command": {
                split: tally.without_command for split, tally in tallies.items()
            },
        }

    return Recording(splits, metadata, left_out)


def find_shards(
    raw: Path, allow_missing: bool = False, preprocess: Preprocess = "crop"
) -> dict[str, list[Path]]:
    """The shard files of each split under ``raw``, in name order.

    Validation is the last 5% of the train shards (13 of 264), or with finn the 14 that its reader
    keeps. A lone train shard stays whole: then there is no validation split. An evaluation split of
    which only some shards are there is an InputError unless ``allow_missing``: its figures would
    not be comparable.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for number in range(20):
    ...         (Path(folder) / f"push_train.tfrecord-{number:05d}-of-00020").touch()
    ...     shards = find_shards(Path(folder))
    >>> len(shards["train"]), [path.name for path in shards["val"]]
    (19, ['push_train.tfrecord-00019-of-00020'])
    """
    if not raw.is_dir():
        raise InputError(
            f"{raw}: no such folder; --raw is the folder with the push_*.tfrecord-* files."
        )
    found = _shards_by_part(raw)
    splits: dict[str, list[Path]] = {}
    for part, name in _SPLITS.items():
        paths = [path for _, path in sorted(found.get(part, {}).items())]
        if paths and part != "train" and not allow_missing:
            _refuse_missing(raw, part, paths)
        if paths:
            splits[name] = paths
    train = splits.get("train", [])
    if len(train) > 1:
        share = VALIDATION_SHARE * len(train)
        # Finn's reader trains on floor(0.95 * 264) = 250 files.
        held_out = math.ceil(share - 1e-9) if preprocess == "finn" else round(share) or 1
        splits["train"] = train[:-held_out]
        splits["val"] = train[-held_out:]
    return splits


def _shards_by_part(raw: Path) -> dict[str, dict[str, Path]]:
    found: dict[str, dict[str, Path]] = {}
    for path in sorted(raw.rglob("push_*")):
        match = _SHARD.fullmatch(path.name)
        if match and path.is_file():
            if path.name in found.setdefault(match[1], {}):
                raise InputError(
                    f"{path}: the same file is also at {found[match[1]][path.name]}; remove one."
                )
            found[match[1]][path.name] = path
    if not found:
        raise InputError(
            f"{raw}: no files called push_train.tfrecord-XXXXX-of-YYYYY (nor testseen, testnovel); "
            "--raw is the folder with them."
        )
    return found


def _refuse_missing(raw: Path, part: str, paths: list[Path]) -> None:
    numbers = [_SHARD.fullmatch(path.name) for path in paths]
    totals = {int(match[3]) for match in numbers if match}
    missing = sorted(set(range(max(totals))) - {int(match[2]) for match in numbers if match})
    if len(totals) > 1 or missing:
        raise InputError(
            f"{raw}: push_{part} is incomplete: files {missing[:8]} of {max(totals)} are missing. "
            "Fetch them, or accept a partial evaluation split with --allow-missing."
        )


@dataclass
class Tally:
    """What reading left out of a split.

    >>> Tally(moves_without_image=3).without_command
    0
    """

    moves_without_image: int = 0
    without_command: int = 0


def _entries(paths: list[Path], log: DamageLog, tally: Tally, options: Options) -> Iterator[Entry]:
    # JPEG decoding releases the interpreter's lock.
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for path in paths:
            for record in read_records(path, log):
                identity = f"{path.name}:{record.number}"
                what = f"{path}, record {record.number}"
                decode = functools.partial(
                    _episode, record.data, identity, what, options, tally, pool
                )
                yield Entry(identity, decode, what)


def _episode(
    data: bytes,
    identity: str,
    what: str,
    options: Options,
    tally: Tally,
    pool: ThreadPoolExecutor,
) -> Episode | None:
    features = parse_example(data, what)
    moves = sorted({int(match[1]) for key in features if (match := _MOVE.match(key))})
    if not moves:
        raise InputError(f"{what}: no features 'move/...'; not a record of the push data set.")
    jpegs = {move: jpeg for move in moves if (jpeg := _jpeg(features, move, what))}
    run = _first_run(sorted(jpegs))
    if not run:
        tally.moves_without_image += len(moves)
        return None

    def frame(move: int) -> np.ndarray:
        image = decode_image(jpegs[move], f"{what}, move {move}")
        return square(image, options.size, options.preprocess)

    def pose(name: str, moves: list[int]) -> np.ndarray:
        keys = [f"move/{move}/{name}/vec_pitch_yaw" for move in moves]
        return np.stack([float_feature(features, key, POSE, what) for key in keys])

    # The last frame's command leads to no frame: where it is missing, the one before stands in.
    uncommanded = len(run) > 1 and not _has(features, f"move/{run[-1]}/commanded_pose/")
    actions = pose("commanded_pose", run[:-1] if uncommanded else run)
    episode = Episode(
        np.ascontiguousarray(np.stack(list(pool.map(frame, run))).transpose(0, 3, 1, 2)),
        states=pose("endeffector", run),
        actions=np.concatenate([actions, actions[-1:]]) if uncommanded else actions,
        id=identity,
    )
    tally.moves_without_image += len(moves) - len(run)
    tally.without_command += uncommanded
    return episode


def _has(features: Any, prefix: str) -> bool:
    key = f"{prefix}vec_pitch_yaw"
    return key in features and len(features[key].float_list.value) > 0


def square(image: np.ndarray, size: int, preprocess: Preprocess) -> np.ndarray:
    """uint8 (size, size, 3) from a picture uint8 (H, W, 3), as ``preprocess`` names it.

    >>> square(np.full((512, 640, 3), 9, np.uint8), 4, "crop").shape
    (4, 4, 3)
    """
    if preprocess == "finn" or preprocess == "tensor2tensor":
        return public_resize(image, size, preprocess)
    return fit(image, size, "none" if preprocess == "squash" else "centre", "area")


def _jpeg(features: Any, move: int, what: str) -> bytes:
    """The image bytes of a move, empty if it carries none."""
    key = f"move/{move}/image/encoded"
    if key not in features or features[key].WhichOneof("kind") is None:
        return b""
    values = bytes_feature(features, key, what)
    return values[0] if values else b""


def _first_run(moves: list[int]) -> list[int]:
    """The first run of consecutive numbers: across a gap, frame t+1 would not follow from action
    t."""
    run: list[int] = []
    for move in moves:
        if run and move != run[-1] + 1:
            break
        run.append(move)
    return run
