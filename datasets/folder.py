"""A user's own recordings: one sub-folder, .zip or .npz per episode, with frames and a table of
states and actions.

The layout and every option are described, with an example, in docs/data.md.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from pixelpush.datasets.arrays import Archive, decode_array, read_bytes
from pixelpush.datasets.augment import Reflection
from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.frames import Crop, Resize, fit
from pixelpush.datasets.images import decode_image
from pixelpush.datasets.natural import natural_key, template
from pixelpush.datasets.tables import Table, read_csv, read_json_table, rows_of_array
from pixelpush.datasets.video import read_video
from pixelpush.errors import InputError

IMAGES = (".png", ".jpg", ".jpeg", ".webp")
VIDEOS = (".mp4",)
TABLES = (".csv", ".json", ".npz", ".npy")


@dataclass(frozen=True)
class FolderOptions:
    """How to find and shape what an episode holds; the defaults fit the layout of docs/data.md.

    frames_key: pattern of the frames' file names (images, one .npy or one .mp4), or the frames'
    array in a .npz. table: pattern of the table's file name. state_columns, action_columns: columns
    of a CSV or JSON table; empty means those called state_* and action_*. states_key, actions_key:
    arrays of a .npz. states "none": there are none. actions "next-state": the next frame's state
    stands in for the command (the last row repeats). mirror_states, mirror_actions: entries that
    change sign when pictures are mirrored left to right; None: not known."""

    size: int = 64
    crop: Crop = "centre"
    resize: Resize = "auto"
    frames_key: str | None = None
    table: str | None = None
    state_columns: tuple[str, ...] = ()
    action_columns: tuple[str, ...] = ()
    states_key: str = "states"
    actions_key: str = "actions"
    states: Literal["table", "none"] = "table"
    actions: Literal["table", "next-state", "none"] = "table"
    bgr: bool = False
    mirror_states: tuple[int, ...] | None = None
    mirror_actions: tuple[int, ...] | None = None

    def __post_init__(self):
        if self.actions == "next-state" and self.states == "none":
            raise InputError("--actions next-state needs states, but --states is none.")
        if (self.mirror_states is None) != (self.mirror_actions is None):
            raise InputError(
                "give both --mirror-states and --mirror-actions; 'none' where no entry changes "
                "sign."
            )


class _Files(Protocol):
    """The files of an episode, wherever they lie."""

    path: Path

    def names(self) -> Iterator[str]: ...

    def read(self, name: str) -> bytes: ...


class _Folder:
    """A sub-folder's files, itself and below, by relative name."""

    def __init__(self, path: Path):
        self.path = path

    def names(self) -> Iterator[str]:
        for path in self.path.rglob("*"):
            relative = path.relative_to(self.path)
            if path.is_file() and not any(part.startswith(".") for part in relative.parts):
                yield relative.as_posix()

    def read(self, name: str) -> bytes:
        return read_bytes(self.path / name)


def find_episodes(raw: Path) -> list[Path]:
    """The episodes under ``raw``, in natural name order: its sub-folders, .zip and .npz files (or
    ``raw`` itself)."""
    if raw.is_file():
        found = [raw]
    elif raw.is_dir():
        found = [
            path
            for path in raw.iterdir()
            if path.is_dir() or path.suffix.lower() in (".zip", ".npz")
        ]
    else:
        raise InputError(
            f"{raw}: no such folder; --raw holds one sub-folder, .zip or .npz per episode."
        )
    found = sorted(
        (path for path in found if not path.name.startswith(".")),
        key=lambda path: natural_key(path.name),
    )
    if not found:
        raise InputError(f"{raw}: no episodes: no sub-folder, .zip or .npz in it.")
    names = [path.stem if path.is_file() else path.name for path in found]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{raw}: more than one episode is called {name!r}.")
    return found


def episode_name(path: Path) -> str:
    """An episode's id: the sub-folder's name, or the archive's without its ending."""
    return path.name if path.is_dir() else path.stem


def read_episode(path: Path, options: FolderOptions) -> Episode:
    """One episode; every error names the file, and the row or frame where there is one."""
    if path.suffix.lower() == ".npz" and path.is_file():
        archive = Archive(path)
        frames_key = options.frames_key or "frames"
        images = _array_frames(
            archive.read_array(frames_key), f"{path}: array {frames_key!r}", options
        )
        states, actions = _from_npz(archive, options)
    else:
        files: _Files = _Folder(path) if path.is_dir() else Archive(path)
        images = _frames(files, options)
        states, actions = _poses(files, options)
    stacked = [fit(image, options.size, options.crop, options.resize) for image in images]
    if not stacked:
        raise InputError(f"{path}: the episode has no frames.")
    frames = np.ascontiguousarray(np.stack(stacked).transpose(0, 3, 1, 2))
    states = np.zeros((len(frames), 0), np.float32) if states is None else states
    if options.actions == "next-state":
        actions = np.concatenate([states[1:], states[-1:]])
    actions = np.zeros((len(frames), 0), np.float32) if actions is None else actions
    for name, rows, mirrored in (
        ("states", states, options.mirror_states),
        ("actions", actions, options.mirror_actions),
    ):
        if len(rows) != len(frames):
            raise InputError(
                f"{path}: {len(frames)} frames but {len(rows)} rows of {name}; they must be as "
                "many."
            )
        if mirrored is not None:  # refuses what a reader of the store would
            Reflection.negating(mirrored, rows.shape[1], f"the {name[:-1]} of {path}")
    return Episode(frames, states, actions, episode_name(path))


def _one(
    files: _Files, pattern: str | None, endings: tuple[str, ...], kind: str, option: str
) -> str | None:
    """The one file that ``pattern`` matches, or without a pattern the one with such an ending; None
    if none."""
    names = [name for name in files.names() if name.lower().endswith(endings)]
    if pattern is not None:
        names = [name for name in names if fnmatch.fnmatchcase(name, pattern)]
    if len(names) > 1:
        raise InputError(
            f"{files.path}: more than one {kind} ({', '.join(sorted(names)[:6])}); choose by "
            f"{option}."
        )
    return names[0] if names else None


def _frames(files: _Files, options: FolderOptions) -> Iterator[np.ndarray]:
    """Frames uint8 (H, W, 3) of whichever form is there."""
    wanted = options.frames_key or "*"
    images = [
        n for n in files.names() if n.lower().endswith(IMAGES) and fnmatch.fnmatchcase(n, wanted)
    ]
    if images:
        series = sorted({template(name) for name in images})
        if len(series) > 1:
            raise InputError(
                f"{files.path}: images of {len(series)} series ({', '.join(series[:4])}); choose "
                "one by --frames-key."
            )
        for name in sorted(images, key=natural_key):
            yield decode_image(files.read(name), f"{files.path}/{name}")
        return
    video = _one(files, options.frames_key, VIDEOS, "video", "--frames-key")
    if video is not None:
        yield from read_video(files.read(video), f"{files.path}/{video}")
        return
    array = _one(
        files, options.frames_key or "*frames.npy", (".npy",), "array of frames", "--frames-key"
    )
    if array is None:
        asked = f" called {options.frames_key}" if options.frames_key else ""
        raise InputError(
            f"{files.path}: no frames{asked}: no PNG, JPEG or WebP images, no MP4, no frames.npy."
        )
    what = f"{files.path}/{array}"
    yield from _array_frames(decode_array(files.read(array), what), what, options)


def _array_frames(array: np.ndarray, what: str, options: FolderOptions) -> Iterator[np.ndarray]:
    if (
        array.ndim != 4
        or array.shape[-1] not in (1, 3)
        or array.dtype.kind not in "iu"
        or 0 in array.shape
    ):
        raise InputError(
            f"{what}: {array.dtype} {array.shape}; whole numbers (T, H, W, 3) from 0 to 255 are "
            "needed."
        )
    if array.dtype != np.uint8 and (int(array.min()) < 0 or int(array.max()) > 255):
        raise InputError(
            f"{what}: values from {array.min()} to {array.max()}; 0 to 255 are needed."
        )
    for image in array:
        image = np.repeat(image, 3, axis=-1) if array.shape[-1] == 1 else image
        yield np.ascontiguousarray((image[..., ::-1] if options.bgr else image).astype(np.uint8))


def _poses(files: _Files, options: FolderOptions) -> tuple[np.ndarray | None, np.ndarray | None]:
    """States and actions of an episode's table; None for those that are not asked for."""
    if options.states == "none" and options.actions == "none":
        return None, None
    name = _table_name(files, options)
    what = f"{files.path}/{name}"
    ending = Path(name).suffix.lower()
    if ending == ".npz":
        return _from_npz(_nested_npz(files, name), options)
    if ending == ".npy":
        if options.states == "none" or options.actions == "table":
            raise InputError(
                f"{what}: a .npy table holds states alone; give --actions next-state or none."
            )
        return rows_of_array(decode_array(files.read(name), what), what), None
    table = (
        read_csv(files.read(name), what)
        if ending == ".csv"
        else read_json_table(files.read(name), what)
    )
    states = _columns(table, options.state_columns, "state_") if options.states == "table" else None
    return states, (
        _columns(table, options.action_columns, "action_") if options.actions == "table" else None
    )


def _table_name(files: _Files, options: FolderOptions) -> str:
    if options.table is not None:
        name = _one(files, options.table, TABLES, "table", "--table")
        if name is None:
            raise InputError(f"{files.path}: no table called {options.table}.")
        return name
    for ending in ((".csv",), (".npz",), (".json",)):
        name = _one(files, None, ending, "table", "--table")
        if name is not None:
            return name
    raise InputError(
        f"{files.path}: no table of states and actions (.csv, .npz, .json; name it by --table); "
        "if there is none, give --states none --actions none."
    )


def _nested_npz(files: _Files, name: str) -> Archive:
    if isinstance(files, _Folder):
        return Archive(files.path / name)
    raise InputError(
        f"{files.path}/{name}: a .npz inside a .zip is not read; use a folder, or a CSV table."
    )


def _columns(table: Table, names: tuple[str, ...], prefix: str) -> np.ndarray:
    chosen = list(names) or table.with_prefix(prefix)
    if not chosen:
        kind = prefix.rstrip("_")
        raise InputError(
            f"{table.source}: no columns called {prefix}*; choose by --{kind}-columns from "
            f"{', '.join(table.columns)}, or give --{kind}s none."
        )
    return table.select(chosen)


def _from_npz(
    archive: Archive, options: FolderOptions
) -> tuple[np.ndarray | None, np.ndarray | None]:
    def rows(key: str) -> np.ndarray:
        return rows_of_array(archive.read_array(key), f"{archive.path}: array {key!r}")

    states = rows(options.states_key) if options.states == "table" else None
    return states, (rows(options.actions_key) if options.actions == "table" else None)
