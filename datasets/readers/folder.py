"""A user's own recordings: one sub-folder, .zip or .npz per episode, with frames and a table of
states and actions.

The layout and every option are described, with an example, in docs/data.md.
"""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from pixelpush.datasets.arrays import Archive
from pixelpush.datasets.damage import DamageLog
from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.rates import Compose
from pixelpush.datasets.readers.common import (
    RobotOptions,
    array_frames,
    make_episode,
    robot_metadata,
)
from pixelpush.datasets.readers.folder_files import Found, find_episodes, open_files
from pixelpush.datasets.readers.folder_frames import Pictures, find_pictures
from pixelpush.datasets.readers.folder_tables import (
    Poses,
    join_by_time,
    read_named,
    read_npz,
    read_poses,
)
from pixelpush.datasets.readers.images_refused import refuse_image_set
from pixelpush.datasets.recording import Entry, Recording, unsplit
from pixelpush.errors import InputError
from pixelpush.words import counted

# Frames or rows too many that --trim is proposed for.
_FEW = 4


@dataclass(frozen=True)
class Options(RobotOptions):
    """Options of ``pixelpush prepare folder``; the defaults fit the layout of docs/data.md.

    Example:
        >>> Options(actions="next-state", states="none")
        Traceback (most recent call last):
        pixelpush.errors.InputError: --actions next-state needs states, but --states is none.
    """

    frames_key: str | None = None
    """Pattern of the frames' file names, like 'left_*.png', or the name of the array in a .npz."""
    camera: str | None = None
    """Which camera, where an episode has several: the name of its folder, of its video, or of its
    files without their number."""
    table: str | None = None
    """Pattern of the file with states and actions, like 'robot_*.csv'."""
    state_columns: str = ""
    """Columns of the state, like 'x,y,z,pitch,yaw'. Left out: those called state_*."""
    action_columns: str = ""
    """Columns of the action. Left out: those called action_*."""
    states_key: str = "states"
    """Array of the states in a .npz."""
    actions_key: str = "actions"
    """Array of the actions in a .npz."""
    states: Literal["table", "none"] = "table"
    """none: the recordings have no states."""
    actions: Literal["table", "next-state", "none"] = "table"
    """next-state takes the next frame's state as the action (the last one repeats); none: no
    actions."""
    join: Literal["row", "time"] = "row"
    """row: a row of the table for every frame. time: the row nearest to the frame's time."""
    time_column: str = ""
    """Column of the times, in seconds. Left out: one called time, timestamp or t."""
    compose: Compose = "auto"
    """With --join time, what a frame's action becomes of its rows' ones: the last, the first, or
    their sum. auto sums deltas and takes the last of others."""
    trim: int = 0
    """Where frames and rows differ by no more than this many, cut the longer ones at the end."""
    gaps: Literal["refuse", "keep"] = "refuse"
    """keep: accept numbered frames of which one is missing in between."""
    levels: str = ""
    """Images of 16 bits: the values that become black and white, like 500,1500."""
    bgr: bool = False
    """Arrays of frames hold blue, green, red."""

    def __post_init__(self):
        super().__post_init__()
        if self.actions == "next-state" and self.states == "none":
            raise InputError("--actions next-state needs states, but --states is none.")
        if self.trim < 0:
            raise InputError(f"--trim must be 0 or more, got {self.trim}.")
        # Read once here, so that a wrong --levels is refused before the recordings are read.
        _ = self.level_range

    @property
    def level_range(self) -> tuple[float, float] | None:
        """The two rising values of --levels, None without it; anything else is an InputError.

        >>> Options(levels="500,1500").level_range
        (500.0, 1500.0)
        """
        if not self.levels:
            return None
        try:
            low, high = (float(part) for part in self.levels.split(","))
        except ValueError:
            low = 0.0
            high = 0.0
        if not low < high:
            raise InputError(f"--levels {self.levels}: give two rising values, like 500,1500.")
        return low, high


def recognise(raw: Path) -> str | None:
    """What lies in ``raw``, where it is a folder with something to read in it; else None.

    >>> recognise(Path("nowhere")) is None
    True
    """
    try:
        found = find_episodes(raw)
    except InputError:
        return None
    return f"a folder of {counted(len(found.episodes), 'episode')} of its own layout"


def read(raw: Path, options: Options, log: DamageLog) -> Recording:
    """Every episode under ``raw``, or the splits of folders called train, val and test.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / "run_1.npz").touch()
    ...     read(Path(folder), Options(), DamageLog(0)).total
    1
    """
    refuse_image_set(raw)
    found = find_episodes(raw)
    trimmed: dict[str, int] = {}
    entries = {
        name: Entry(
            name, functools.partial(read_episode, path, options, name, trimmed, log), str(path)
        )
        for name, path in found.episodes.items()
    }
    first = next(iter(found.episodes.values()))
    metadata = robot_metadata(
        "folder",
        options,
        actions={
            "table": "as recorded",
            "next-state": "not recorded: the next frame's state stands in, the last repeats",
            "none": "none",
        }[options.actions],
        **_names(first, options),
    )
    if options.actions == "next-state":
        metadata["action_kind"] = "pose"
        metadata["action_kind_from"] = "--actions next-state, the next frame's state: none recorded"

    def left_out() -> dict[str, object]:
        return {"folders_without_frames": found.strays, "frames_trimmed": trimmed}

    if set(found.splits) == set(entries) and len(set(found.splits.values())) > 1:
        return Recording(_by_split(found, entries), metadata, left_out, len(entries))
    return unsplit(list(entries.values()), metadata, left_out)


def _by_split(found: Found, entries: dict[str, Entry]) -> dict[str, list[Entry]]:
    splits: dict[str, list[Entry]] = {}
    for name, split in found.splits.items():
        splits.setdefault(split, []).append(entries[name])
    return splits


def _names(first: Path, options: Options) -> dict[str, list[str]]:
    """Names of entries, as far as the first episode tells them; its faults are told later."""
    if first.suffix.lower() == ".npz" and first.is_file():
        return {}
    try:
        poses = read_poses(open_files(first), options)
    except InputError:
        return {}
    names = {"state_names": poses.state_names, "action_names": poses.action_names}
    if options.actions == "next-state":
        names["action_names"] = poses.state_names
    return {key: list(value) for key, value in names.items() if value}


def read_episode(
    path: Path,
    options: Options,
    name: str | None = None,
    trimmed: dict[str, int] | None = None,
    log: DamageLog | None = None,
) -> Episode:
    """One episode; every error names the file, and the row or frame where there is one.

    name: its id, by default the file's. trimmed: takes note of what --trim cuts, by id.

    >>> import tempfile
    >>> rows = np.zeros((2, 5))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "run_1.npz"
    ...     np.savez(path, frames=np.zeros((2, 12, 16, 3), np.uint8), states=rows, actions=rows)
    ...     episode = read_episode(path, Options(size=8))
    >>> episode.id, episode.frames.shape, episode.states.shape
    ('run_1', (2, 3, 8, 8), (2, 5))
    """
    name = name or (path.name if path.is_dir() else path.stem)
    pictures, poses = _read_files(path, options)
    images = pictures.images
    if options.join == "time":
        times = pictures.times() if pictures.times is not None else None
        poses = join_by_time(poses, times, str(path), options, log)
    elif options.trim:
        images, poses, cut = _trim(list(images), poses, options.trim)
        if cut and trimmed is not None:
            trimmed[name] = cut
    if options.join == "row":
        images = list(images)
        _check_rows(path, len(images), poses)
    actions = poses.actions
    if options.actions == "next-state" and poses.states is not None:
        # actions[t] leads to frame t + 1, so the pose of that frame stands in for it.
        actions = np.concatenate([poses.states[1:], poses.states[-1:]])
    episode = make_episode(images, poses.states, actions, name, str(path), options)
    return _with_times(episode, pictures.named_times if poses.times is None else poses.times)


def _read_files(path: Path, options: Options) -> tuple[Pictures, Poses]:
    """The pictures and the rows of an episode: of one .npz, or of a folder's or archive's files."""
    if path.suffix.lower() == ".npz" and path.is_file():
        archive = Archive(path)
        key = options.frames_key or "frames"
        array = read_named(archive, key, "--frames-key")
        pictures = Pictures(array_frames(array, f"{path}: array {key!r}", options.bgr), len(array))
        return pictures, read_npz(archive, options)
    files = open_files(path)
    return find_pictures(files, options), read_poses(files, options)


def _with_times(episode: Episode, times: np.ndarray | None) -> Episode:
    """The episode with seconds from its first frame, where there is one time for each frame."""
    if times is None or len(times) != len(episode.frames):
        return episode
    return replace(episode, extra={"time": times - times[0]})


def _check_rows(path: Path, frames: int, poses: Poses) -> None:
    """Say what can be done where frames and rows differ in number."""
    rows = next((len(r) for r in (poses.states, poses.actions) if r is not None), frames)
    if frames and rows != frames:
        raise InputError(
            f"{path}: {frames} frames but {rows} rows of states or actions; they must be as many. "
            f"{_how_to_match(abs(rows - frames), poses)}"
        )


def _how_to_match(difference: int, poses: Poses) -> str:
    """What to do where frames and rows differ in number: many rows more are another rate."""
    join = "" if poses.times is None else "Join them by --join time"
    cut = f"--trim {difference} cuts the longer ones at the end"
    if difference <= _FEW:
        return f"{join}, or {cut}." if join else f"{cut}."
    return (
        f"{join}."
        if join
        else "Were they recorded at two rates? A column of times in the table allows --join time."
    )


def _trim(images: list[np.ndarray], poses: Poses, most: int) -> tuple[list[np.ndarray], Poses, int]:
    """Frames and rows of the same number, where they differ by at most ``most``."""
    counts = [len(rows) for rows in (poses.states, poses.actions) if rows is not None]
    if not counts:
        return images, poses, 0
    rows = Counter(counts).most_common(1)[0][0]
    kept = min(len(images), rows)
    cut = max(len(images), rows) - kept
    if cut > most:
        return images, poses, 0  # refused where the episode is put together
    return images[:kept], poses.first(kept), cut
