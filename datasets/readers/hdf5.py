"""Demonstrations in HDF5: robomimic (and LIBERO) files of many episodes, ALOHA files of one.

robomimic: ``data/demo_N/obs/KEY`` and ``actions``, splits in ``mask/``. ALOHA:
``observations/images/KEY``, raw or as JPEG padded to one length, ``observations/qpos``,
``action``."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pixelpush.datasets.arrays import first_bytes
from pixelpush.datasets.damage import DamageLog
from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.images import decode_image
from pixelpush.datasets.natural import is_junk, natural_key
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
from pixelpush.datasets.sniff import foreign
from pixelpush.datasets.tables import rows_of_array
from pixelpush.errors import InputError

ENDINGS = (".hdf5", ".h5", ".hdf")
_MASKS = {"train": "train", "valid": "val", "val": "val", "test": "test"}
_ROBOMIMIC_STATES = (
    ("robot0_eef_pos", "robot0_eef_quat", "robot0_gripper_qpos"),
    ("ee_states", "gripper_states"),
    ("ee_pos", "ee_ori"),
    ("joint_states",),
)
_MAGIC = b"\x89HDF\r\n\x1a\n"


@dataclass(frozen=True)
class Options(RobotOptions):
    """Options of ``pixelpush prepare hdf5``; --raw is a file, or a folder of files.

    Example:
        >>> Options(camera="agentview_image").bgr
        False
    """

    camera: str | None = None
    """Which camera, where there are several, like agentview_image or cam_high."""
    state_key: str = ""
    """Observations, with commas, that make up the state; 'none' for none. Left out: the
    end-effector's (robomimic), qpos (ALOHA)."""
    bgr: bool = False
    """Arrays of frames hold blue, green, red."""


def recognise(raw: Path) -> str | None:
    """What lies in ``raw``, where it is HDF5 files by name and first bytes; else None.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     size = (Path(folder) / "demo.hdf5").write_bytes(_MAGIC)
    ...     recognise(Path(folder))
    '1 HDF5 files'
    """
    files = _files(raw)
    if not files:
        return None
    with files[0].open("rb") as file:
        return f"{len(files)} HDF5 files" if file.read(8) == _MAGIC else None


def read(raw: Path, options: Options, log: DamageLog) -> Recording:
    """All episodes; robomimic's masks are splits where a file has them.

    >>> read(Path("nowhere"), Options(), DamageLog(0))
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere: no .hdf5, .h5, .hdf file in it; --raw ...
    """
    files = _files(raw)
    if not files:
        raise InputError(
            f"{raw}: no {', '.join(ENDINGS)} file in it; --raw is such a file, or a folder of them."
        )
    entries: dict[str, Entry] = {}
    masks: dict[str, str] = {}
    forms = set()
    for path in files:
        with _opened(path) as file:
            demos = _demos(file, path)
            forms.add("robomimic" if demos else "aloha")
            for name in demos or [""]:
                identity = _identity(path, name, several=len(files) > 1)
                read_it = functools.partial(_episode, path, name, identity, options)
                entries[identity] = Entry(identity, read_it)
            for mask, members in _masks(file).items():
                masks |= {_identity(path, name, len(files) > 1): mask for name in members}
    named = _named(files[0], options)
    metadata = robot_metadata("hdf5", options, form=", ".join(sorted(forms)), **named)
    if set(masks) == set(entries) and len(set(masks.values())) > 1:
        splits: dict[str, list[Entry]] = {}
        for name, mask in sorted(masks.items(), key=lambda item: natural_key(item[0])):
            splits.setdefault(mask, []).append(entries[name])
        return Recording(splits, metadata, total=len(entries))
    return unsplit(list(entries.values()), metadata)


def _files(raw: Path) -> list[Path]:
    if raw.is_file():
        return [raw] if raw.suffix.lower() in ENDINGS else []
    found = [path for path in raw.rglob("*") if path.suffix.lower() in ENDINGS]
    kept = [path for path in found if path.is_file() and not is_junk(path.name)]
    return sorted(kept, key=lambda path: natural_key(str(path.relative_to(raw))))


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    h5py = optional("h5py", "hdf5", "HDF5 files")
    try:
        with h5py.File(path, "r") as file:
            yield file
    except OSError as error:
        reason = foreign(first_bytes(path)) or f"not a readable HDF5 file ({error})"
        raise InputError(f"{path}: {reason}.") from None


def _identity(path: Path, demo: str, several: bool) -> str:
    if not demo:
        return path.stem
    return f"{path.stem}/{demo}" if several else demo


def _demos(file: Any, path: Path) -> list[str]:
    """The episodes of a robomimic file; none for ALOHA's."""
    if "data" in file:
        return sorted(file["data"], key=natural_key)
    if "observations" in file and "action" in file:
        return []
    raise InputError(
        f"{path}: neither robomimic's data/demo_N nor ALOHA's observations and action in it; it "
        f"has {', '.join(sorted(file)[:6]) or 'nothing'}."
    )


def _masks(file: Any) -> dict[str, list[str]]:
    """robomimic's train and valid, where a file has them; its smaller ones overlap."""
    if "mask" not in file:
        return {}
    return {
        _MASKS[name]: [_text(value) for value in file["mask"][name][()]]
        for name in file["mask"]
        if name in _MASKS
    }


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _named(path: Path, options: Options) -> dict[str, str | list[str]]:
    """The keys that were taken, from the first episode."""
    with _opened(path) as file:
        demos = _demos(file, path)
        group = file["data"][demos[0]] if demos else file
        observed, images = _groups(group, path)
        camera = choose_camera(_cameras(images), options.camera, str(path))
        keys = _state_keys(observed, options, path)
        return {"camera": camera, "state": list(keys)}


def _groups(group: Any, path: Path) -> tuple[Any, Any]:
    """(observations, the group of pictures) of an episode."""
    for name in ("obs", "observations"):
        if name in group:
            return group[name], group[name]["images"] if "images" in group[name] else group[name]
    raise InputError(
        f"{path}: an episode without observations; it has {', '.join(sorted(group))}. Save it with "
        "them, or leave it out."
    )


def _cameras(images: Any) -> list[str]:
    """Data sets that are pictures: (T, H, W, C), or rows of JPEG bytes."""
    found = []
    for key in images:
        shape = getattr(images[key], "shape", ())
        # ALOHA keeps JPEGs as rows of bytes, all padded to the longest.
        jpegs = len(shape) == 2 and images[key].dtype == np.uint8 and shape[1] > 256
        if (len(shape) == 4 and shape[-1] in (1, 3)) or jpegs:
            found.append(key)
    return found


def _state_keys(observed: Any, options: Options, path: Path) -> tuple[str, ...]:
    offered = [key for key in observed if len(getattr(observed[key], "shape", ())) == 2]
    choice = VectorChoice(observed, offered, "observation", path)
    return choice.keys(options.state_key, (("qpos",), *_ROBOMIMIC_STATES), "state")


def _episode(path: Path, demo: str, identity: str, options: Options) -> Episode:
    what = f"{path}, {demo}" if demo else str(path)
    with _opened(path) as file:
        group = file["data"][demo] if demo else file
        observed, images = _groups(group, path)
        camera = choose_camera(_cameras(images), options.camera, what)
        name = "actions" if "actions" in group else "action"
        if name not in group:
            raise InputError(
                f"{what}: no actions; it has {', '.join(sorted(group))}. Save it with "
                "them, or leave it out."
            )
        actions = rows_of_array(group[name][()], f"{what}, {name}")
        states = [
            rows_of_array(observed[key][()], f"{what}, {key}")
            for key in _state_keys(observed, options, path)
        ]
        pictures = images[camera][()]
    return make_episode(
        _pictures(pictures, f"{what}, {camera}", options.bgr),
        np.concatenate(states, axis=1) if states else None,
        actions,
        identity,
        what,
        options,
    )


def _pictures(array: np.ndarray, what: str, bgr: bool) -> Iterator[np.ndarray]:
    if array.ndim == 4:
        yield from array_frames(array, what, bgr)
        return
    for number, row in enumerate(array):  # ALOHA's compressed pictures, padded with zeros
        image = decode_image(row.tobytes(), f"{what}, frame {number}")
        yield image[..., ::-1] if bgr else image
