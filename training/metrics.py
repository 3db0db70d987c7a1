"""Metrics: JSON lines always, a progress bar, trackers where asked for."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from pixelpush.errors import InputError
from pixelpush.files import atomic_file, full_disk_is_a_clear_error
from pixelpush.training.task import SCORE
from pixelpush.training.trackers import Tracker

_SMOOTHING = 0.95


class Metrics:
    """Where a run's figures go; use it as a context manager in the first process only.

    planned, examples: of the whole run, and seen so far. trackers: closed with it. failure: the
    first error in writing, for all processes to learn.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Metrics(Path(folder), planned=8, examples=0, quiet=True) as metrics:
    ...         metrics.write(4, {"loss": 1.0})
    ...     print((Path(folder) / "metrics.jsonl").read_text().strip())
    {"examples": 4, "loss": 1.0}
    """

    def __init__(
        self,
        run: Path,
        planned: int,
        examples: int,
        trackers: Sequence[Tracker] = (),
        quiet: bool = False,
    ):
        self._path = run / "metrics.jsonl"
        forget_after(self._path, examples)
        self._trackers = trackers
        self._bar = tqdm(
            total=planned,
            initial=min(examples, planned),
            unit=" examples",
            disable=quiet,
            dynamic_ncols=True,
            # In a log file every refresh is a line.
            mininterval=0.2 if sys.stderr.isatty() else 30.0,
        )
        self.failure: InputError | None = None
        self._quiet = quiet
        self._smoothed: float | None = None

    def __enter__(self) -> Metrics:
        return self

    def __exit__(self, *_: object) -> None:
        self.close_bar()
        for tracker in self._trackers:
            tracker.close()

    def close_bar(self) -> None:
        """End the bar of the training; the final scoring has a bar of its own."""
        self._bar.close()

    def step(self, examples: int, name: str, score: float) -> None:
        """Move the bar by one step's examples and show the smoothed score of that name."""
        old = self._smoothed
        self._smoothed = score if old is None else _SMOOTHING * old + (1 - _SMOOTHING) * score
        self._bar.set_postfix_str(f"{self._smoothed:.3f} {name.replace('_', ' ')}", refresh=False)
        self._bar.update(examples)

    def write(self, examples: int, values: Mapping[str, Any]) -> None:
        """Append one line, and give its numbers to the trackers.

        A full disk becomes ``failure``, for all processes to learn."""
        line = json.dumps({"examples": examples, **values}, allow_nan=False)
        try:
            with full_disk_is_a_clear_error(self._path), open(self._path, "a") as stream:
                stream.write(line + "\n")
        except InputError as error:
            # Not raised here: only the first process writes, and the others would wait for it. The
            # loop raises it in all of them.
            self.failure = error
        numbers = {name: value for name, value in values.items() if isinstance(value, int | float)}
        for tracker in self._trackers:
            tracker.write(examples, numbers)

    def say(self, text: str) -> None:
        """Print a line to stderr without breaking the bar."""
        if not self._quiet:
            self._bar.write(text, file=sys.stderr)


def forget_after(path: Path, examples: int) -> None:
    """Drop lines of steps that a resumed run will do again, and a half-written last line.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "metrics.jsonl"
    ...     _ = path.write_text('{"examples": 4}\\n{"examples": 8}\\n{"exam')
    ...     forget_after(path, examples=4)
    ...     print(path.read_text().strip())
    {"examples": 4}
    """
    if not path.is_file():
        return
    kept = []
    for line in path.read_text(errors="replace").splitlines():
        try:
            if json.loads(line)["examples"] <= examples:
                kept.append(line + "\n")
        except (ValueError, KeyError, TypeError):
            continue
    with atomic_file(path) as partial:
        partial.write_text("".join(kept))


class Window:
    """Means since the last line of metrics.

    >>> window = Window()
    >>> window.add({"loss": 2.0}, examples=4, seconds=2.0, waiting=0.5)
    >>> window.take(frames_per_example=10)
    {'loss': 2.0, 'frames_per_second': 20.0, 'waiting_share': 0.25}
    """

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        self._sums: dict[str, float] = {}
        self._steps = 0
        self._examples = 0
        self._seconds = 0.0
        self._waiting = 0.0

    def add(
        self, values: Mapping[str, float], examples: int, seconds: float, waiting: float
    ) -> None:
        """One step: its values, and how long it took, of which ``waiting`` for data."""
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._steps += 1
        self._examples += examples
        self._seconds += seconds
        self._waiting += waiting

    def take(self, frames_per_example: int) -> dict[str, float]:
        """Return the means, frames per second and the share of time spent waiting for data.

        A new window starts."""
        line = {name: total / self._steps for name, total in self._sums.items()}
        line["frames_per_second"] = self._examples * frames_per_example / self._seconds
        line["waiting_share"] = self._waiting / self._seconds
        self._start()
        return line


def validation_line(scores: Mapping[str, float], prefix: str = "validation_") -> dict[str, float]:
    """Return scores under their names in metrics.jsonl and best.json.

    >>> validation_line({"nats_per_subpixel": 2.0})
    {'validation_nats_per_subpixel': 2.0}
    """
    return {prefix + name: value for name, value in scores.items()}


BEST_KEY = f"validation_{SCORE}"
