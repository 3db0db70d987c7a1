"""What meta/ of a LeRobot data set describes: features, rate, and where each episode lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pixelpush.errors import InputError

DATA = {
    2: "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
    3: "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
}
VIDEO = {
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
    >>> meta = Meta(Path("set"), "v2.1", 10.0, features, [], DATA[2], VIDEO[2], 1000)
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
        >>> Meta(Path("set"), "v2.1", 10.0, features, [], DATA[2], VIDEO[2], 1000).cameras
        ['top', 'wrist']
        """
        return [
            key for key, value in self.features.items() if value.get("dtype") in ("video", "image")
        ]

    @property
    def vectors(self) -> list[str]:
        """Features that are numbers, without those of bookkeeping.

        >>> features = {"action": {"dtype": "float32"}, "timestamp": {"dtype": "float32"}}
        >>> Meta(Path("set"), "v2.1", 10.0, features, [], DATA[2], VIDEO[2], 1000).vectors
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

        >>> meta = Meta(Path("set"), "v2.1", 10.0, {"task": {}}, [], DATA[2], VIDEO[2], 1000)
        >>> meta.optional("task"), meta.optional("reward")
        (('task',), ())
        """
        return (key,) if key in self.features else ()

    def is_video(self, camera: str) -> bool:
        """Whether a camera's frames lie in videos.

        >>> features = {"wrist": {"dtype": "image"}}
        >>> meta = Meta(Path("set"), "v2.1", 10.0, features, [], DATA[2], VIDEO[2], 1000)
        >>> meta.is_video("wrist")
        False
        """
        return self.features[camera].get("dtype") == "video"

    def width(self, key: str) -> int:
        """How many numbers a feature has.

        >>> features = {"action": {"shape": [2, 3]}}
        >>> Meta(Path("set"), "v2.1", 10.0, features, [], DATA[2], VIDEO[2], 1000).width("action")
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
        >>> meta = Meta(Path("set"), "v2.1", 10.0, features, [], DATA[2], VIDEO[2], 1000)
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

        >>> meta = Meta(Path("set"), "v2.1", 10.0, {}, [], DATA[2], VIDEO[2], 1000)
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
        ...     meta = Meta(Path(folder), "v2.1", 10.0, {}, [], DATA[2], VIDEO[2], 1000)
        ...     meta.video_file(EpisodeMeta(3, 20), "top").name
        'episode_000003.mp4'
        """
        relative = Path(self._fill(self.video_path, item, camera, camera))
        if (self.root / relative).is_file():
            return self.root / relative
        # Some converted sets keep their videos in another first folder than info.json says.
        tail = Path(*relative.parts[1:])
        for folder in sorted(path for path in self.root.iterdir() if path.is_dir()):
            if (folder / tail).is_file():
                return folder / tail
        return self.root / relative

    def missing_file(self, item: EpisodeMeta, camera: str) -> Path | None:
        """The first file of an episode that is not there; None where all are.

        >>> meta = Meta(Path("set"), "v2.1", 10.0, {"wrist": {}}, [], DATA[2], VIDEO[2], 1000)
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
        # The template comes with the data: it must not lead out of the data's folder.
        if ".." in Path(filled).parts or Path(filled).is_absolute():
            raise InputError(
                f"{self.root}/meta/info.json: {filled!r} leaves the folder; correct the path "
                "templates there."
            )
        return filled
