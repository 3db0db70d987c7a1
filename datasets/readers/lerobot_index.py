"""Reading meta/ of a LeRobot data set, of formats v2 (JSON lines) and v3 (parquet)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pixelpush.datasets.arrays import read_bytes
from pixelpush.datasets.readers.lerobot_meta import DATA, VIDEO, EpisodeMeta, Meta
from pixelpush.datasets.readers.parquet import open_parquet, read_columns
from pixelpush.datasets.tables import parse_json
from pixelpush.errors import InputError


def read_meta(root: Path) -> Meta:
    """Read meta/ of the data set in ``root``; another version is an InputError that says so.

    >>> import tempfile
    >>> info = {"codebase_version": "v2.1", "fps": 10, "features": {}}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / "meta").mkdir()
    ...     size = (Path(folder) / "meta/info.json").write_text(json.dumps(info))
    ...     line = '{"episode_index": 0, "length": 20}'
    ...     size = (Path(folder) / "meta/episodes.jsonl").write_text(line)
    ...     read_meta(Path(folder)).episodes[0].length
    20
    """
    path = root / "meta" / "info.json"
    if not path.is_file():
        raise InputError(f"{root}: no meta/info.json in it; --raw is a LeRobot data set's folder.")
    info = parse_json(read_bytes(path), str(path))
    version = str(info.get("codebase_version")) if isinstance(info, dict) else ""
    major = {"v2.0": 2, "v2.1": 2, "v3.0": 3}.get(version)
    if major is None:
        raise InputError(
            f"{path}: codebase_version {version}; v2.0, v2.1 and v3.0 are read. Convert it by "
            "LeRobot's own scripts."
        )
    features, fps = _features(info, path)
    episodes = _episodes_v2(root) if major == 2 else _episodes_v3(root, features)
    return Meta(
        root,
        version,
        fps,
        features,
        sorted(episodes, key=lambda item: item.index),
        str(info.get("data_path") or DATA[major]),
        str(info.get("video_path") or VIDEO[major]),
        max(1, int(info.get("chunks_size") or 1000)),
    )


def _features(info: Any, path: Path) -> tuple[Mapping[str, Any], float]:
    """The descriptions of the features, and frames a second, of an info.json."""
    features = info.get("features")
    fps = info.get("fps")
    whole = isinstance(features, dict) and all(isinstance(v, dict) for v in features.values())
    if not whole or not isinstance(fps, (int, float)) or not 0 < fps < 1e4:
        raise InputError(f"{path}: 'features' or 'fps' is missing or damaged; fetch it again.")
    return features, float(fps)


def _episodes_v2(root: Path) -> list[EpisodeMeta]:
    path = root / "meta" / "episodes.jsonl"
    lines = read_bytes(path).decode("utf-8", errors="replace").splitlines()
    found = []
    for number, line in enumerate((line for line in lines if line.strip()), start=1):
        try:
            value = json.loads(line)
            found.append(
                EpisodeMeta(
                    int(value["episode_index"]),
                    int(value["length"]),
                    tuple(str(task) for task in value.get("tasks") or ()),
                )
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InputError(
                f"{path}, line {number}: not an episode with episode_index and length; fetch it "
                "again."
            ) from None
    return found


def _episodes_v3(root: Path, features: Mapping[str, Any]) -> list[EpisodeMeta]:
    paths = sorted((root / "meta" / "episodes").glob("chunk-*/file-*.parquet"))
    if not paths:
        raise InputError(f"{root}/meta/episodes: no chunk-*/file-*.parquet in it; fetch them.")
    videos = [key for key, value in features.items() if value.get("dtype") == "video"]
    found: list[EpisodeMeta] = []
    for path in paths:
        found += _episodes_of(path, videos)
    return _rows_within_files(found)


def _episodes_of(path: Path, videos: list[str]) -> list[EpisodeMeta]:
    needed = ["episode_index", "length", "data/chunk_index", "data/file_index"]
    needed += ["dataset_from_index", "dataset_to_index"]
    with open_parquet(path) as file:
        there = file.schema_arrow.names
    fields = ("chunk_index", "file_index", "from_timestamp")
    for key in videos:
        needed += [f"videos/{key}/{part}" for part in fields if f"videos/{key}/{part}" in there]
    columns = read_columns(path, needed + (["tasks"] if "tasks" in there else []))
    count = len(columns["episode_index"])
    tasks = columns.get("tasks", [()] * count)
    found = []
    for row in range(count):
        places = {"data": _place(columns, "data", row)}
        starts = {}
        for key in videos:
            if all(f"videos/{key}/{part}" in columns for part in fields):
                places[key] = _place(columns, f"videos/{key}", row)
                # A video of v3 holds many episodes; this one begins so many seconds into it.
                starts[key] = float(columns[f"videos/{key}/from_timestamp"][row])
        found.append(
            EpisodeMeta(
                int(columns["episode_index"][row]),
                int(columns["length"][row]),
                tuple(str(task) for task in tasks[row]),
                (int(columns["dataset_from_index"][row]), int(columns["dataset_to_index"][row])),
                places,
                starts,
            )
        )
    return found


def _place(columns: Mapping[str, Any], name: str, row: int) -> tuple[int, int]:
    """The numbers of the folder and of the file in which an episode lies."""
    return int(columns[f"{name}/chunk_index"][row]), int(columns[f"{name}/file_index"][row])


def _rows_within_files(episodes: list[EpisodeMeta]) -> list[EpisodeMeta]:
    """Row numbers count over the whole set; within a file they begin at its first episode's."""
    first: dict[tuple[int, int], int] = {}
    for item in episodes:
        assert item.rows is not None
        place = item.places["data"]
        first[place] = min(first.get(place, item.rows[0]), item.rows[0])
    return [
        replace(
            item,
            rows=(
                item.rows[0] - first[item.places["data"]],
                item.rows[1] - first[item.places["data"]],
            ),
        )
        for item in episodes
        if item.rows is not None
    ]
