"""A figure in a file, for every report that draws one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pixelpush.files import atomic_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@contextlib.contextmanager
def figure_file(
    path: Path,
    width: float,
    height: float,
    dpi: int = 150,
    layout: Literal["constrained"] | None = "constrained",
) -> Iterator[Figure]:
    """Give an empty figure of a size in inches, and write it to ``path`` when the block ends.

    The name's ending says the format. layout: matplotlib's, None for axes that the caller places.
    Nothing is written where the block raises.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with figure_file(Path(folder) / "a.png", 2, 1) as figure:
    ...         _ = figure.subplots()
    ...     (Path(folder) / "a.png").is_file()
    True
    """
    # Its import takes a third of a second, which commands without a figure do not wait for.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout=layout)
    yield figure
    with atomic_file(path) as partial:
        figure.savefig(partial, dpi=dpi, format=path.suffix[1:])
