"""Drawing kit of strips and movies: text, enlarged frames, heat maps, action arrows. Same input,
same bytes."""

from __future__ import annotations

import functools
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

INK = (30, 30, 30)
FAINT = (120, 120, 120)
PAPER = (255, 255, 255)
BLANK = (242, 242, 242)
CONTEXT = (230, 140, 0)
_HEAT = "inferno"
_OVERSAMPLING = 4  # lines are drawn larger and averaged down: Pillow draws without anti-aliasing


class Canvas:
    """An image to draw on; coordinates are pixels from the upper left, ``pixels()`` gives uint8 (H,
    W, 3).

    >>> canvas = Canvas(4, 3)
    >>> canvas.box((0, 0), (2, 1), fill=(0, 0, 0))
    >>> canvas.pixels()[0, :, 0].tolist()
    [0, 0, 255, 255]
    """

    def __init__(self, width: int, height: int):
        self.image = Image.new("RGB", (width, height), PAPER)
        self._draw = ImageDraw.Draw(self.image)

    def pixels(self) -> np.ndarray:
        return np.asarray(self.image).copy()

    def text(
        self,
        at: tuple[int, int],
        text: str,
        size: int,
        anchor: str = "la",
        fill: tuple[int, int, int] = INK,
        bold: bool = False,
    ) -> None:
        """anchor: Pillow's two letters, horizontal l m r and vertical a (top) m s (baseline) d
        (bottom)."""
        if "\n" in text:
            anchor = anchor[0] + {"s": "d"}.get(anchor[1], anchor[1])
        align = {"l": "left", "m": "center", "r": "right"}[anchor[0]]
        self._draw.text(at, text, font=_font(size, bold), fill=fill, anchor=anchor, align=align)

    def paste(self, at: tuple[int, int], pixels: np.ndarray) -> None:
        """pixels: uint8 (H, W, 3)."""
        self.image.paste(Image.fromarray(pixels), at)

    def box(
        self,
        at: tuple[int, int],
        size: tuple[int, int],
        fill: tuple[int, int, int] | None = None,
        outline: tuple[int, int, int] | None = None,
        width: int = 1,
    ) -> None:
        """A rectangle of exactly ``size`` pixels; the outline lies inside."""
        corner = (at[0] + size[0] - 1, at[1] + size[1] - 1)
        self._draw.rectangle((*at, *corner), fill=fill, outline=outline, width=width)

    def frame_around(
        self, at: tuple[int, int], size: tuple[int, int], colour: tuple[int, int, int], width: int
    ) -> None:
        """A border outside the given rectangle, so that no pixel of a picture is covered."""
        self.box(
            (at[0] - width, at[1] - width),
            (size[0] + 2 * width, size[1] + 2 * width),
            None,
            colour,
            width,
        )


def enlarge(frame: np.ndarray, factor: int) -> np.ndarray:
    """uint8 (C, H, W) -> (H factor, W factor, 3), every pixel a square; one channel is shown as
    grey.

    >>> enlarge(np.array([[[1, 2]]], np.uint8), 2)[..., 0].tolist()
    [[1, 1, 2, 2], [1, 1, 2, 2]]
    """
    colour = np.broadcast_to(frame, (3, *frame.shape[1:])) if frame.shape[0] == 1 else frame[:3]
    return np.ascontiguousarray(colour.transpose(1, 2, 0).repeat(factor, 0).repeat(factor, 1))


def heat_map(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """(H, W) -> uint8 (3, H, W) colours; ``low`` and below is black, ``high`` and above the
    brightest.

    >>> heat_map(np.array([[0.0, 1.0]]), 0, 1)[:, 0].T.tolist()
    [[0, 0, 3], [252, 254, 164]]
    """
    unit = np.clip((values - low) / max(high - low, 1e-12), 0, 1)
    return matplotlib.colormaps[_HEAT](unit, bytes=True)[..., :3].transpose(2, 0, 1)


def colour_bar(
    canvas: Canvas, at: tuple[int, int], size: tuple[int, int], low: float, high: float, unit: str
) -> None:
    """A vertical bar with three ticks and the unit above; ``high`` stands for itself and everything
    above.

    >>> canvas = Canvas(60, 60)
    >>> colour_bar(canvas, (4, 20), (10, 30), 0.0, 2.0, "nats")
    >>> canvas.pixels()[49, 9].tolist()
    [30, 30, 30]
    """
    width, height = size
    column = heat_map(np.linspace(1, 0, height)[:, None].repeat(width, 1), 0, 1)
    canvas.paste(at, np.ascontiguousarray(column.transpose(1, 2, 0)))
    canvas.box(at, size, None, INK)
    text = min(14, max(9, height // 10))
    ticks = (
        (1.0, f"≥ {high:.3g}", "a"),
        (0.5, f"{(low + high) / 2:.3g}", "m"),
        (0.0, f"{low:.3g}", "d"),
    )
    for part, label, vertical in ticks:
        y = at[1] + round((1 - part) * (height - 1))
        canvas.text((at[0] + width + 5, y), label, text, "l" + vertical)
    canvas.text((at[0], at[1] - 4), unit, text, "ld", FAINT)


def action_arrow(side: int, arrow: np.ndarray, longest: float) -> np.ndarray:
    """uint8 (side, side, 3): an arrow (right, up) from the middle; one of length ``longest`` nearly
    fills the box.

    >>> box = action_arrow(48, np.array([1.0, 0.0]), longest=1.0)
    >>> box.shape, bool(box[24, 36].max() < 60), box[24, 12].tolist()
    ((48, 48, 3), True, [255, 255, 255])
    """
    large = side * _OVERSAMPLING
    image = Image.new("RGB", (large, large), PAPER)
    draw = ImageDraw.Draw(image)
    line = max(_OVERSAMPLING, large // 24)
    draw.rectangle((0, 0, large - 1, large - 1), outline=(200, 200, 200), width=_OVERSAMPLING)
    middle = np.array([large / 2, large / 2])
    draw.ellipse((*(middle - line), *(middle + line)), fill=FAINT)
    vector = np.array([arrow[0], -arrow[1]], dtype=np.float64) / max(longest, 1e-12) * large * 0.42
    length = float(np.hypot(*vector))
    if length > line:
        along = vector / length
        across = np.array([-along[1], along[0]])
        head = min(length, large * 0.14)
        tip = middle + vector
        neck = middle + along * (length - head)
        draw.line((*middle, *neck), fill=INK, width=line)
        corners = [tip, neck + across * head * 0.55, neck - across * head * 0.55]
        draw.polygon([tuple(corner) for corner in corners], fill=INK)
    return np.asarray(image.resize((side, side), Image.Resampling.BOX)).copy()


def displacements(states: np.ndarray, actions: np.ndarray) -> np.ndarray:
    """What each action asks of the first two coordinates, (T, 2): the arrows drawn.

    Actions are recorded as the commanded pose or as a change of pose. Where the recorded states
    show that the action is closer to the next state itself than to the change that led there, the
    state is subtracted. Missing coordinates are 0.

    >>> poses = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 2.0]])
    >>> displacements(poses, poses[1:]).tolist()
    [[1.0, 0.0], [0.0, 2.0]]
    """
    arrows = np.zeros((len(actions), 2))
    width = min(2, actions.shape[1])
    arrows[:, :width] = actions[:, :width]
    shared = min(width, states.shape[1])
    steps = min(len(states), len(actions) + 1) - 1
    if shared and steps > 0:
        now = states[:steps, :shared]
        following = states[1 : steps + 1, :shared]
        action = actions[:steps, :shared]
        as_pose = np.abs(action - following).sum()
        as_change = np.abs(now + action - following).sum()
        if as_pose < as_change:
            known = min(len(states), len(actions))
            arrows[:known, :shared] -= states[:known, :shared]
            arrows[known:] = 0
    return arrows


@functools.lru_cache(maxsize=32)
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    # The font that comes with matplotlib, so that text looks the same on every machine.
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)
