"""The one way to report progress: a task of so many items, advanced by counts. A leaf module."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

# Called with the number of items that were finished since the last call.
Advance = Callable[[int], object]
# ``progress(total, name)`` begins a task of ``total`` items.
Progress = Callable[[int, str], AbstractContextManager[Advance]]


@contextlib.contextmanager
def silent(total: int, name: str) -> Iterator[Advance]:
    """Report nothing.

    >>> with silent(3, "reading") as advance:
    ...     advance(1)
    """
    yield lambda count: None


@contextlib.contextmanager
def progress_bar(total: int, name: str) -> Iterator[Advance]:
    """Show a bar on stderr, which vanishes when the task is done.

    >>> with progress_bar(3, "reading") as advance:
    ...     _ = advance(3)
    """
    from tqdm import tqdm

    with tqdm(total=total, desc=name, leave=False, dynamic_ncols=True, file=sys.stderr) as bar:
        yield bar.update
