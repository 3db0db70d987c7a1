"""The contact sheet: several rollouts on one page, truth, a sample and the heat map of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pixelpush.eval.rollout.drawing import BLANK, CONTEXT, FAINT, Canvas, enlarge
from pixelpush.eval.rollout.video import GAP, RolloutVideo, spread_frames

_CELL = 128  # pixels
_COLUMNS = 10
_LEFT = 110
_HEAD = 30  # of the page
_TITLE = 46  # above each rollout


def contact_sheet(rollouts: Sequence[tuple[str, RolloutVideo]], title: str = "") -> np.ndarray:
    """uint8 (H, W, 3): of each (words, rollout) the rows truth, first sample and heat map at up to
    ten frames, the context and the last always among them; rollouts lie below each other.

    All frames must have one size.

    >>> frames, none = np.zeros((3, 3, 8, 8), np.uint8), np.zeros((2, 2), np.float32)
    >>> heat = np.ones((2, 8, 8))
    >>> rest = (heat, "surprise", heat.mean((1, 2)), none, none)
    >>> video = RolloutVideo("a", frames[:1], frames[1:], frames[None, 1:], *rest)
    >>> contact_sheet([("first", video), ("second", video)]).shape
    (938, 518, 3)
    """
    height, width = rollouts[0][1].given.shape[2:]
    factor = max(1, _CELL // max(height, width))
    cell_height = height * factor
    cell_width = width * factor
    columns = max(min(video.frames, _COLUMNS) for _, video in rollouts)
    block = _TITLE + 3 * (cell_height + GAP) + GAP
    size = (_LEFT + columns * (cell_width + GAP) + GAP, _HEAD + len(rollouts) * block)
    canvas = Canvas(*size)
    canvas.text((GAP, 8), title, 15, fill=FAINT)
    for number, (words, video) in enumerate(rollouts):
        top = _HEAD + number * block
        canvas.text((GAP, top), words, 16, bold=True)
        rows = video.rows()
        shown = [rows[0], rows[1], rows[-1]]
        for column, frame in enumerate(spread_frames(video.context, video.frames, _COLUMNS)):
            x = _LEFT + column * (cell_width + GAP)
            canvas.text((x + cell_width // 2, top + _TITLE - 4), f"t = {frame}", 12, "ms", FAINT)
            for place, (name, pictures) in enumerate(shown):
                y = top + _TITLE + place * (cell_height + GAP)
                if column == 0:
                    canvas.text((_LEFT - 8, y + cell_height // 2), name, 13, "rm")
                picture = pictures[frame]
                if picture is None:
                    canvas.box((x, y), (cell_width, cell_height), BLANK)
                else:
                    canvas.paste((x, y), enlarge(picture, factor))
                if place == 0 and frame < video.context:
                    canvas.frame_around((x, y), (cell_width, cell_height), CONTEXT, 2)
    return canvas.pixels()
