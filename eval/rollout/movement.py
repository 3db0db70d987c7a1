"""Measures of what moves: PSNR there, sharpness, stray pixels where nothing moves, and how far a
pushed object gets.

A pixel moves in a future frame where its true value leaves the last given frame by more than 8
levels. All functions take numpy arrays of one episode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pixelpush.eval.rollout.quality import decibels

MOVES_BY = 8  # levels
STRAY_BY = 20  # levels
PUSHED_BY = 3.0  # centimetres


def moving(last: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Where the truth (steps, C, H, W) leaves the last given frame (C, H, W): bool (steps, H, W).

    >>> last = np.zeros((1, 1, 2), np.uint8)
    >>> moving(last, np.array([[[[8, 9]]]], np.uint8)).tolist()
    [[[False, True]]]
    """
    difference = np.abs(truth.astype(np.int16) - last.astype(np.int16))
    return difference.max(axis=1) > MOVES_BY


def moving_psnr(truth: np.ndarray, samples: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """PSNR in dB over the pixels that move, float64 (N, steps); NaN where none does.

    truth: uint8 (steps, C, H, W). samples: (N, steps, C, H, W). moves: bool (steps, H, W).

    >>> truth = np.zeros((1, 1, 1, 2), np.uint8)
    >>> moves = np.array([[[True, False]]])
    >>> moving_psnr(truth, np.array([[[[[255, 9]]]]], np.uint8), moves).tolist()
    [[0.0]]
    """
    error = np.square(samples.astype(np.float64) - truth).mean(axis=2)
    count = moves.sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (error * moves).sum(axis=(2, 3)) / count
    return decibels(mean)


def sharpness(truth: np.ndarray, samples: np.ndarray, moves: np.ndarray) -> float:
    """Gradient energy of the samples over the truth's, summed where it moves.

    1 is as sharp as the truth; confetti is above 1.5, blur under 0.6. Shapes of ``moving_psnr``.

    >>> truth = np.tile(np.array([0, 10], np.uint8), (1, 1, 4, 2))
    >>> sharpness(truth, truth[None] // 2, np.ones((1, 4, 4), bool))
    0.25
    """
    return _energy(samples, moves) / max(len(samples) * _energy(truth[None], moves), 1e-12)


def _energy(frames: np.ndarray, where: np.ndarray) -> float:
    """Squared differences of neighbours (N, steps, C, H, W), summed where both are in ``where``."""
    frames = frames.astype(np.float64)
    down = np.square(np.diff(frames, axis=3)).sum(axis=2) * (where[:, 1:] & where[:, :-1])
    across = np.square(np.diff(frames, axis=4)).sum(axis=2) * (where[..., 1:] & where[..., :-1])
    return float(down.sum() + across.sum())


def stray_share(truth: np.ndarray, samples: np.ndarray, last: np.ndarray) -> float:
    """Share of the pixels that have not moved up to a frame and are yet off by more than 20 levels.

    Shapes of ``moving_psnr``; last: (C, H, W).

    >>> still = np.zeros((1, 1, 2, 2), np.uint8)
    >>> sample = still.copy()
    >>> sample[0, 0, 0, 0] = 21
    >>> stray_share(still, sample[None], still[0])
    0.25
    """
    untouched = ~np.logical_or.accumulate(moving(last, truth), axis=0)
    off = np.abs(samples.astype(np.int16) - truth.astype(np.int16)).max(axis=2) > STRAY_BY
    return float((off & untouched).sum() / max(len(samples) * untouched.sum(), 1))


@dataclass(frozen=True)
class Push:
    """One object that the truth pushes, and where a sample has it at the end.

    true_move: (2,) pixels (columns, rows), from the last given frame to the last one. found_move:
    the same in the sample, by matching the object's colours. match_error: levels, mean distance of
    the best match. true_match: (2,), what the same matching finds in the true frame.

    >>> Push(np.array([4.0, 0.0]), np.array([2.0, 0.0]), 1.0, np.array([4.0, 0.0])).follows
    True
    """

    true_move: np.ndarray
    found_move: np.ndarray
    match_error: float
    true_match: np.ndarray

    @property
    def follows(self) -> bool:
        """Whether the sample moves it at least half as far in the right direction, and to no place
        that is farther from the true one than where it stood: a search by colour that found
        something else far off is no following."""
        far = float(self.true_move @ self.true_move)
        along = float(self.found_move @ self.true_move) / far
        return along >= 0.5 and self.distance**2 <= far

    @property
    def distance(self) -> float:
        """Pixels from where the truth has it to where the sample has it."""
        return float(np.linalg.norm(self.found_move - self.true_move))


def find_object(
    template: np.ndarray, mask: np.ndarray, frame: np.ndarray, reach: int = 16
) -> tuple[np.ndarray, float]:
    """Where an object has gone: ((columns, rows) of the best shift, its mean distance in levels).

    template: uint8 (C, H, W), the frame that shows it where mask, bool (H, W), says. Every whole
    shift up to ``reach`` pixels that keeps it in the frame is tried. A tie goes to the smaller one.

    >>> frame = np.zeros((1, 8, 8), np.uint8)
    >>> frame[0, 2, 2:4] = 9
    >>> find_object(frame, frame[0] > 0, np.roll(frame, 3, axis=2))[0].tolist()
    [3.0, 0.0]
    """
    rows, columns = np.nonzero(mask)
    colours = template[:, rows, columns].astype(np.int16)
    height, width = mask.shape
    shifts = [
        (dx, dy)
        for dy in range(max(-reach, -rows.min()), min(reach, height - 1 - rows.max()) + 1)
        for dx in range(max(-reach, -columns.min()), min(reach, width - 1 - columns.max()) + 1)
    ]
    shifts.sort(key=lambda shift: shift[0] ** 2 + shift[1] ** 2)
    errors = [
        float(np.abs(frame[:, rows + dy, columns + dx].astype(np.int16) - colours).mean())
        for dx, dy in shifts
    ]
    best = int(np.argmin(errors))
    return np.array(shifts[best], float), errors[best]


def pushes(
    frames: np.ndarray, samples: np.ndarray, extra: Mapping[str, np.ndarray], context: int
) -> list[list[Push]]:
    """Objects that the truth pushes by more than 3 cm and shows at both ends, for every sample.

    frames: uint8 (T, C, H, W), the recorded episode. samples: (N, T - context, C, H, W). extra: the
    simulated bin's labels: object_poses (T, n, 7) in metres, object_places (T, n, 3),
    object_visible (T, n) and segmentation (T, H, W), in which object i has label 2 + i.

    >>> frames = np.zeros((2, 1, 8, 16), np.uint8)
    >>> frames[0, 0, 2:5, 2:5] = frames[1, 0, 2:5, 6:9] = 9
    >>> places = np.array([[[3.0, 3, 0]], [[7.0, 3, 0]]])
    >>> labels = {"object_poses": places / 100, "object_places": places}
    >>> labels |= {"object_visible": np.ones((2, 1)), "segmentation": 2 * (frames[:, 0] > 0)}
    >>> pushes(frames, frames[None, 1:], labels, context=1)[0][0].found_move.tolist()
    [4.0, 0.0]
    """
    start = context - 1
    moved = 100 * np.linalg.norm(
        extra["object_poses"][-1, :, :2] - extra["object_poses"][start, :, :2], axis=1
    )
    found: list[list[Push]] = [[] for _ in samples]
    for number in np.flatnonzero(moved > PUSHED_BY):
        mask = extra["segmentation"][start] == 2 + number
        seen = extra["object_visible"][[start, -1], number] > 0.5
        if mask.sum() < 6 or not seen.all():
            continue
        places = extra["object_places"][[start, -1], number, :2].astype(float)
        true_move = places[1] - places[0]
        if np.linalg.norm(true_move) < 2:
            continue
        true_match, _ = find_object(frames[start], mask, frames[-1])
        for sample, list_of in zip(samples, found, strict=True):
            move, error = find_object(frames[start], mask, sample[-1])
            list_of.append(Push(true_move, move, error, true_match))
    return found
