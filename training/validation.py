"""Scoring the validation split: on the way, within a share of the time, and once at the end."""

from __future__ import annotations

import math
import sys
import time
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from pixelpush.files import read_json, write_json
from pixelpush.progress import Advance, Progress, progress_bar, silent
from pixelpush.training import checkpoint
from pixelpush.training.config import RunOptions, TrainConfig
from pixelpush.training.devices import agree, on_first
from pixelpush.training.metrics import BEST_KEY, validation_line
from pixelpush.training.task import Task

if TYPE_CHECKING:
    from pixelpush.training.loop import Run

_SHARE = 0.1  # of the time, for validation on the way
_TIMES = 20  # validations in a run that is long enough for them


def validation_interval(task: Task, config: TrainConfig, options: RunOptions) -> int:
    """Return after how many examples to validate.

    Where the options leave it open: twenty times in a run, but so seldom that validation takes at
    most a tenth of the work. Work is counted and not timed, so that the same command validates at
    the same examples on every machine.

    >>> from pixelpush.training.image_task import ImageTask
    >>> import numpy as np
    >>> from pixelpush.datasets.image_sets import ImageArrays
    >>> from pixelpush.image.presets import image_config
    >>> plain = ImageArrays("plain", np.zeros((30, 3, 4, 4), np.uint8))
    >>> model = image_config("pixelcnn", image_size=4, channels=2, layers=1, hidden=4)
    >>> task = ImageTask(model, TrainConfig(1, 4).data, plain, plain)
    >>> validation_interval(task, TrainConfig(1, 4000), RunOptions())
    200
    >>> validation_interval(task, TrainConfig(1, 40), RunOptions())  # 30 images cost 10 examples
    90
    """
    if options.validate_examples:
        return options.validate_examples
    cost = task.validation_cost(options.validation_items)
    # cost / (cost + n) <= share  <=>  n >= cost (1 - share) / share
    least = math.ceil(cost * (1 - _SHARE) / _SHARE)
    return max(config.examples // _TIMES, config.batch_size, least)


def validate(run: Run) -> bool:
    """Score the first validation items; return whether this is the best score so far.

    >>> validate.__annotations__["return"]
    'bool'
    """
    progress = run.state.progress
    begin = time.monotonic()
    scores = _evaluate(run, run.options.validation_items, silent)
    if not scores:
        return False
    line = validation_line(scores)
    value = line[BEST_KEY]
    best = progress.best is None or value < progress.best[BEST_KEY]
    if run.metrics is not None:
        run.metrics.write(progress.examples, line)
        run.metrics.say(
            f"{progress.examples} examples: validation {value:.4f} nats per sub-pixel"
            f"{', the best so far' if best else ''} ({time.monotonic() - begin:.0f} s)"
        )
    if best:
        save = checkpoint.save_path(run.folder, progress.examples).name
        progress.best = {"save": save, BEST_KEY: value}
    return best


def _evaluate(run: Run, limit: int | None, progress: Progress) -> dict[str, float]:
    scores = run.task.evaluate(
        run.state.evaluated, limit, run.fabric.device, run.config.precision, progress
    )
    run.state.model.train()
    return scores


def _final_bar(total: int, name: str) -> AbstractContextManager[Advance]:
    """The bar of the end: what is going on, in the place of a training bar that stands at 100%."""
    return progress_bar(total, "final scoring")


def final_evaluation(run: Run) -> None:
    """Score the whole validation split, once, when the run is complete: run/final.json.

    >>> final_evaluation.__annotations__["return"]
    'None'
    """
    path = run.folder / "final.json"
    # A run that was prolonged since has another final score.
    if on_first(
        run.fabric,
        lambda: path.is_file() and read_json(path).get("examples") == run.state.progress.examples,
    ):
        if run.metrics and not run.options.quiet:
            print(f"{run.folder}: this run is complete; see {path}.", file=sys.stderr)
        return
    progress = run.state.progress
    shown = run.metrics is not None and not run.options.quiet
    if run.metrics is not None:
        run.metrics.close_bar()
    scores = _evaluate(run, None, _final_bar if shown else silent)
    line = validation_line(scores, "whole_validation_")
    if run.metrics is not None and line:
        run.metrics.write(progress.examples, line)
        value = validation_line(scores)[BEST_KEY]
        run.metrics.say(
            f"final scoring, the whole validation split: {value:.4f} nats per sub-pixel"
        )
    report = {"examples": progress.examples, "seconds": progress.seconds, **line}
    on_first(run.fabric, lambda: write_json(path, report))
    agree(run.fabric, (), None if run.metrics is None else run.metrics.failure)
