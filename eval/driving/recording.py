"""Saving a drive: a film, the actions as CSV, and stores that ``pixelpush train`` reads."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.store import write_store
from pixelpush.eval.driving.session import Recorded
from pixelpush.eval.rollout.drawing import enlarge
from pixelpush.eval.rollout.mp4 import write_mp4
from pixelpush.files import atomic_file

_CELL = 256
_FRAMES_PER_SECOND = 5


def new_folder(out: Path) -> Path:
    """The first of ``out``/drive-001, drive-002, ... that is not there.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as out:
    ...     (Path(out) / "drive-001").mkdir()
    ...     new_folder(Path(out)).name
    'drive-002'
    """
    number = 1
    while (out / f"drive-{number:03d}").exists():
        number += 1
    return out / f"drive-{number:03d}"


def save_drive(
    recording: Sequence[Recorded], folder: Path, name: str, action_kind: str
) -> list[Path]:
    """Write drive.mp4, actions.csv, the store ``predicted`` and, with physics beside it, ``real``.

    Each store has one split, ``train``, of one episode. action_kind: 'pose' or 'delta', for the
    store. Returns the paths.

    >>> import tempfile
    >>> rest, black = np.zeros(5, np.float32), np.zeros((3, 16, 16), np.uint8)
    >>> recording = [Recorded(time, black, rest, rest) for time in range(3)]
    >>> with tempfile.TemporaryDirectory() as out:
    ...     [path.name for path in save_drive(recording, Path(out), "black frames", "pose")]
    ['drive.mp4', 'actions.csv', 'predicted']
    """
    film, table = folder / "drive.mp4", folder / "actions.csv"
    write_mp4(film, _film(recording), _FRAMES_PER_SECOND)
    _write_table(recording, table)
    written = [film, table, folder / "predicted"]
    metadata = {"source": "driven by hand", "begun": name, "action_kind": action_kind}
    frames = np.stack([each.frame for each in recording])
    states = np.stack([each.state for each in recording])
    _write(written[2], frames, states, recording, {**metadata, "frames": "predicted"})
    real_frames = [each.real_frame for each in recording if each.real_frame is not None]
    real_states = [each.real_state for each in recording if each.real_state is not None]
    if len(real_frames) == len(recording):
        written.append(folder / "real")
        _write(
            written[3],
            np.stack(real_frames),
            np.stack(real_states),
            recording,
            {**metadata, "frames": "simulated"},
        )
    return written


def led_away(recording: Sequence[Recorded]) -> np.ndarray:
    """Actions float32 (T, A) as episodes have them: ``actions[t]`` leads from frame t to t + 1.

    The last one leads to no frame; it is the one before it again.

    >>> black = np.zeros((3, 8, 8), np.uint8)
    >>> came = [Recorded(t, black, np.zeros(1), np.array([t])) for t in range(3)]
    >>> led_away(came).ravel().tolist()
    [1.0, 2.0, 2.0]
    """
    came = np.stack([each.action for each in recording]).astype(np.float32)
    # A recorded action is the one that led to its frame.
    return np.concatenate([came[1:], came[-1:]])


def _write(
    path: Path,
    frames: np.ndarray,
    states: np.ndarray,
    recording: Sequence[Recorded],
    metadata: dict[str, str],
) -> None:
    episode = Episode(frames, states.astype(np.float32), led_away(recording), path.parent.name)
    write_store(path, {"train": [episode]}, metadata)


def _write_table(recording: Sequence[Recorded], path: Path) -> None:
    actions = led_away(recording)
    states = np.stack([each.state for each in recording])
    names = [f"state_{n}" for n in range(states.shape[1])]
    names += [f"action_{n}" for n in range(actions.shape[1])]
    with atomic_file(path) as partial, open(partial, "w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(names)
        table.writerows(np.concatenate([states, actions], axis=1).tolist())


def _film(recording: Sequence[Recorded]) -> np.ndarray:
    """uint8 (T, H, W, 3): predicted, and beside it what the physics showed."""
    factor = max(1, _CELL // recording[0].frame.shape[-1])
    pictures = []
    for each in recording:
        shown = [each.frame] + ([] if each.real_frame is None else [each.real_frame])
        picture = np.concatenate([enlarge(frame, factor) for frame in shown], axis=1)
        odd = [(0, side % 2) for side in picture.shape[:2]]
        pictures.append(np.pad(picture, [*odd, (0, 0)]))
    return np.stack(pictures)
