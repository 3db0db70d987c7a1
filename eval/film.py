"""A rollout as a film strip for paper and as a movie: truth, samples and a heat map of nats, action
by action."""

from __future__ import annotations

import errno
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixelpush.errors import InputError
from pixelpush.eval.drawing import (
    BLANK,
    CONTEXT,
    FAINT,
    INK,
    Canvas,
    action_arrow,
    colour_bar,
    enlarge,
    heat_map,
)
from pixelpush.files import atomic_file

STRIP_CELL, MOVIE_CELL, MOVIE_WIDTH = 128, 256, 1920  # pixels
GAP = 6
MOST_COLUMNS = 20
MOST_NUMBERS = 7  # of an action, written out


@dataclass(frozen=True)
class Film:
    """What a strip or a movie shows.

    given: the context frames, uint8 (context, C, H, W). truth: (steps, C, H, W), or None where
    nobody knows it. samples: (N, steps, C, H, W). heat: (steps, H, W), nats per pixel summed over
    channels. heat_name: of its row. frame_nats: (steps,), nats per sub-pixel of the same. actions:
    (context + steps - 1 or more, A); action t leads from frame t to t + 1. arrows: (same, 2), what
    is drawn of them."""

    title: str
    given: np.ndarray
    truth: np.ndarray | None
    samples: np.ndarray
    heat: np.ndarray
    heat_name: str
    frame_nats: np.ndarray
    actions: np.ndarray
    arrows: np.ndarray

    @property
    def context(self) -> int:
        return len(self.given)

    @property
    def frames(self) -> int:
        """Context and predicted frames together."""
        return self.context + self.samples.shape[1]

    @property
    def heat_range(self) -> tuple[float, float]:
        """Colour scale: the bulk of the values, so that a single surprising pixel does not darken
        the rest."""
        low, high = np.percentile(self.heat, [1, 99.5])
        return float(low), float(max(high, low + 1e-6))

    @property
    def longest_arrow(self) -> float:
        return float(np.hypot(*self.arrows[: self.frames - 1].T).max(initial=0.0))

    def rows(self) -> list[tuple[str, list[np.ndarray | None]]]:
        """(name, a uint8 (C, H, W) picture or None for each frame): truth or context, samples, heat
        map."""
        blank: list[np.ndarray | None] = [None] * self.context
        first = "context" if self.truth is None else "truth"
        known = [None] * (self.frames - self.context) if self.truth is None else list(self.truth)
        names = (
            ["sample"]
            if len(self.samples) == 1
            else [f"sample {i + 1}" for i in range(len(self.samples))]
        )
        low, high = self.heat_range
        return [
            (first, [*self.given, *known]),
            *((name, [*blank, *sample]) for name, sample in zip(names, self.samples, strict=True)),
            (self.heat_name, [*blank, *(heat_map(values, low, high) for values in self.heat)]),
        ]


@dataclass(frozen=True)
class StripLayout:
    """Where the pictures of a strip lie, in pixels. columns: the frames shown; rows: the tops of
    the picture rows."""

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


def strip_layout(film: Film) -> StripLayout:
    """At most ``MOST_COLUMNS`` frames: the context and the predicted ones evenly spread, the last
    always among them."""
    height, width = film.given.shape[2:]
    factor = max(1, STRIP_CELL // max(height, width))
    cell = (width * factor, height * factor)
    columns = _spread(film.context, film.frames, MOST_COLUMNS)
    left = 136
    top = 88
    action_height = max(cell[1] // 2, 15 * min(film.actions.shape[1], MOST_NUMBERS)) + 8
    rows = [top]
    actions = top + cell[1] + GAP
    after_actions = actions + (action_height + GAP if film.actions.shape[1] else 0)
    for _ in range(len(film.samples) + 1):
        rows.append(after_actions + (len(rows) - 1) * (cell[1] + GAP))
    bottom = rows[-1] + cell[1] + 34
    size = (left + len(columns) * (cell[0] + GAP) + 96, bottom)
    return StripLayout(columns, factor, cell, left, tuple(rows), actions, action_height, size)


def film_strip(film: Film) -> np.ndarray:
    """uint8 (H, W, 3): a column per frame; rows truth | actions | samples | heat map with its
    colour bar."""
    layout = strip_layout(film)
    canvas = Canvas(*layout.size)
    width, height = layout.cell
    canvas.text((layout.left, 8), film.title, 17, fill=FAINT)
    for column, frame in enumerate(layout.columns):
        x = layout.at(0, column)[0] + width // 2
        canvas.text((x, layout.rows[0] - 8), f"t = {frame}", 17, "ms")
    _mark_context(canvas, film, layout)
    for row, (name, pictures) in enumerate(film.rows()):
        canvas.text((layout.left - 12, layout.rows[row] + height // 2), name, 17, "rm", bold=True)
        for column, frame in enumerate(layout.columns):
            picture = pictures[frame]
            if picture is not None:
                canvas.paste(layout.at(row, column), enlarge(picture, layout.factor))
    if film.actions.shape[1]:
        _action_row(canvas, film, layout)
    _nats_row(canvas, film, layout)
    bar = (layout.at(0, len(layout.columns))[0] + 8, layout.rows[-1])
    low, high = film.heat_range
    colour_bar(canvas, bar, (14, height), low, high, "nats/pixel")
    return canvas.pixels()


def film_frames(film: Film) -> np.ndarray:
    """uint8 (frames, H, W, 3), H and W even: truth | samples | heat map side by side, one picture
    per frame."""
    rows = [row for row in film.rows() if film.truth is not None or row[0] != "context"]
    per_line, factor = _movie_grid(film, len(rows))
    lines = -(-len(rows) // per_line)
    height, width = (side * factor for side in film.given.shape[2:])
    header, footer = 34, 84
    size = (
        _even(per_line * (width + 2 * GAP) + 96),
        _even(lines * (height + header + GAP) + footer),
    )
    pictures = []
    for time in range(film.frames):
        canvas = Canvas(*size)
        for place, (name, row) in enumerate(rows):
            x = GAP + place % per_line * (width + 2 * GAP)
            y = header + place // per_line * (height + header + GAP)
            given = time < film.context
            # While the context lasts every picture shows it, so that nothing flashes when the
            # samples begin.
            picture = (
                film.given[time]
                if given and row[time] is None and name != film.heat_name
                else row[time]
            )
            canvas.text((x, y - 10), name, 17, "ls", bold=True)
            if given:
                canvas.text((x + width, y - 10), "given", 14, "rs", CONTEXT)
            if picture is None:
                canvas.box((x, y), (width, height), BLANK)
            else:
                canvas.paste((x, y), enlarge(picture, factor))
            if given:
                canvas.frame_around((x, y), (width, height), CONTEXT, 3)
            if place == len(rows) - 1:
                low, high = film.heat_range
                colour_bar(canvas, (x + width + GAP + 4, y), (14, height), low, high, "nats/pixel")
        _movie_footer(canvas, film, time, size, footer)
        pictures.append(canvas.pixels())
    return np.stack(pictures)


def write_png(path: Path, pixels: np.ndarray) -> None:
    """uint8 (H, W, C), C 1 or 3, to a PNG, which appears only when whole."""
    from PIL import Image

    with atomic_file(path) as partial:
        Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(partial)


def write_mp4(path: Path, pixels: np.ndarray, frames_per_second: int) -> None:
    """uint8 (T, H, W, 3), H and W even, to H.264 in yuv420p, which every player shows; appears only
    when whole."""
    from pixelpush.datasets.video import ffmpeg_program

    size = f"{pixels.shape[2]}x{pixels.shape[1]}"
    source = [
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-s",
        size,
        "-r",
        str(frames_per_second),
        "-i",
        "-",
    ]
    coding = ["-c:v", "libx264", "-crf", "15", "-pix_fmt", "yuv420p", "-movflags", "+faststart"]
    # One thread and no time stamps: the same frames give the same file.
    repeatable = [
        "-threads",
        "1",
        "-fflags",
        "+bitexact",
        "-flags:v",
        "+bitexact",
        "-map_metadata",
        "-1",
    ]
    program = [ffmpeg_program(), "-y", "-loglevel", "error"]
    with atomic_file(path) as partial:
        command = [*program, *source, *coding, *repeatable, str(partial)]
        done = subprocess.run(command, input=pixels.tobytes(), capture_output=True)
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip()
            if os.strerror(errno.ENOSPC) in said:
                raise OSError(errno.ENOSPC, said)  # becomes the clear line about a full disk
            raise InputError(
                f"{path}: ffmpeg could not write the movie "
                f"({said.splitlines()[-1] if said else 'no reason'})."
            )


def _mark_context(canvas: Canvas, film: Film, layout: StripLayout) -> None:
    width, height = layout.cell
    start, _ = layout.at(0, 0)
    end = layout.at(0, film.context - 1)[0] + width
    y = layout.rows[0] - 30
    canvas.box((start, y), (end - start, 3), CONTEXT)
    canvas.text(((start + end) // 2, y - 4), "context", 14, "md", CONTEXT)
    for column in range(film.context):
        canvas.frame_around(layout.at(0, column), (width, height), CONTEXT, 2)


def _action_row(canvas: Canvas, film: Film, layout: StripLayout) -> None:
    width, _ = layout.cell
    side = min(width // 2, layout.action_height - 8)
    middle = layout.actions + layout.action_height // 2
    canvas.text((layout.left - 12, middle), "action\nt → t+1", 14, "rm", FAINT)
    for column, frame in enumerate(layout.columns):
        if frame >= film.frames - 1:
            continue  # leads out of the film
        x, _ = layout.at(0, column)
        canvas.paste(
            (x, middle - side // 2), action_arrow(side, film.arrows[frame], film.longest_arrow)
        )
        canvas.text((x + width, middle), _numbers(film.actions[frame]), 12, "rm", FAINT)


def _nats_row(canvas: Canvas, film: Film, layout: StripLayout) -> None:
    width, height = layout.cell
    y = layout.rows[-1] + height + 8
    canvas.text((layout.left - 12, y), "nats/sub-pixel", 14, "ra", FAINT)
    for column, frame in enumerate(layout.columns):
        if frame >= film.context:
            nats = film.frame_nats[frame - film.context]
            canvas.text((layout.at(0, column)[0] + width // 2, y), f"{nats:.2f}", 15, "ma")


def _movie_footer(
    canvas: Canvas, film: Film, time: int, size: tuple[int, int], footer: int
) -> None:
    top = size[1] - footer + 8
    side = 60
    x = GAP
    if film.actions.shape[1]:
        if time < film.frames - 1:
            canvas.paste((x, top), action_arrow(side, film.arrows[time], film.longest_arrow))
            lines = _numbers(film.actions[time], per_line=3)
            canvas.text((x + side + 8, top + 2), f"action {time} → {time + 1}", 13, fill=FAINT)
            canvas.text((x + side + 8, top + 22), lines, 13)
        x += side + 190
    text = f"frame {time}"
    if time >= film.context:
        text += f"    {film.heat_name} {film.frame_nats[time - film.context]:.3f} nats/sub-pixel"
    canvas.text((x, top + 2), text, 15)
    length = size[0] - x - GAP
    canvas.box((x, top + 30), (length, 6), BLANK)
    canvas.box((x, top + 30), (max(1, length * (time + 1) // film.frames), 6), INK)
    canvas.box((x, top + 30), (length * film.context // film.frames, 6), CONTEXT)
    canvas.text((x, top + 46), film.title, 12, fill=FAINT)


def _numbers(action: np.ndarray, per_line: int = 1, most: int = MOST_NUMBERS) -> str:
    """The action's first numbers, three digits behind the point."""
    shown = [f"{value:+.3f}" for value in action[:most]]
    return "\n".join("  ".join(shown[i : i + per_line]) for i in range(0, len(shown), per_line))


def _spread(context: int, frames: int, most: int) -> tuple[int, ...]:
    if frames <= most:
        return tuple(range(frames))
    places = np.linspace(context, frames - 1, max(most - context, 2)).round().astype(int)
    return (*range(context), *places.tolist())


def _movie_grid(film: Film, panels: int) -> tuple[int, int]:
    """Pictures a line and enlargement, so that a line stays below ``MOVIE_WIDTH`` pixels where it
    can."""
    largest = max(film.given.shape[2:])
    factor = max(1, MOVIE_CELL // largest)
    per_line = min(panels, max(1, (MOVIE_WIDTH - 96) // (largest * factor + 2 * GAP)))
    lines = -(-panels // per_line)
    return -(-panels // lines), factor


def _even(value: int) -> int:
    return value + value % 2
