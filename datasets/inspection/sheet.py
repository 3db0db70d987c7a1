"""A contact sheet: a few frames of a few episodes, on one PNG."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pixelpush.datasets.episodes import EpisodeDataset
from pixelpush.datasets.images import encode_png
from pixelpush.files import atomic_file

ROWS = 8
COLUMNS = 10
_GAP = 2


def contact_sheet(episodes: EpisodeDataset, path: Path) -> Path:
    """Write up to 8 episodes, spread evenly, a row of up to 10 frames each, and return ``path``.

    >>> import tempfile
    >>> from pixelpush.datasets.episodes import Episode
    >>> from pixelpush.datasets.images import image_size
    >>> rows = np.zeros((3, 0), np.float32)
    >>> episodes = [Episode(np.zeros((3, 1, 8, 8), np.uint8), rows, rows, "a")]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     image_size(contact_sheet(episodes, Path(folder) / "sheet.png").read_bytes(), "it")
    (8, 98)
    """
    count = min(ROWS, len(episodes))
    chosen = [episodes[number * len(episodes) // count] for number in range(count)]
    height, width = chosen[0].frames.shape[-2:]
    size = (count * (height + _GAP) - _GAP, COLUMNS * (width + _GAP) - _GAP, 3)
    sheet = np.full(size, 255, dtype=np.uint8)
    for row, episode in enumerate(chosen):
        times = np.unique(np.linspace(0, len(episode.frames) - 1, COLUMNS).round().astype(int))
        for column, time in enumerate(times):
            frame = episode.frames[time].transpose(1, 2, 0)
            top = row * (height + _GAP)
            left = column * (width + _GAP)
            sheet[top : top + height, left : left + width] = frame  # grey spreads over colours
    with atomic_file(path) as partial:
        partial.write_bytes(encode_png(sheet, compression=6))
    return path
