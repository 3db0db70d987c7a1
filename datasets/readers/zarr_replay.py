"""Replay buffers as diffusion-policy keeps them: a zarr folder or .zarr.zip with ``data/KEY`` of
all episodes in a row and ``meta/episode_ends``."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pixelpush.datasets.damage import DamageLog
from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.readers.common import (
    RobotOptions,
    VectorChoice,
    array_frames,
    choose_camera,
    make_episode,
    robot_metadata,
)
from pixelpush.datasets.readers.extras import optional
from pixelpush.datasets.recording import Entry, Recording, unsplit
from pixelpush.datasets.tables import rows_of_array
from pixelpush.errors import InputError

_MARKS = (".zgroup", "zarr.json", ".zattrs")
_STATES = (
    ("state",),
    ("robot_eef_pose",),
    ("robot0_eef_pos", "robot0_eef_rot_axis_angle", "robot0_gripper_width"),
)


@dataclass(frozen=True)
class Options(RobotOptions):
    """Options of ``pixelpush prepare zarr``; --raw is the .zarr folder or .zarr.zip.

    It may also be a folder that holds one.

    Example:
        >>> Options(camera="img").action_key
        'action'
    """

    camera: str | None = None
    """Which array of pictures, where there are several, like img or camera_0."""
    state_key: str = ""
    """Arrays, with commas, that make up the state; 'none' for none. Left out: state, or the
    end-effector's pose."""
    action_key: str = "action"
    """Array of the actions; 'none' for none."""
    bgr: bool = False
    """Pictures hold blue, green, red."""


def recognise(raw: Path) -> str | None:
    """What lies in ``raw``, where it is a zarr folder or archive; else None.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / "data").mkdir()
    ...     (Path(folder) / ".zgroup").touch()
    ...     recognise(Path(folder))
    'a zarr replay buffer'
    """
    return "a zarr replay buffer" if _find(raw) is not None else None


def read(raw: Path, options: Options, log: DamageLog) -> Recording:
    """All episodes, cut by meta/episode_ends.

    >>> read(Path("nowhere"), Options(), DamageLog(0))
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere: no zarr group (.zgroup or zarr.json) and no .zarr.zip ...
    """
    path = _find(raw)
    if path is None:
        raise InputError(
            f"{raw}: no zarr group (.zgroup or zarr.json) and no .zarr.zip in it; --raw is one, or "
            "a folder with one."
        )
    buffer = _open(path)
    ends = np.asarray(buffer["meta/episode_ends"][:]).astype(np.int64)
    data = buffer["data"]
    cameras = [key for key in sorted(data) if _is_pictures(data[key])]
    camera = choose_camera(cameras, options.camera, str(path))
    offered = [key for key in sorted(data) if len(data[key].shape) == 2]
    choice = VectorChoice(data, offered, "array", path)
    states = choice.keys(options.state_key, _STATES, "state")
    actions = choice.keys(options.action_key, (), "action")
    # meta/episode_ends counts rows of all episodes together; each end is the next start.
    starts = np.append(0, ends[:-1])
    rows = buffer["data"][camera].shape[0]
    if len(ends) == 0 or np.any(ends <= starts) or ends[-1] > rows:
        raise InputError(
            f"{path}: meta/episode_ends do not rise up to {rows}, its rows; copy it again."
        )
    entries = []
    for number, (start, stop) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        identity = f"episode-{number:06d}"
        cut = functools.partial(
            _episode, path, buffer, slice(start, stop), identity, camera, states, actions, options
        )
        entries.append(Entry(identity, cut))
    metadata = robot_metadata(
        "zarr", options, camera=camera, state=list(states), action=list(actions)
    )
    return unsplit(entries, metadata)


def _find(raw: Path) -> Path | None:
    """The group or archive at ``raw`` or right below it."""
    candidates = [raw, *(sorted(raw.iterdir()) if raw.is_dir() else [])]
    for path in candidates:
        archive = path.is_file() and path.name.endswith(".zarr.zip")
        group = path.is_dir() and any((path / mark).is_file() for mark in _MARKS)
        if archive or (group and (path / "data").is_dir()):
            return path
    return None


def _open(path: Path) -> Any:
    zarr = optional("zarr", "zarr", "zarr replay buffers")
    try:
        store = zarr.storage.ZipStore(str(path), mode="r") if path.is_file() else str(path)
        buffer = zarr.open_group(store, mode="r")
        for name in ("data", "meta/episode_ends"):
            _ = buffer[name]
        return buffer
    except KeyError as error:
        raise InputError(
            f"{path}: no {error} in it; data/ and meta/episode_ends are read."
        ) from None
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: not a readable zarr group ({error}); copy it again.") from None


def _is_pictures(array: Any) -> bool:
    shape = getattr(array, "shape", ())
    return len(shape) == 4 and shape[-1] in (1, 3)


def _episode(
    path: Path,
    buffer: Any,
    rows: slice,
    identity: str,
    camera: str,
    states: tuple[str, ...],
    actions: tuple[str, ...],
    options: Options,
) -> Episode:
    what = f"{path}, {identity}"

    def part(key: str) -> np.ndarray:
        try:
            return np.asarray(buffer["data"][key][rows])
        except (ValueError, RuntimeError, OSError) as error:
            raise InputError(
                f"{what}, {key}: does not unpack ({str(error)[:120]}); is its codec installed?"
            ) from None

    def vectors(keys: tuple[str, ...]) -> np.ndarray | None:
        parts = [rows_of_array(part(key), f"{what}, {key}") for key in keys]
        return np.concatenate(parts, axis=1) if parts else None

    pictures = array_frames(part(camera), f"{what}, {camera}", options.bgr)
    return make_episode(pictures, vectors(states), vectors(actions), identity, what, options)
