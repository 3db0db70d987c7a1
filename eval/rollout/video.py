"""A rollout and its film strip: truth, actions, samples and a heat map of nats, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pixelpush.eval.rollout.drawing import (
    CONTEXT,
    FAINT,
    Canvas,
    action_arrow,
    colour_bar,
    enlarge,
    heat_map,
)

STRIP_CELL = 128  # pixels
GAP = 6
MOST_COLUMNS = 20
MOST_NUMBERS = 7  # of an action, written out


@dataclass(frozen=True)
class RolloutVideo:
    """What a strip or a movie shows.

    given: the context frames, uint8 (context, C, H, W). truth: (steps or fewer, C, H, W), as far as
    it is recorded, or None where it is not known. samples: (N, steps, C, H, W). heat: float32 (as
    long, H, W), nats per pixel summed over channels. heat_name: of its row. frame_nats: (as long,),
    nats per sub-pixel of the same. actions:
    (context + steps - 1 or more, A); action t leads from frame t to t + 1. arrows: (same, 2), what
    is drawn of them. layers: names and pictures (steps, C, H, W) of the layers that the first
    sample was composed of, from back to front.

    >>> frames, none = np.zeros((3, 3, 8, 8), np.uint8), np.zeros((2, 2), np.float32)
    >>> heat = np.ones((2, 8, 8))
    >>> rest = (heat, "surprise", heat.mean((1, 2)), none, none)
    >>> video = RolloutVideo("a", frames[:1], frames[1:], frames[None, 1:], *rest)
    >>> video.frames, [name for name, _ in video.rows()]
    (3, ['truth', 'sample', 'surprise'])
    """

    title: str
    given: np.ndarray
    truth: np.ndarray | None
    samples: np.ndarray
    heat: np.ndarray
    heat_name: str
    frame_nats: np.ndarray
    actions: np.ndarray
    arrows: np.ndarray
    layers: tuple[tuple[str, np.ndarray], ...] = ()

    @property
    def context(self) -> int:
        return len(self.given)

    @property
    def frames(self) -> int:
        """Context and predicted frames together."""
        return self.context + self.samples.shape[1]

    @property
    def heat_range(self) -> tuple[float, float]:
        """Colour scale of the heat map."""
        return heat_scale(self.heat)

    @property
    def longest_arrow(self) -> float:
        return float(np.hypot(*self.arrows[: self.frames - 1].T).max(initial=0.0))

    def rows(self) -> list[tuple[str, list[np.ndarray | None]]]:
        """(name, a uint8 (C, H, W) picture or None for each frame): truth or context, samples, heat
        map."""
        blank: list[np.ndarray | None] = [None] * self.context
        first = "context" if self.truth is None else "truth"
        steps = self.frames - self.context
        known: list[np.ndarray | None] = [] if self.truth is None else list(self.truth)
        known += [None] * (steps - len(known))
        names = (
            ["sample"]
            if len(self.samples) == 1
            else [f"sample {i + 1}" for i in range(len(self.samples))]
        )
        low, high = self.heat_range
        return [
            (first, [*self.given, *known]),
            *((name, [*blank, *sample]) for name, sample in zip(names, self.samples, strict=True)),
            *((name, [*blank, *pictures]) for name, pictures in self.layers),
            (
                self.heat_name,
                [
                    *blank,
                    *(heat_map(values, low, high) for values in self.heat),
                    *[None] * (steps - len(self.heat)),
                ],
            ),
        ]


def heat_scale(heat: np.ndarray) -> tuple[float, float]:
    """The (low, high) end of a colour scale: the bulk of the values, so that a single surprising
    pixel does not darken the rest.

    >>> [round(end, 3) for end in heat_scale(np.linspace(0, 1, 201))]
    [0.01, 0.995]
    """
    low, high = np.percentile(heat, [1, 99.5])
    return float(low), float(max(high, low + 1e-6))


@dataclass(frozen=True)
class StripLayout:
    """Where the pictures of a strip lie, in pixels. columns: the frames shown; rows: the tops of
    the picture rows.

    >>> layout = StripLayout((0, 1), 1, (8, 8), 10, (5, 30), 20, action_height=9, size=(99, 99))
    >>> layout.at(row=1, column=1)
    (24, 30)
    """

    columns: tuple[int, ...]
    factor: int
    cell: tuple[int, int]  # width, height
    left: int
    rows: tuple[int, ...]
    actions: int
    action_height: int
    size: tuple[int, int]

    def at(self, row: int, column: int) -> tuple[int, int]:
        """Upper left corner of a picture."""
        return self.left + column * (self.cell[0] + GAP), self.rows[row]


def strip_layout(video: RolloutVideo) -> StripLayout:
    """At most ``MOST_COLUMNS`` frames: the context and the predicted ones evenly spread, the last
    always among them.

    >>> frames, none = np.zeros((3, 3, 8, 8), np.uint8), np.zeros((2, 2), np.float32)
    >>> heat = np.ones((2, 8, 8))
    >>> rest = (heat, "surprise", heat.mean((1, 2)), none, none)
    >>> layout = strip_layout(RolloutVideo("a", frames[:1], frames[1:], frames[None, 1:], *rest))
    >>> layout.columns, layout.factor
    ((0, 1, 2), 16)
    """
    height, width = video.given.shape[2:]
    factor = max(1, STRIP_CELL // max(height, width))
    cell = (width * factor, height * factor)
    columns = spread_frames(video.context, video.frames, MOST_COLUMNS)
    left = 136
    top = 88
    action_height = max(cell[1] // 2, 15 * min(video.actions.shape[1], MOST_NUMBERS)) + 8
    rows = [top]
    actions = top + cell[1] + GAP
    after_actions = actions + (action_height + GAP if video.actions.shape[1] else 0)
    for _ in range(len(video.samples) + len(video.layers) + 1):
        rows.append(after_actions + (len(rows) - 1) * (cell[1] + GAP))
    bottom = rows[-1] + cell[1] + 34
    size = (left + len(columns) * (cell[0] + GAP) + 96, bottom)
    return StripLayout(columns, factor, cell, left, tuple(rows), actions, action_height, size)


def rollout_strip(video: RolloutVideo) -> np.ndarray:
    """uint8 (H, W, 3): a column per frame; rows truth | actions | samples | heat map with its
    colour bar.

    >>> frames, none = np.zeros((3, 3, 8, 8), np.uint8), np.zeros((2, 2), np.float32)
    >>> heat = np.ones((2, 8, 8))
    >>> rest = (heat, "surprise", heat.mean((1, 2)), none, none)
    >>> video = RolloutVideo("a", frames[:1], frames[1:], frames[None, 1:], *rest)
    >>> rollout_strip(video).shape == (*strip_layout(video).size[::-1], 3)
    True
    """
    layout = strip_layout(video)
    canvas = Canvas(*layout.size)
    width, height = layout.cell
    canvas.text((layout.left, 8), video.title, 17, fill=FAINT)
    for column, frame in enumerate(layout.columns):
        x = layout.at(0, column)[0] + width // 2
        canvas.text((x, layout.rows[0] - 8), f"t = {frame}", 17, "ms")
    _mark_context(canvas, video, layout)
    for row, (name, pictures) in enumerate(video.rows()):
        canvas.text((layout.left - 12, layout.rows[row] + height // 2), name, 17, "rm", bold=True)
        for column, frame in enumerate(layout.columns):
            picture = pictures[frame]
            if picture is not None:
                canvas.paste(layout.at(row, column), enlarge(picture, layout.factor))
    if video.actions.shape[1]:
        _action_row(canvas, video, layout)
    _nats_row(canvas, video, layout)
    bar = (layout.at(0, len(layout.columns))[0] + 8, layout.rows[-1])
    low, high = video.heat_range
    colour_bar(canvas, bar, (14, height), low, high, "nats/pixel")
    return canvas.pixels()


def _mark_context(canvas: Canvas, video: RolloutVideo, layout: StripLayout) -> None:
    width, height = layout.cell
    start, _ = layout.at(0, 0)
    end = layout.at(0, video.context - 1)[0] + width
    y = layout.rows[0] - 30
    canvas.box((start, y), (end - start, 3), CONTEXT)
    canvas.text(((start + end) // 2, y - 4), "context", 14, "md", CONTEXT)
    for column in range(video.context):
        canvas.frame_around(layout.at(0, column), (width, height), CONTEXT, 2)


def _action_row(canvas: Canvas, video: RolloutVideo, layout: StripLayout) -> None:
    width, _ = layout.cell
    side = min(width // 2, layout.action_height - 8)
    middle = layout.actions + layout.action_height // 2
    canvas.text((layout.left - 12, middle), "action\nt → t+1", 14, "rm", FAINT)
    for column, frame in enumerate(layout.columns):
        if frame >= video.frames - 1:
            continue  # leads out of the video
        x, _ = layout.at(0, column)
        canvas.paste(
            (x, middle - side // 2), action_arrow(side, video.arrows[frame], video.longest_arrow)
        )
        canvas.text((x + width, middle), action_numbers(video.actions[frame]), 12, "rm", FAINT)


def _nats_row(canvas: Canvas, video: RolloutVideo, layout: StripLayout) -> None:
    width, height = layout.cell
    y = layout.rows[-1] + height + 8
    canvas.text((layout.left - 12, y), "nats/sub-pixel", 14, "ra", FAINT)
    for column, frame in enumerate(layout.columns):
        if 0 <= frame - video.context < len(video.frame_nats):
            nats = video.frame_nats[frame - video.context]
            canvas.text((layout.at(0, column)[0] + width // 2, y), f"{nats:.2f}", 15, "ma")


def action_numbers(action: np.ndarray, per_line: int = 1, most: int = MOST_NUMBERS) -> str:
    """The action's first numbers, three digits behind the point.

    >>> action_numbers(np.array([0.5, -1.0, 0.25]), per_line=3)
    '+0.500  -1.000  +0.250'
    """
    shown = [f"{value:+.3f}" for value in action[:most]]
    return "\n".join("  ".join(shown[i : i + per_line]) for i in range(0, len(shown), per_line))


def spread_frames(context: int, frames: int, most: int) -> tuple[int, ...]:
    """At most ``most`` of the frames: the context, the last, and evenly spread ones between.

    >>> spread_frames(context=2, frames=20, most=5)
    (0, 1, 2, 10, 19)
    """
    if frames <= most:
        return tuple(range(frames))
    places = np.linspace(context, frames - 1, max(most - context, 2)).round().astype(int)
    return (*range(context), *places.tolist())
