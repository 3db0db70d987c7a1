"""NPZ episodes of stacked frames, as world-model demonstrations have them: ``observation``
(T, 3 k, H, W), each row the last k RGB frames, and ``action`` (T, A)."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from pixelpush.datasets.arrays import Archive
from pixelpush.datasets.damage import DamageLog
from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.natural import is_junk, natural_key
from pixelpush.datasets.readers.common import (
    RobotOptions,
    array_frames,
    make_episode,
    names_of,
    robot_metadata,
)
from pixelpush.datasets.recording import Entry, Recording, unsplit
from pixelpush.datasets.tables import rows_of_array
from pixelpush.errors import InputError

_FRAMES = ("observation", "observations", "obs", "image")


@dataclass(frozen=True)
class Options(RobotOptions):
    """Options of ``pixelpush prepare stacked-npz``; --raw is a folder of .npz, one an episode.

    Example:
        >>> Options(state_key="none").action_time
        'auto'
    """

    frames_key: str = ""
    """Array of the stacked frames. Left out: observation, obs or image."""
    state_key: str = "none"
    """Arrays, with commas, that make up the state; none: no states."""
    action_key: str = "action"
    """Array of the actions; 'none' for none."""
    action_time: Literal["auto", "leads-on", "led-here"] = "auto"
    """leads-on: a row's action leads from its frame to the next. led-here: it led to its frame,
    and the first row's is empty. auto: led-here where every file's first action is all zeros."""


def recognise(raw: Path) -> str | None:
    """What lies in ``raw``, where it is .npz files with an array (T, 3 k, H, W); else None.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(Path(folder) / "0.npz", observation=np.zeros((2, 9, 8, 8), np.uint8))
    ...     recognise(Path(folder))
    '1 NPZ episodes of 3 stacked frames'
    """
    files = _files(raw)
    if not files:
        return None
    try:
        archive = Archive(files[0])
        array = archive.read_array(_frames_key(archive, ""))
    except InputError:
        return None
    if array.ndim != 4 or array.shape[1] % 3 or array.shape[1] > 48:
        return None
    return f"{len(files)} NPZ episodes of {array.shape[1] // 3} stacked frames"


def read(raw: Path, options: Options, log: DamageLog) -> Recording:
    """All episodes in ``raw``.

    >>> read(Path("nowhere"), Options(), DamageLog(0))
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere: no .npz in it; --raw holds one for each episode.
    """
    files = _files(raw)
    if not files:
        raise InputError(f"{raw}: no .npz in it; --raw holds one for each episode.")
    led_here = options.action_time == "led-here"
    if options.action_time == "auto" and options.action_key != "none":
        led_here = all(_first_is_empty(path, options) for path in files)
        if led_here:
            log.say(
                "every first action is all zeros: actions are taken to have led to their rows, and "
                "moved to the rows before (--action-time leads-on leaves them)."
            )
    entries = [
        Entry(path.stem, functools.partial(_episode, path, led_here, options)) for path in files
    ]
    time = "led to its row, moved to the row before" if led_here else "leads to the next row"
    metadata = robot_metadata("stacked-npz", options, action=options.action_key, action_time=time)
    return unsplit(entries, metadata)


def _files(raw: Path) -> list[Path]:
    if raw.is_file():
        return [raw] if raw.suffix.lower() == ".npz" else []
    found = [path for path in raw.glob("*.npz") if not is_junk(path.name)]
    return sorted(found, key=lambda path: natural_key(path.name))


def _frames_key(archive: Archive, asked: str) -> str:
    there = [name.removesuffix(".npy") for name in archive.names()]
    key = asked or next((key for key in _FRAMES if key in there), "")
    if key not in there:
        raise InputError(
            f"{archive.path}: no array of frames; choose by --frames-key from {', '.join(there)}."
        )
    return key


def _first_is_empty(path: Path, options: Options) -> bool:
    return not Archive(path).read_array(options.action_key)[0].any()


def _episode(path: Path, led_here: bool, options: Options) -> Episode:
    archive = Archive(path)
    key = _frames_key(archive, options.frames_key)
    what = f"{path}: array {key!r}"
    stacked = archive.read_array(key)
    if stacked.ndim != 4 or stacked.shape[1] % 3 or not stacked.shape[1]:
        raise InputError(f"{what}: {stacked.shape}; (T, 3 k, H, W) is needed; see --frames-key.")
    newest = stacked[:, -3:]
    # A row's last frame but one must be the row before's last frame.
    older = stacked[1:, -6:-3] if stacked.shape[1] > 3 else newest[:-1]
    if not np.array_equal(older, newest[:-1]):
        row = int(np.flatnonzero((older != newest[:-1]).any(axis=(1, 2, 3)))[0]) + 1
        raise InputError(
            f"{what}: row {row} is not stacked on the row before it; read it by 'prepare folder' "
            "if its frames are single."
        )
    states = [
        rows_of_array(archive.read_array(name), f"{path}: array {name!r}")
        for name in (() if options.state_key == "none" else names_of(options.state_key))
    ]
    actions = None
    if options.action_key != "none":
        name = options.action_key
        actions = rows_of_array(archive.read_array(name), f"{path}: array {name!r}")
        if led_here:  # the last frame's action is not recorded; it conditions nothing
            actions = np.concatenate([actions[1:], actions[-1:]])
    return make_episode(
        array_frames(newest.transpose(0, 2, 3, 1), what),
        np.concatenate(states, axis=1) if states else None,
        actions,
        path.stem,
        str(path),
        options,
    )
