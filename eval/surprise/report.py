"""What ``pixelpush surprise`` writes: a table of frames, videos, strips of the strangest moments,
and the ROC."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from pixelpush.datasets.episodes import Episode
from pixelpush.eval.figures import figure_file
from pixelpush.eval.rollout.drawing import CONTEXT, FAINT, INK, Canvas, enlarge, heat_map
from pixelpush.eval.rollout.mp4 import write_mp4, write_png
from pixelpush.eval.surprise.roc import RocReport
from pixelpush.eval.surprise.usual import FrameSurprise
from pixelpush.eval.text import text_table
from pixelpush.files import atomic_file

COLUMNS = (
    "episode",
    "frame",
    "nats_per_subpixel",
    "score",
    "p_value",
    "alarm",
    "region_row",
    "region_column",
    "region_deviations",
)
_ALARM = (200, 30, 30)
# In pixels.
_CELL = 256
_GAP = 8
_TRACE = 64
_STRIP_CELL = 96
# Frames shown around a moment.
_BEFORE = 2
_AFTER = 1


@dataclass(frozen=True)
class Watched:
    """An episode with its nats (T - context, H, W) and what each frame's surprise was.

    >>> rows = np.zeros((3, 5), np.float32)
    >>> episode = Episode(np.zeros((3, 3, 8, 8), np.uint8), rows, rows, "still")
    >>> Watched(episode, np.zeros((1, 8, 8)), []).episode.id
    'still'
    """

    episode: Episode
    nats: np.ndarray
    frames: list[FrameSurprise]


def write_csv(path: Path, watched: Sequence[Watched], threshold: float) -> None:
    """One row per predicted frame, ``COLUMNS``.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_csv(Path(folder) / "surprise.csv", [], threshold=3.0)
    ...     (Path(folder) / "surprise.csv").read_text().split(",")[:3]
    ['episode', 'frame', 'nats_per_subpixel']
    """
    with atomic_file(path) as partial, partial.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for item in watched:
            for frame in item.frames:
                row, column = frame.strangest
                rows.writerow(
                    [
                        item.episode.id,
                        frame.frame,
                        f"{frame.nats:.6f}",
                        f"{frame.score:.4f}",
                        f"{frame.p_value:.6f}",
                        int(frame.score > threshold),
                        row,
                        column,
                        f"{frame.regions[row, column]:.4f}",
                    ]
                )


def write_video(path: Path, item: Watched, threshold: float, frames_per_second: int = 5) -> None:
    """The episode beside its nats, a trace of the score below, red where it alarms.

    >>> import tempfile
    >>> rows = np.zeros((3, 5), np.float32)
    >>> episode = Episode(np.zeros((3, 3, 8, 8), np.uint8), rows, rows, "still")
    >>> frame = FrameSurprise(2, 1.0, np.zeros((1, 1)), score=4.0, p_value=0.01)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     film = Path(folder) / "strange.mp4"
    ...     write_video(film, Watched(episode, np.ones((1, 8, 8)), [frame]), threshold=3.0)
    ...     film.exists()
    True
    """
    first = item.frames[0].frame
    size = item.episode.frames.shape[-1]
    factor = max(1, _CELL // size)
    cell = size * factor
    low = float(item.nats.min())
    high = float(np.quantile(item.nats, 0.999))
    scores = [frame.score for frame in item.frames]
    # The trace shows at least twice the threshold, and whatever goes beyond it at the top.
    ceiling = max(2 * threshold, 1.0)
    pictures = []
    for number, frame in enumerate(item.episode.frames):
        canvas = Canvas(2 * cell + 3 * _GAP, cell + _TRACE + 3 * _GAP + 24)
        canvas.paste((_GAP, _GAP), enlarge(frame, factor))
        text = f"frame {number}: given"
        if number >= first:
            seen = item.frames[number - first]
            heat = heat_map(item.nats[number - first], low, high)
            canvas.paste((2 * _GAP + cell, _GAP), enlarge(heat, factor))
            text = f"frame {number}: {seen.nats:.3f} nats per sub-pixel, p = {seen.p_value:.4f}"
        canvas.text((_GAP, cell + 2 * _GAP), text, 14)
        so_far = scores[: max(0, number - first + 1)]
        _trace(canvas, cell, so_far, len(scores), threshold, ceiling)
        pictures.append(canvas.pixels())
    movie = np.stack(pictures)
    # H.264 with yuv420p takes even sides only.
    even = movie[:, : movie.shape[1] // 2 * 2, : movie.shape[2] // 2 * 2]
    write_mp4(path, np.ascontiguousarray(even), frames_per_second)


def _trace(
    canvas: Canvas,
    cell: int,
    scores: list[float],
    total: int,
    threshold: float,
    ceiling: float,
) -> None:
    """A bar for each of the scores so far, of ``total`` in all, and a line at the threshold."""
    bottom = cell + 2 * _GAP + 24 + _TRACE
    width = max(2, (2 * cell + _GAP) // max(total, 1))
    for index, score in enumerate(scores):
        height = int(_TRACE * min(max(score, 0) / ceiling, 1))
        colour = _ALARM if score > threshold else FAINT
        if height:
            canvas.box((_GAP + index * width, bottom - height), (width - 1, height), fill=colour)
    line = bottom - int(_TRACE * min(threshold / ceiling, 1))
    canvas.box((_GAP, line), (2 * cell + _GAP, 1), fill=CONTEXT)


def strangest_moments(watched: Sequence[Watched], count: int) -> list[tuple[Watched, int]]:
    """(episode, index of the frame) of the highest scores, at most one in three frames of an
    episode, so that one event does not fill the list.

    >>> rows = np.zeros((4, 5), np.float32)
    >>> episode = Episode(np.zeros((4, 3, 8, 8), np.uint8), rows, rows, "still")
    >>> frames = [FrameSurprise(n, 1.0, np.zeros((1, 1)), score=n, p_value=0.1) for n in (2, 3)]
    >>> [index for _, index in strangest_moments([Watched(episode, np.ones((2, 8, 8)), frames)], 5)]
    [1]
    """
    every = [
        (item.frames[index].score, number, index)
        for number, item in enumerate(watched)
        for index in range(len(item.frames))
    ]
    chosen: list[tuple[int, int]] = []
    for _, number, index in sorted(every, key=lambda entry: (-entry[0], entry[1], entry[2])):
        if len(chosen) == count:
            break
        if all(number != other or abs(index - at) > 2 for other, at in chosen):
            chosen.append((number, index))
    return [(watched[number], index) for number, index in chosen]


def write_strips(path: Path, watched: Sequence[Watched], count: int = 10) -> None:
    """The strangest moments, one below the other: the frames around each and its nats.

    >>> import tempfile
    >>> rows = np.zeros((3, 5), np.float32)
    >>> episode = Episode(np.zeros((3, 3, 8, 8), np.uint8), rows, rows, "still")
    >>> frame = FrameSurprise(2, 1.0, np.zeros((1, 1)), score=4.0, p_value=0.01)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     picture = Path(folder) / "strangest.png"
    ...     write_strips(picture, [Watched(episode, np.ones((1, 8, 8)), [frame])])
    ...     picture.exists()
    True
    """
    moments = strangest_moments(watched, count)
    columns = _BEFORE + _AFTER + 2
    left = 190
    step = _STRIP_CELL + _GAP
    canvas = Canvas(left + columns * step, len(moments) * step + _GAP)
    for row, (item, index) in enumerate(moments):
        frame = item.frames[index]
        top = _GAP + row * step
        about = f"{item.episode.id[-24:]}\nframe {frame.frame}\n{frame.nats:.3f} nats/sub-pixel"
        canvas.text((_GAP, top), f"{about}\nscore {frame.score:.1f}\np = {frame.p_value:.4f}", 12)
        for column, offset in enumerate(range(-_BEFORE, _AFTER + 1)):
            number = frame.frame + offset
            if 0 <= number < len(item.episode.frames):
                at = (left + column * step, top)
                canvas.paste(at, _thumbnail(item.episode.frames[number]))
                if offset == 0:
                    canvas.frame_around(at, (_STRIP_CELL, _STRIP_CELL), _ALARM, 3)
        heat = heat_map(item.nats[index], float(item.nats.min()), float(item.nats[index].max()))
        at = (left + (columns - 1) * step, top)
        canvas.paste(at, _thumbnail(heat))
    canvas.box((left - _GAP, 0), (1, len(moments) * step), fill=INK)
    write_png(path, canvas.pixels())


def _thumbnail(frame: np.ndarray) -> np.ndarray:
    pixels = enlarge(frame, 1)
    return np.asarray(
        Image.fromarray(pixels).resize((_STRIP_CELL, _STRIP_CELL), Image.Resampling.NEAREST)
    )


def roc_text(report: RocReport) -> str:
    """Area and share caught of every trouble.

    >>> from pixelpush.eval.surprise.roc import Curve, Trouble
    >>> hand = Trouble(0.9, 0.5, 12, 0.01, Curve([0.0, 1.0], [0.0, 1.0]))
    >>> report = RocReport(0.01, 3.0, 0.02, 500, 200, 8, {"entering hand": hand})
    >>> print(roc_text(report).splitlines()[-2])
    entering hand     0.900   50.0%      12
    """
    rows = [
        [name, f"{entry.auc:.3f}", f"{entry.caught:.1%}", str(entry.frames)]
        for name, entry in report.troubles.items()
    ]
    rate = report.false_alarm_rate
    note = (
        f"caught: at the threshold for {rate:.2%} false alarms, learnt from "
        f"{report.usual_frames} validation frames; on {report.calm_frames} others "
        f"{report.measured_false_alarm_rate:.2%} alarmed"
    )
    return "\n".join([text_table(["trouble", "ROC area", "caught", "frames"], rows), note])


def roc_figure(report: RocReport, path: Path) -> None:
    """All curves in one picture.

    >>> import tempfile
    >>> from pixelpush.eval.surprise.roc import Curve, Trouble
    >>> hand = Trouble(0.9, 0.5, 12, 0.01, Curve([0.0, 1.0], [0.0, 1.0]))
    >>> report = RocReport(0.01, 3.0, 0.02, 500, 200, 8, {"entering hand": hand})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     roc_figure(report, Path(folder) / "roc.svg")
    ...     (Path(folder) / "roc.svg").exists()
    True
    """
    with figure_file(path, 5, 3.6) as figure:
        axes = figure.subplots()
        for name, entry in report.troubles.items():
            curve = entry.curve
            axes.plot(curve.false_alarms, curve.caught, lw=1.3, label=f"{name} ({entry.auc:.2f})")
        axes.plot([0, 1], [0, 1], ls=":", color="0.6", lw=0.8)
        axes.set(xlabel="false alarms", ylabel="caught", xlim=(0, 1), ylim=(0, 1.01))
        axes.legend(fontsize=7, frameon=False, loc="lower right")
