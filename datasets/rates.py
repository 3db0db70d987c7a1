"""Frames at another rate than rows: which row belongs to a frame, and what its action becomes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from pixelpush.datasets.actions import ActionMeasure
from pixelpush.errors import InputError

Way = Literal["last", "first", "sum"]
Compose = Literal["auto", "last", "first", "sum"]


def compose(actions: np.ndarray, rows: np.ndarray, how: Sequence[Way]) -> np.ndarray:
    """(T, A): the action of each frame from those of its rows, up to the next frame's.

    actions: (N, A) at the rows' rate; rows: int (T,), each frame's row; how, per entry. last: the
    last command before the next frame, right for poses; sum: all of them, right for deltas; first:
    the frame's own.

    >>> compose(np.arange(6.0)[:, None], np.array([0, 3]), ["sum"]).tolist()
    [[3.0], [12.0]]
    """
    # A frame's rows end where the next frame's begin; the last frame has as many as the usual one.
    ends = np.append(rows[1:], min(len(actions), rows[-1] + _usual(rows)))
    ends = np.maximum(ends, rows + 1)
    out = actions[rows].copy()
    for entry, way in enumerate(how):
        if way == "last":
            out[:, entry] = actions[ends - 1, entry]
        elif way == "sum":
            total = np.append(0.0, np.cumsum(actions[:, entry], dtype=np.float64))
            out[:, entry] = total[ends] - total[rows]
    return out


def _usual(rows: np.ndarray) -> int:
    return max(1, int(np.median(np.diff(rows)))) if len(rows) > 1 else 1


def ways(asked: Compose, measure: ActionMeasure, width: int) -> list[Way]:
    """How each entry of the action is composed: as asked, or deltas summed and the rest last.

    >>> ways("last", ActionMeasure(0, 2), 2)
    ['last', 'last']
    """
    if asked != "auto":
        return [asked] * width
    if measure.kind() != "delta":
        return ["last"] * width
    kinds = measure.kinds() if measure.matched else ["delta"] * width
    return ["sum" if kind == "delta" else "last" for kind in kinds]


def nearest_rows(frame_times: np.ndarray, row_times: np.ndarray, what: str) -> np.ndarray:
    """int (T,): the row nearest in time to each frame, both in seconds of one clock.

    Raises InputError for a frame with no row within 1.5 of the rows' usual steps, and for times
    that do not rise.

    >>> nearest_rows(np.array([0.0, 0.2]), np.array([0.0, 0.1, 0.2]), "an episode").tolist()
    [0, 2]
    """
    if np.any(np.diff(row_times) <= 0):
        row = int(np.flatnonzero(np.diff(row_times) <= 0)[0]) + 2
        raise InputError(
            f"{what}, row {row}: its time is not after the one before; sort the rows, or remove "
            "those that repeat."
        )
    right = np.clip(np.searchsorted(row_times, frame_times), 1, max(1, len(row_times) - 1))
    left = right - 1
    right = np.minimum(right, len(row_times) - 1)
    nearer = np.abs(row_times[left] - frame_times) <= np.abs(row_times[right] - frame_times)
    rows = np.where(nearer, left, right)
    allowed = 1.5 * (float(np.median(np.diff(row_times))) if len(row_times) > 1 else 1.0)
    far = np.abs(row_times[rows] - frame_times) > allowed
    if far.any():
        frame = int(np.flatnonzero(far)[0])
        raise InputError(
            f"{what}: frame {frame} at {frame_times[frame]:.3f} s has no row within "
            f"{allowed:.3f} s; the rows run from {row_times[0]:.3f} to {row_times[-1]:.3f} s."
        )
    return rows
