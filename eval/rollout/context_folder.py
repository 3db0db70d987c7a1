"""A rollout's context from a folder: the first frames as pictures, their states and the future
actions as CSV."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pixelpush.datasets.arrays import read_bytes
from pixelpush.datasets.frames import Fit, fit_as
from pixelpush.datasets.images import decode_image
from pixelpush.datasets.natural import in_order, is_junk
from pixelpush.datasets.tables import read_csv
from pixelpush.errors import InputError
from pixelpush.vpn import VideoConfig

_IMAGES = (".png", ".jpg", ".jpeg", ".webp")


def read_context_folder(
    folder: Path,
    config: VideoConfig,
    context: int,
    steps: int | None,
    metadata: Mapping[str, Any] | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """frames uint8 (context, C, H, W), states float32 (context, S) and actions float32 (rows, A).

    The folder holds ``context`` pictures (in the order of their numbers; cropped and resized like
    those of the training data, whose ``metadata`` say how), ``states.csv`` with a row per picture
    if the model knows states, and ``actions.csv``: row 1 was commanded at the first picture, row t
    leads from frame t - 1 to frame t. n future frames need context + n - 1 rows. Both tables start
    with a line of column names.
    Raises InputError naming file and row, and how many actions are missing.

    >>> read_context_folder(Path("nowhere"), VideoConfig(), context=2, steps=3)
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: nowhere: no such folder; --folder names one with the first ...
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; --folder names one with the first frames.")
    frames = _frames(folder, config, context, fit_as(metadata or {}))
    states = np.zeros((context, 0), np.float32)
    if config.state_dim:
        states = _read_states(folder / "states.csv", config.state_dim, context)
    if config.action_dim:
        return frames, states, _read_actions(folder, config.action_dim, context, steps)
    if steps is None:
        raise InputError(
            "this model takes no actions, so say how many frames to sample: --steps N."
        )
    return frames, states, np.zeros((context + steps - 1, 0), np.float32)


def _read_states(path: Path, width: int, context: int) -> np.ndarray:
    states = read_vectors(path, width, "state")
    if len(states) != context:
        raise InputError(f"{path}: {len(states)} rows for {context} frames; give one row a frame.")
    return states


def _read_actions(folder: Path, width: int, context: int, steps: int | None) -> np.ndarray:
    path = folder / "actions.csv"
    actions = read_vectors(path, width, "action")
    needed = context + (1 if steps is None else steps) - 1
    if len(actions) < needed:
        raise InputError(
            f"{path}: {len(actions)} rows, {needed} are needed ({context} given frames and "
            f"{needed - context + 1} to sample): {needed - len(actions)} actions are missing."
        )
    return actions


def _frames(folder: Path, config: VideoConfig, context: int, fit: Fit) -> np.ndarray:
    names = [path.name for path in folder.iterdir() if path.suffix.lower() in _IMAGES]
    files = [folder / name for name in in_order([name for name in names if not is_junk(name)])]
    if len(files) != context:
        names = ", ".join(path.name for path in files[:6]) or "none"
        raise InputError(
            f"{folder}: {len(files)} frame files ({names}), the rollout begins with exactly "
            f"{context}."
        )
    frames = []
    for path in files:
        picture = fit(decode_image(read_bytes(path), str(path), config.colours), config.frame_size)
        # OpenCV drops the axis of a single channel when it resizes.
        frames.append(
            picture.reshape(config.frame_size, config.frame_size, config.colours).transpose(2, 0, 1)
        )
    return np.stack(frames)


def read_vectors(path: Path, width: int, kind: str) -> np.ndarray:
    """A CSV of states or actions, float32 (rows, width), below a line of column names.

    Raises InputError for a file that is not there or has another number of columns.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "actions.csv"
    ...     np.savetxt(file, [[0.5, 0], [0, 1]], delimiter=",", header="right,up", comments="")
    ...     read_vectors(file, 2, "action").tolist()
    [[0.5, 0.0], [0.0, 1.0]]
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; the model needs {kind}s of {width} numbers a row.")
    table = read_csv(read_bytes(path), str(path))
    if len(table.columns) != width:
        raise InputError(
            f"{path}: {len(table.columns)} columns ({', '.join(table.columns)}), the model's "
            f"{kind}s have {width}."
        )
    return table.select(table.columns)
