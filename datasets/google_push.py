"""The Google robot pushing data set (Finn, Goodfellow and Levine 2016) from its public TFRecords.

264 train, 5 test-seen and 5 test-novel shards
``push_{train,testseen,testnovel}.tfrecord-XXXXX-of-YYYYY``. Per move i of an episode:
``move/{i}/image/encoded`` (JPEG, 512 high, 640 wide), ``move/{i}/endeffector/vec_pitch_yaw``
(state, 5) and ``move/{i}/commanded_pose/vec_pitch_yaw`` (action, 5). Some moves, mostly late ones,
carry no image."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.examples import bytes_feature, float_feature, parse_example
from pixelpush.datasets.frames import Crop, fit
from pixelpush.datasets.images import decode_image
from pixelpush.datasets.tfrecord import Damage, DamageLog, read_records
from pixelpush.errors import InputError

Preprocess = Literal["crop", "squash"]
POSE = 5
VALIDATION_SHARE = 0.05

_SHARD = re.compile(r"push_(train|testseen|testnovel)\.tfrecord-(\d{5})-of-(\d{5})")
_SPLITS = {"train": "train", "testseen": "test-seen", "testnovel": "test-novel"}
_MOVE = re.compile(r"move/(\d{1,9})/")


def find_shards(raw: Path, allow_missing: bool = False) -> dict[str, list[Path]]:
    """The shard files of each split under ``raw``, in name order; validation is the last 5% of the
    train shards.

    An evaluation split of which only some shards are there is refused unless ``allow_missing``: its
    figures would not be comparable. A lone train shard stays whole: then there is no validation
    split."""
    if not raw.is_dir():
        raise InputError(
            f"{raw}: no such folder; --raw is the folder with the push_*.tfrecord-* files."
        )
    found: dict[str, dict[str, Path]] = {}
    for path in sorted(raw.rglob("push_*")):
        match = _SHARD.fullmatch(path.name)
        if match and path.is_file():
            if path.name in found.setdefault(match[1], {}):
                raise InputError(
                    f"{path}: the same shard is also at {found[match[1]][path.name]}; remove one."
                )
            found[match[1]][path.name] = path
    if not found:
        raise InputError(
            f"{raw}: no files called push_train.tfrecord-XXXXX-of-YYYYY (nor testseen, testnovel)."
        )
    splits: dict[str, list[Path]] = {}
    for part, name in _SPLITS.items():
        paths = [path for _, path in sorted(found.get(part, {}).items())]
        if paths and part != "train" and not allow_missing:
            _refuse_missing(raw, part, paths)
        if paths:
            splits[name] = paths
    held_out = round(VALIDATION_SHARE * len(splits.get("train", []))) or 1
    if len(splits.get("train", [])) > 1:
        splits["train"], splits["val"] = splits["train"][:-held_out], splits["train"][-held_out:]
    return splits


def _refuse_missing(raw: Path, part: str, paths: list[Path]) -> None:
    numbers = [_SHARD.fullmatch(path.name) for path in paths]
    totals = {int(match[3]) for match in numbers if match}
    missing = sorted(set(range(max(totals))) - {int(match[2]) for match in numbers if match})
    if len(totals) > 1 or missing:
        raise InputError(
            f"{raw}: push_{part} is incomplete: shards {missing[:8]} of {max(totals)} are missing. "
            "Fetch them, or accept a partial evaluation split with --allow-missing."
        )


@dataclass
class Tally:
    """What reading left out, for the store's metadata."""

    moves_without_image: int = 0
    too_short: int = 0
    by_file: dict[str, int] = field(default_factory=dict)  # episodes kept


def read_episodes(
    paths: list[Path],
    log: DamageLog,
    tally: Tally,
    *,
    size: int = 64,
    preprocess: Preprocess = "crop",
    min_frames: int = 2,
    threads: int = 1,
) -> Iterator[Episode]:
    """The episodes of shard files; an unusable record is damage, an episode under ``min_frames`` is
    left out."""
    crop: Crop = "centre" if preprocess == "crop" else "none"
    with ThreadPoolExecutor(threads) as pool:  # JPEG decoding releases the interpreter's lock
        for path in paths:
            for record in read_records(path, log):
                identity = f"{path.name}:{record.number}"
                what = f"{path}, record {record.number}"
                try:
                    episode, without_image = _episode(record.data, identity, what, size, crop, pool)
                except InputError as error:
                    log.add(Damage(str(path), record.number, record.offset, str(error)))
                    continue
                tally.moves_without_image += without_image
                if episode is None or len(episode.frames) < min_frames:
                    tally.too_short += 1
                    continue
                tally.by_file[path.name] = tally.by_file.get(path.name, 0) + 1
                yield episode


def _episode(
    data: bytes, identity: str, what: str, size: int, crop: Crop, pool: ThreadPoolExecutor
) -> tuple[Episode | None, int]:
    features = parse_example(data, what)
    moves = sorted({int(match[1]) for key in features if (match := _MOVE.match(key))})
    if not moves:
        raise InputError(f"{what}: no features 'move/...'; not a record of the push data set.")
    jpegs = {move: jpeg for move in moves if (jpeg := _jpeg(features, move, what))}
    run = _first_run(sorted(jpegs))
    if not run:
        return None, len(moves)

    def frame(move: int) -> np.ndarray:
        return fit(decode_image(jpegs[move], f"{what}, move {move}"), size, crop, "area")

    def pose(name: str) -> np.ndarray:
        return np.stack(
            [
                float_feature(features, f"move/{move}/{name}/vec_pitch_yaw", POSE, what)
                for move in run
            ]
        )

    frames = np.stack(list(pool.map(frame, run))).transpose(0, 3, 1, 2)
    episode = Episode(
        np.ascontiguousarray(frames),
        states=pose("endeffector"),
        actions=pose("commanded_pose"),
        id=identity,
    )
    return episode, len(moves) - len(run)


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
