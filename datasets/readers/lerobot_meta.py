"""What meta/ of a LeRobot data set says: features, rate, and where each episode lies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pixelpush.datasets.arrays import read_bytes
from pixelpush.datasets.readers.parquet import open_parquet, read_columns
from pixelpush.datasets.tables import parse_json
from pixelpush.errors import InputError

_DATA = {
    2: "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
    3: "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
}
_VIDEO = {
    2: "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4",
    3: "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
}
# Columns of bookkeeping, never states or actions.
_BOOKKEEPING = ("timestamp", "frame_index", "episode_index", "index", "task_index", "next.done")


@dataclass(frozen=True)
class EpisodeMeta:
    """One episode, and where it lies.

    rows: of its data file, None: all. places: chunk and file index of the data ('data') and of each
    camera's video; starts: seconds into the video, by camera.

    >>> EpisodeMeta(index=3, length=20, rows=(40, 60)).rows
    (40, 60)
    """

    index: int
    length: int | None
    tasks: tuple[str, ...] = ()
    rows: tuple[int, int] | None = None
    places: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    starts: Mapping[str, float] = field(default_factory=dict)

    def video_start(self, camera: str) -> float | None:
        """Seconds into the camera's video; None: the video is the episode's alone.

        >>> EpisodeMeta(3, 20, starts={"top": 2.5}).video_start("top")
        2.5
        """
        return self.starts.get(camera)


@dataclass(frozen=True)
class Meta:
    """The whole of meta/.

    >>> features = {"action": {"dtype": "float32", "shape": [2]}, "top": {"dtype": "video"}}
    >>> meta = Meta(Path("set"), "v2.1", 10.0, features, [], _DATA[2], _VIDEO[2], 1000)
    >>> meta.cameras, meta.vectors
    (['top'], ['action'])
    """

    root: Path
    version: str
    fps: float
    features: Mapping[str, Mapping[str, Any]]
    episodes: list[EpisodeMeta]
    data_path: str
    video_path: str
    chunk_size: int

    @property
    def cameras(self) -> list[str]:
        """Features that are pictures.

        >>> features = {"top": {"dtype": "video"}, "wrist": {"dtype": "image"}}
        >>> Meta(Path("set"), "v2.1", 10.0, features, [], _DATA[2], _VIDEO[2], 1000).cameras
        ['top', 'wrist']
        """
        return [
            key for key, value in self.features.items() if value.get("dtype") in ("video", "image")
        ]

    @property
    def vectors(self) -> list[str]:
        """Features that are numbers, without those of bookkeeping.

        >>> features = {"action": {"dtype": "float32"}, "timestamp": {"dtype": "float32"}}
        >>> Meta(Path("set"), "v2.1", 10.0, features, [], _DATA[2], _VIDEO[2], 1000).vectors
        ['action']
        """
        return [
            key
            for key, value in self.features.items()
            if value.get("dtype") not in ("video", "image", "string", "language")
            and key not in _BOOKKEEPING
        ]

    def optional(self, key: str) -> tuple[str, ...]:
        """The feature, where there is one of that name.

        >>> meta = Meta(Path("set"), "v2.1", 10.0, {"task": {}}, [], _DATA[2], _VIDEO[2], 1000)
        >>> meta.optional("task"), meta.optional("reward")
        (('task',), ())
        """
        return (key,) if key in self.features else ()

    def is_video(self, camera: str) -> bool:
        """Whether a camera's frames lie in videos.

        >>> features = {"wrist": {"dtype": "image"}}
        >>> meta = Meta(Path("set"), "v2.1", 10.0, features, [], _DATA[2], _VIDEO[2], 1000)
        >>> meta.is_video("wrist")
        False
        """
        return self.features[camera].get("dtype") == "video"

    def width(self, key: str) -> int:
        """How many numbers a feature has.

        >>> features = {"action": {"shape": [2, 3]}}
        >>> Meta(Path("set"), "v2.1", 10.0, features, [], _DATA[2], _VIDEO[2], 1000).width("action")
        6
        """
        size = 1
        for side in self.features[key].get("shape") or [1]:
            size *= int(side)
        return size

    def entry_names(self, key: str) -> list[str]:
        """Names of a feature's numbers, however deep they are nested.

        They are numbered where there are no names that fit.

        >>> named = {"shape": [2], "names": {"motors": ["x", "y"]}}
        >>> features = {"action": named, "q": {"shape": [2]}}
        >>> meta = Meta(Path("set"), "v2.1", 10.0, features, [], _DATA[2], _VIDEO[2], 1000)
        >>> meta.entry_names("action"), meta.entry_names("q")
        (['x', 'y'], ['q 0', 'q 1'])
        """
        names: Any = self.features[key].get("names")
        while isinstance(names, dict) and len(names) == 1:
            names = next(iter(names.values()))
        if isinstance(names, dict):
            names = list(names)
        while isinstance(names, list) and len(names) == 1 and isinstance(names[0], list):
            names = names[0]
        if isinstance(names, list) and len(names) == self.width(key):
            return [str(name) for name in names]
        return [f"{key} {number}" for number in range(self.width(key))]

    def data_file(self, item: EpisodeMeta) -> Path:
        """The parquet file of an episode.

        >>> meta = Meta(Path("set"), "v2.1", 10.0, {}, [], _DATA[2], _VIDEO[2], 1000)
        >>> meta.data_file(EpisodeMeta(1003, 20)).as_posix()
        'set/data/chunk-001/episode_001003.parquet'
        """
        return self.root / self._fill(self.data_path, item, "data", "")

    def video_file(self, item: EpisodeMeta, camera: str) -> Path:
        """The video of an episode.

        Some sets keep it elsewhere than their own template says: then it is the one file that lies
        under any folder, with the same camera, chunk and name.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     meta = Meta(Path(folder), "v2.1", 10.0, {}, [], _DATA[2], _VIDEO[2], 1000)
        ...     meta.video_file(EpisodeMeta(3, 20), "top").name
        'episode_000003.mp4'
        """
        relative = Path(self._fill(self.video_path, item, camera, camera))
        if (self.root / relative).is_file():
            return self.root / relative
        tail = Path(*relative.parts[1:])
        for folder in sorted(path for path in self.root.iterdir() if path.is_dir()):
            if (folder / tail).is_file():
                return folder / tail
        return self.root / relative

    def missing_file(self, item: EpisodeMeta, camera: str) -> Path | None:
        """The first file of an episode that is not there; None where all are.

        >>> meta = Meta(Path("set"), "v2.1", 10.0, {"wrist": {}}, [], _DATA[2], _VIDEO[2], 1000)
        >>> meta.missing_file(EpisodeMeta(3, 20), "wrist").name
        'episode_000003.parquet'
        """
        needed = [self.data_file(item)]
        needed += [self.video_file(item, camera)] if self.is_video(camera) else []
        return next((path for path in needed if not path.is_file()), None)

    def _fill(self, template: str, item: EpisodeMeta, place: str, camera: str) -> str:
        chunk, file = item.places.get(place, (0, 0))
        values = {
            "episode_chunk": item.index // self.chunk_size,
            "episode_index": item.index,
            "chunk_index": chunk,
            "file_index": file,
            "video_key": camera,
        }
        try:
            filled = template.format(**values)
        except (KeyError, ValueError, IndexError, AttributeError):
            raise InputError(
                f"{self.root}/meta/info.json: the path template {template!r} is of an unknown "
                "kind; correct it there."
            ) from None
        if ".." in Path(filled).parts or Path(filled).is_absolute():
            raise InputError(
                f"{self.root}/meta/info.json: {filled!r} leaves the folder; correct the path "
                "templates there."
            )
        return filled


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
        str(info.get("data_path") or _DATA[major]),
        str(info.get("video_path") or _VIDEO[major]),
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
