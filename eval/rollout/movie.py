"""A rollout as a movie: truth, samples and heat map side by side, one picture per frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pixelpush.eval.rollout.drawing import (
    BLANK,
    CONTEXT,
    FAINT,
    INK,
    Canvas,
    action_arrow,
    colour_bar,
    enlarge,
)
from pixelpush.eval.rollout.video import GAP, RolloutVideo, action_numbers

MOVIE_CELL = 256  # pixels
MOVIE_WIDTH = 1920
# Pixels above a row of pictures, for their names, and below the last one.
_HEADER = 34
_FOOTER = 84


def movie_frames(video: RolloutVideo) -> np.ndarray:
    """uint8 (frames, H, W, 3), H and W even: truth | samples | heat map side by side, one picture
    per frame.

    >>> frames, none = np.zeros((3, 3, 8, 8), np.uint8), np.zeros((2, 2), np.float32)
    >>> heat = np.ones((2, 8, 8))
    >>> rest = (heat, "surprise", heat.mean((1, 2)), none, none)
    >>> video = RolloutVideo("a", frames[:1], frames[1:], frames[None, 1:], *rest)
    >>> movie_frames(video).shape
    (3, 380, 900, 3)
    """
    rows = [row for row in video.rows() if video.truth is not None or row[0] != "context"]
    per_line, factor = _movie_grid(video, len(rows))
    lines = -(-len(rows) // per_line)
    height, width = (side * factor for side in video.given.shape[2:])
    size = (
        _even(per_line * (width + 2 * GAP) + 96),
        _even(lines * (height + _HEADER + GAP) + _FOOTER),
    )
    pictures = []
    for time in range(video.frames):
        canvas = Canvas(*size)
        for place, (name, row) in enumerate(rows):
            x = GAP + place % per_line * (width + 2 * GAP)
            y = _HEADER + place // per_line * (height + _HEADER + GAP)
            tile = _Tile((x, y), (width, height), factor)
            tile.draw(canvas, name, _shown(video, name, row, time), given=time < video.context)
            if place == len(rows) - 1:
                low, high = video.heat_range
                colour_bar(canvas, (x + width + GAP + 4, y), (14, height), low, high, "nats/pixel")
        _movie_footer(canvas, video, time, size, _FOOTER)
        pictures.append(canvas.pixels())
    return np.stack(pictures)


def _shown(
    video: RolloutVideo, name: str, row: Sequence[np.ndarray | None], time: int
) -> np.ndarray | None:
    """A row's picture at a time. While the context lasts every row but the heat map shows it, so
    that nothing flashes when the samples begin."""
    if row[time] is None and time < video.context and name != video.heat_name:
        return video.given[time]
    return row[time]


@dataclass(frozen=True)
class _Tile:
    """Where one picture of the movie lies, and how much it is enlarged."""

    place: tuple[int, int]
    size: tuple[int, int]
    factor: int

    def draw(self, canvas: Canvas, name: str, picture: np.ndarray | None, given: bool) -> None:
        """Draw the picture under its name; what is given has a frame of its own colour."""
        x, y = self.place
        canvas.text((x, y - 10), name, 17, "ls", bold=True)
        if given:
            canvas.text((x + self.size[0], y - 10), "given", 14, "rs", CONTEXT)
        if picture is None:
            canvas.box(self.place, self.size, BLANK)
        else:
            canvas.paste(self.place, enlarge(picture, self.factor))
        if given:
            canvas.frame_around(self.place, self.size, CONTEXT, 3)


def _movie_footer(
    canvas: Canvas, video: RolloutVideo, time: int, size: tuple[int, int], footer: int
) -> None:
    top = size[1] - footer + 8
    side = 60
    x = GAP
    if video.actions.shape[1]:
        if time < video.frames - 1:
            canvas.paste((x, top), action_arrow(side, video.arrows[time], video.longest_arrow))
            lines = action_numbers(video.actions[time], per_line=3)
            canvas.text((x + side + 8, top + 2), f"action {time} → {time + 1}", 13, fill=FAINT)
            canvas.text((x + side + 8, top + 22), lines, 13)
        x += side + 190
    text = f"frame {time}"
    if 0 <= time - video.context < len(video.frame_nats):
        text += f"    {video.heat_name} {video.frame_nats[time - video.context]:.3f} nats/sub-pixel"
    canvas.text((x, top + 2), text, 15)
    length = size[0] - x - GAP
    canvas.box((x, top + 30), (length, 6), BLANK)
    canvas.box((x, top + 30), (max(1, length * (time + 1) // video.frames), 6), INK)
    canvas.box((x, top + 30), (length * video.context // video.frames, 6), CONTEXT)
    canvas.text((x, top + 46), video.title, 12, fill=FAINT)


def _movie_grid(video: RolloutVideo, panels: int) -> tuple[int, int]:
    """Pictures a line and enlargement, so that a line stays below ``MOVIE_WIDTH`` pixels where it
    can."""
    largest = max(video.given.shape[2:])
    factor = max(1, MOVIE_CELL // largest)
    per_line = min(panels, max(1, (MOVIE_WIDTH - 96) // (largest * factor + 2 * GAP)))
    lines = -(-panels // per_line)
    return -(-panels // lines), factor


def _even(value: int) -> int:
    return value + value % 2
