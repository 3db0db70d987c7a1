"""The per-frame table of a rollout: a row for each sampled frame of each sample, as CSV."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from pixelpush.eval.rollout.quality import psnr, ssim
from pixelpush.eval.rollout.video import RolloutVideo
from pixelpush.files import atomic_file

COLUMNS = (
    "frame",  # index in the episode, from 0
    "sample",  # number of the sample, from 1
    "nats_per_subpixel",  # of the truth under teacher forcing; without a truth: uncertainty
    "sample_nats_per_subpixel",  # of the sample itself, at temperature 1
    "psnr_db",
    "ssim",
    "state_error",  # root mean square over the entries, in standard deviations of training
)
_SMALLEST_SSIM = 7  # pixels: SSIM's window


def write_frame_table(
    path: Path, video: RolloutVideo, log_prob: np.ndarray, state_error: np.ndarray | None
) -> None:
    """Write the table. log_prob: float32 (N, steps, H, W) nats of the samples. state_error: float
    (N, known) of predicted states, None where states were given. What is not known is left
    empty.

    >>> import tempfile
    >>> frames, none = np.zeros((3, 3, 8, 8), np.uint8), np.zeros((2, 2), np.float32)
    >>> heat, log_prob = np.ones((2, 8, 8)), np.full((1, 2, 8, 8), -3.0)
    >>> rest = (heat, "surprise", heat.mean((1, 2)), none, none)
    >>> video = RolloutVideo("a", frames[:1], frames[1:], frames[None, 1:], *rest)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_frame_table(Path(folder) / "a.csv", video, log_prob, None)
    ...     print((Path(folder) / "a.csv").read_text().splitlines()[1])
    1,1,1,1,81.1411,1,
    """
    steps = video.samples.shape[1]
    own = -log_prob.astype(np.float64).mean(axis=(2, 3)) / video.given.shape[1]
    known = 0 if video.truth is None else len(video.truth)
    measured: list[tuple[np.ndarray | None, np.ndarray | None]] = []
    for sample in video.samples:
        if video.truth is None or known == 0:
            measured.append((None, None))
            continue
        large = min(video.given.shape[2:]) >= _SMALLEST_SSIM
        similar = ssim(video.truth, sample[:known]) if large else None
        measured.append((psnr(video.truth, sample[:known]), similar))
    with atomic_file(path) as partial, open(partial, "w", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for step in range(steps):
            for number, (ratio, similar) in enumerate(measured):
                errors = None if state_error is None else state_error[number]
                cells = (video.frame_nats, own[number], ratio, similar, errors)
                numbers = [_cell(values, step) for values in cells]
                writer.writerow([video.context + step, number + 1, *numbers])


def _cell(values: np.ndarray | None, step: int) -> str:
    return "" if values is None or step >= len(values) else f"{values[step]:.6g}"
