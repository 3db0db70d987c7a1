"""Pictures of image models: grids of samples, scale-by-scale strips, super-resolution and
completion panels."""

from __future__ import annotations

import colorsys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np

from pixelpush.errors import InputError
from pixelpush.eval.figures import figure_file

_GAP = 2


@dataclass(frozen=True)
class Row:
    """One row of a panel: tiles uint8 (C, h, w), and the caption under it.

    >>> Row([np.zeros((3, 8, 8), np.uint8)], "a red mug").caption
    'a red mug'
    """

    tiles: Sequence[np.ndarray]
    caption: str = ""


def grid(images: np.ndarray, columns: int) -> np.ndarray:
    """uint8 (N, C, H, W) -> one picture uint8 (rows, width, C), white between the images and in
    unused places.

    >>> grid(np.zeros((3, 1, 4, 4), np.uint8), columns=2).shape
    (10, 10, 1)
    """
    count, colours, height, width = images.shape
    rows = -(-count // columns)
    picture = np.full(
        (rows * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP, colours), 255, np.uint8
    )
    for number, image in enumerate(images):
        top = (number // columns) * (height + _GAP)
        left = (number % columns) * (width + _GAP)
        picture[top : top + height, left : left + width] = image.transpose(1, 2, 0)
    return picture


def enlarge(image: np.ndarray, size: int) -> np.ndarray:
    """(C, h, w) -> (C, size, size), every pixel a square; size must be a multiple of h.

    >>> enlarge(np.array([[[7]]]), 2).tolist()
    [[[7, 7], [7, 7]]]
    """
    times = size // image.shape[1]
    return image.repeat(times, axis=1).repeat(times, axis=2)


def scale_strip(image: np.ndarray, sizes: Sequence[int]) -> list[np.ndarray]:
    """The image at every scale of a multiscale model (figures 4-6): its own sub-samplings,
    enlarged.

    >>> [tile.shape for tile in scale_strip(np.zeros((3, 8, 8), np.uint8), (2, 4, 8))]
    [(3, 8, 8), (3, 8, 8), (3, 8, 8)]
    """
    full = image.shape[1]
    return [enlarge(image[:, :: full // size, :: full // size], full) for size in sizes]


def structure_tile(structure: np.ndarray, size: int) -> np.ndarray:
    """uint8 (3, size, size) of maps (P, 32, 32): one colour per map on black.

    >>> maps = np.zeros((2, 32, 32), np.uint8)
    >>> maps[0, 5, 6] = 1
    >>> structure_tile(maps, 32)[:, 5, 6].tolist()
    [255, 50, 50]
    """
    side = structure.shape[1]
    tile = np.zeros((3, side, side), np.uint8)
    for number, cells in enumerate(structure):
        colour = colorsys.hsv_to_rgb(number * 0.618 % 1, 0.8, 1.0)
        tile[:, cells > 0] = np.array([[255 * value] for value in colour], np.uint8)
    return enlarge(tile, size) if size % side == 0 else tile


def write_panel(rows: Sequence[Row], titles: Sequence[str], path: Path) -> None:
    """Rows of tiles with titles over the columns and each row's caption under it.

    >>> write_panel([Row([np.zeros((3, 8, 8), np.uint8)])], ["sample"], Path("a.jpg"))
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: a.jpg: pictures are written as PNG; end the name in .png.
    """
    check_png(path)
    columns = max(len(row.tiles) for row in rows)
    wrapped = [textwrap.wrap(row.caption, 18 * columns) for row in rows]
    # Heights in inches: a row of tiles, then its caption.
    heights = [height for lines in wrapped for height in (1.35, 0.02 + 0.14 * len(lines))]
    width = 1.35 * columns
    height = sum(heights) + 0.25
    with (
        matplotlib.rc_context({"font.size": 7}),
        figure_file(path, width, height, layout=None) as figure,
    ):
        places = figure.add_gridspec(
            2 * len(rows), columns, height_ratios=heights, wspace=0.04, hspace=0.02
        )
        figure.subplots_adjust(
            left=0.01, right=0.99, bottom=0.01, top=1 - 0.25 / figure.get_figheight()
        )
        for number, (row, lines) in enumerate(zip(rows, wrapped, strict=True)):
            for column, tile in enumerate(row.tiles):
                axis = figure.add_subplot(places[2 * number, column])
                axis.imshow(
                    tile[0] if len(tile) == 1 else tile.transpose(1, 2, 0),
                    cmap="gray",
                    interpolation="nearest",
                    vmin=0,
                    vmax=255,
                )
                axis.axis("off")
                if number == 0 and column < len(titles):
                    axis.set_title(titles[column], fontsize=7)
            caption = figure.add_subplot(places[2 * number + 1, :])
            caption.axis("off")
            caption.text(0, 1, "\n".join(lines), va="top")


def check_png(path: Path) -> None:
    """InputError unless the name ends in .png.

    >>> check_png(Path("a.jpg"))
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: a.jpg: pictures are written as PNG; end the name in .png.
    """
    if path.suffix.lower() != ".png":
        raise InputError(f"{path}: pictures are written as PNG; end the name in .png.")
