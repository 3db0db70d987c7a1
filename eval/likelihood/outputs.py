"""Where ``pixelpush nll`` puts what it finds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pixelpush.progress import Progress, progress_unless


@dataclass(frozen=True)
class Outputs:
    """What to write and print. side_by_side: Table 2 instead of a table for each split. conditions:
    what false conditions cost, of image models.

    >>> Outputs(json=Path("nll.json")).side_by_side
    False
    """

    json: Path | None = None
    figure: Path | None = None
    side_by_side: bool = False
    quiet: bool = False
    conditions: bool = False

    @property
    def progress(self) -> Progress:
        """How to report progress."""
        return progress_unless(self.quiet)
