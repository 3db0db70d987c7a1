"""Finding the episodes of a folder, and the files of an episode in a folder or an archive."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pixelpush.datasets.arrays import Archive, read_bytes
from pixelpush.datasets.natural import is_junk, natural_key, template
from pixelpush.datasets.video import DEMUXERS
from pixelpush.errors import InputError

IMAGES = (".png", ".jpg", ".jpeg", ".webp")
VIDEOS = tuple(DEMUXERS)
TABLES = (".csv", ".tsv", ".json", ".npz", ".npy")
ARCHIVES = (".zip", ".npz")
SPLITS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
# Folders called so (run3, traj_12, 0007) are episodes, not the cameras of one episode.
_EPISODE_NAME = re.compile(
    r"((run|ep|episode|traj|trajectory|trial|demo|seq|sequence|rollout|sample)[-_]?)?\d+"
)
# How far below --raw episodes are looked for, and how many series of pictures pass for cameras.
_MAX_DEPTH = 6
_MAX_CAMERAS = 8


class Files(Protocol):
    """The files of an episode, in a folder or an archive.

    >>> def endings(files: Files) -> set[str]:
    ...     return {Path(name).suffix for name in files.names()}
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / "0.png").touch()
    ...     endings(FolderFiles(Path(folder)))
    {'.png'}
    """

    path: Path

    def names(self) -> Iterator[str]:
        """Relative names of the files, in no set order."""
        ...

    def read(self, name: str) -> bytes:
        """The bytes of a file; one that cannot be read is an InputError."""
        ...


class FolderFiles:
    """A sub-folder's files, itself and below, by relative name; junk is passed over.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / "left").mkdir()
    ...     (Path(folder) / "left" / "0.png").touch()
    ...     (Path(folder) / ".DS_Store").touch()
    ...     list(FolderFiles(Path(folder)).names())
    ['left/0.png']
    """

    def __init__(self, path: Path):
        self.path = path

    def names(self) -> Iterator[str]:
        """Relative names of the files, in no set order.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     list(FolderFiles(Path(folder)).names())
        []
        """
        for path in self.path.rglob("*"):
            relative = path.relative_to(self.path)
            if path.is_file() and not any(is_junk(part) for part in relative.parts):
                yield relative.as_posix()

    def read(self, name: str) -> bytes:
        """The bytes of a file; one that cannot be read is an InputError.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     size = (Path(folder) / "a.txt").write_text("hello")
        ...     FolderFiles(Path(folder)).read("a.txt")
        b'hello'
        """
        return read_bytes(self.path / name)


def open_files(path: Path) -> Files:
    """The files of an episode that is a folder or a .zip.

    >>> type(open_files(Path.home())).__name__
    'FolderFiles'
    """
    return FolderFiles(path) if path.is_dir() else Archive(path)


@dataclass(frozen=True)
class Found:
    """Episodes that were found, and folders in which there is nothing to read.

    episodes: by id, in natural order. splits: of each episode that lies in a folder named after
    one. strays: names of the other folders.

    >>> Found({"run_1": Path("run_1")}, {}, ["notes"]).strays
    ['notes']
    """

    episodes: dict[str, Path]
    splits: dict[str, str]
    strays: list[str]


def find_episodes(raw: Path) -> Found:
    """The episodes under ``raw``: sub-folders, .zip and .npz files, or ``raw`` itself.

    An episode is a folder with frames or a table in it, or with folders of frames of one camera
    each; above it there may be folders that only hold folders, as in train/traj_0_to_255/0/.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("run_10.npz", "run_2.npz"):
    ...         (Path(folder) / name).touch()
    ...     list(find_episodes(Path(folder)).episodes)
    ['run_2', 'run_10']
    """
    if raw.is_file() and raw.suffix.lower() in ARCHIVES:
        return Found({raw.stem: raw}, {}, [])
    if not raw.is_dir():
        raise InputError(
            f"{raw}: no such folder; --raw holds one sub-folder, .zip or .npz per episode."
        )
    strays: list[str] = []
    if _has_media(raw):
        paths = [raw]
    else:
        paths = [path for child in _children(raw) for path in _search(child, strays, 0)]
    if not paths:
        raise InputError(
            f"{raw}: no episodes: no sub-folder with frames, no .zip or .npz in it"
            f"{_looked(strays)}."
        )
    found = Found({}, {}, strays)
    for path in paths:
        _name_episode(path, raw, found)
    return found


def _name_episode(path: Path, raw: Path, found: Found) -> None:
    """Enter an episode under its path below ``raw``, and its split where a folder is named so."""
    parts = list(path.relative_to(raw).parts)
    if path.is_file():
        parts[-1] = path.stem
    split = SPLITS.get(parts[0].lower()) if len(parts) > 1 else None
    name = "/".join(parts) or raw.name
    if name in found.episodes:
        raise InputError(f"{raw}: more than one episode is called {name!r}; rename one.")
    found.episodes[name] = path
    if split is not None:
        found.splits[name] = split


def _looked(strays: Sequence[str]) -> str:
    return f" (there is {', '.join(strays[:4])})" if strays else ""


def _children(folder: Path) -> list[Path]:
    found = (path for path in folder.iterdir() if not is_junk(path.name))
    kept = [path for path in found if path.is_dir() or path.suffix.lower() in ARCHIVES]
    return sorted(kept, key=lambda path: natural_key(path.name))


def _search(path: Path, strays: list[str], depth: int) -> list[Path]:
    """The episodes at or below a path."""
    if path.is_file():
        return [path]
    children = _children(path)
    folders = [child for child in children if child.is_dir()]
    if _has_media(path) or _has_table(path) or _are_cameras(folders):
        return [path]
    if depth < _MAX_DEPTH and children:
        return [found for child in children for found in _search(child, strays, depth + 1)]
    strays.append(path.name)
    return []


def _has_media(folder: Path) -> bool:
    return any(
        path.suffix.lower() in (*IMAGES, *VIDEOS) or path.name.endswith("frames.npy")
        for path in folder.iterdir()
        if path.is_file() and not is_junk(path.name)
    )


def _has_table(folder: Path) -> bool:
    return any(
        path.suffix.lower() in (".csv", ".tsv", ".json", ".npy") and path.name != "splits.json"
        for path in folder.iterdir()
        if path.is_file() and not is_junk(path.name)
    )


def _are_cameras(folders: list[Path]) -> bool:
    """Whether folders hold one camera's frames each: frames, no tables, and names that are not
    an episode's: mere numbers, or run1, demo_2."""
    with_frames = [folder for folder in folders if _has_media(folder)]
    return bool(with_frames) and not any(
        _has_table(folder) or _EPISODE_NAME.fullmatch(folder.name.lower()) for folder in with_frames
    )


def one_of(
    files: Files,
    pattern: str | None,
    endings: tuple[str, ...],
    kind: str,
    option: str,
    camera: str | None = None,
) -> str | None:
    """The one file with such an ending that ``pattern`` matches; None if there is none.

    pattern: None for any name. camera: only files of this one. Several are an InputError that
    speaks of ``kind`` and names the ``option`` to choose by.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("poses.csv", "0.png"):
    ...         (Path(folder) / name).touch()
    ...     one_of(FolderFiles(Path(folder)), None, (".csv",), "table", "--table")
    'poses.csv'
    """
    names = [name for name in files.names() if name.lower().endswith(endings)]
    if pattern is not None:
        names = [name for name in names if fnmatch.fnmatchcase(name, pattern)]
    if camera is not None:
        names = [name for name in names if of_camera(name, camera)]
    if len(names) > 1:
        raise InputError(
            f"{files.path}: more than one {kind} ({', '.join(sorted(names)[:6])}); choose by "
            f"{option}."
        )
    return names[0] if names else None


def series_of(names: Sequence[str]) -> dict[str, list[str]]:
    """Image files by series: names that differ in their last number alone belong together.

    Where that makes a series of nearly every file (dates in the names), all that differ in numbers
    belong together.

    >>> series_of(["left_0.png", "left_1.png", "right_0.png", "right_1.png"])
    {'left_#.png': ['left_0.png', 'left_1.png'], 'right_#.png': ['right_0.png', 'right_1.png']}
    """
    strict: dict[str, list[str]] = {}
    for name in names:
        strict.setdefault(_but_last_number(name), []).append(name)
    if len(strict) <= _MAX_CAMERAS and all(len(members) > 1 for members in strict.values()):
        return strict
    # Too many series, or series of one picture: other numbers in the names change too, as dates do.
    # All numbers then count as the place in the series.
    loose: dict[str, list[str]] = {}
    for name in names:
        folder, _, file = name.rpartition("/")
        loose.setdefault(f"{folder}/{template(file)}".lstrip("/"), []).append(name)
    return loose


def _but_last_number(name: str) -> str:
    """'cam0_12.png' -> 'cam0_#.png'."""
    folder, slash, file = name.rpartition("/")
    stem, dot, ending = file.rpartition(".")
    return folder + slash + re.sub(r"\d+(\.\d+)?(?=\D*$)", "#", stem, count=1) + dot + ending


def of_camera(name: str, camera: str) -> bool:
    """Whether a file belongs to a camera: its folder or its name without the number is called so.

    >>> of_camera("left_12.png", "left"), of_camera("wrist/frame_3.png", "left")
    (True, False)
    """
    stem = _but_last_number(name).rpartition(".")[0] if "/" in name or "." in name else name
    own = name.rpartition(".")[0].split("/")
    parts = {part.strip("#_-. ").lower() for part in [*stem.split("/"), *own]}
    return camera.lower() in parts
