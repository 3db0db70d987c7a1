"""The training loop: the same for every task, every number of processes, and for a new or a resumed
run."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn

from pixelpush.errors import InputError
from pixelpush.files import read_json, write_json
from pixelpush.saved import (
    WEIGHTS,
    SavedModel,
    built_empty,
    check_tensors,
    find_saved,
    load_tensors,
)
from pixelpush.training import checkpoint
from pixelpush.training.average import new_average, update_average
from pixelpush.training.checkpoint import Progress, TrainState
from pixelpush.training.config import RunOptions, TrainConfig
from pixelpush.training.data import Batch, Share, read_ahead
from pixelpush.training.devices import agree, make_fabric, on_first
from pixelpush.training.divergence import divergence, first_non_finite_gradient
from pixelpush.training.interrupt import Clock, stopping_on_signals
from pixelpush.training.metrics import Metrics, Window
from pixelpush.training.optimizer import build_optimizer, set_learning_rate
from pixelpush.training.run_folder import begin_or_resume, locked
from pixelpush.training.schedule import make_schedule
from pixelpush.training.seeding import seed_torch
from pixelpush.training.step import StepResult, Wrapped, everyones_names, train_step
from pixelpush.training.task import Task
from pixelpush.training.trackers import Tracker, check_trackers, open_trackers
from pixelpush.training.validation import final_evaluation, validate, validation_interval

# Draws sample pictures of a model into a folder; given by the packages above this one.
DrawSamples = Callable[[nn.Module, Path], None]


@dataclass
class Run:
    """One call of ``train``: what is trained, how, where.

    >>> [name for name in Run.__dataclass_fields__][:3]
    ['task', 'config', 'options']
    """

    task: Task
    config: TrainConfig
    options: RunOptions
    folder: Path
    state: TrainState
    wrapped: Wrapped
    metrics: Metrics | None  # in the first process only
    draw_samples: DrawSamples | None = None

    @cached_property
    def validate_every(self) -> int:
        """Examples between two validations."""
        return validation_interval(self.task, self.config, self.options)

    @property
    def fabric(self) -> Fabric:
        """Fabric itself."""
        return self.wrapped.fabric


def train(
    task: Task,
    config: TrainConfig,
    folder: str | Path,
    options: RunOptions | None = None,
    about: Mapping[str, Any] | None = None,
    draw_samples: DrawSamples | None = None,
) -> Progress:
    """Train until the planned examples are seen or the options' minutes are over.

    A run that is in the folder goes on from its newest save; the same call again continues. Every
    process of a process group calls this. about: JSON values for config.json. Raises InputError for
    a user's mistake, a full disk and damaged data, and its subclass DivergenceError where a loss, a
    gradient or a weight is not finite.

    >>> import tempfile
    >>> import numpy as np
    >>> from pixelpush.datasets.image_sets import ImageArrays
    >>> from pixelpush.image.presets import image_config
    >>> from pixelpush.training.config import DataConfig
    >>> from pixelpush.training.image_task import ImageTask
    >>> plain = ImageArrays("plain", np.zeros((4, 3, 4, 4), np.uint8))
    >>> model = image_config("pixelcnn", image_size=4, channels=2, layers=1, hidden=4)
    >>> task = ImageTask(model, DataConfig(), plain)
    >>> options = RunOptions(accelerator="cpu", quiet=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     train(task, TrainConfig(batch_size=2, examples=4), folder, options).steps
    2
    """
    folder = Path(folder)
    options = options or RunOptions()
    check_trackers(options.track)
    fabric = make_fabric(options)
    # Refuses too small a batch early.
    Share(0, fabric.world_size, options.accumulate).pieces(0, config.batch_size)
    with contextlib.ExitStack() as stack:
        on_first(fabric, lambda: stack.enter_context(locked(folder)))
        on_first(fabric, lambda: _check_start(folder, task, config.start))
        on_first(fabric, lambda: begin_or_resume(folder, config, task.describe(), about or {}))
        on_first(fabric, lambda: checkpoint.clear_leftovers(folder))
        save = on_first(fabric, lambda: checkpoint.newest_sound_save(folder))
        state, wrapped = _set_up(fabric, task, config, options, save)
        metrics = None
        seen = state.progress.examples
        trackers: list[Tracker] = []

        def track() -> None:
            description = read_json(folder / "config.json")
            trackers.extend(open_trackers(options.track, folder, seen, description))

        on_first(fabric, track)
        if fabric.global_rank == 0:
            quiet = options.quiet or seen >= config.examples
            metrics = Metrics(folder, config.examples, seen, trackers, quiet)
            stack.enter_context(metrics)
            checkpoint.write_best(folder, state.progress)
        run = Run(task, config, options, folder, state, wrapped, metrics, draw_samples)
        try:
            _loop(run)
            if state.progress.examples >= config.examples:
                final_evaluation(run)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(what_holds(folder)) from None
    return state.progress


def what_holds(folder: Path) -> str:
    """Return in words what is left of an interrupted run.

    >>> what_holds(Path("no-such-run"))
    'nothing is saved yet; the same command begins again.'
    """
    saves = checkpoint.complete_saves(folder)
    if not saves:
        return "nothing is saved yet; the same command begins again."
    return (
        f"{saves[-1]} holds the run after {int(saves[-1].name)} examples; the same command "
        "continues from there."
    )


def _check_start(folder: Path, task: Task, start: str) -> None:
    """Refuse missing weights, and those of another model, before config.json names them."""
    if start and not (folder / "config.json").is_file():
        model = built_empty(task.build_model)
        saved = find_saved(start)
        check_tensors(saved.folder / WEIGHTS, model.state_dict(), _shared_part(saved, model))


def _shared_part(start: SavedModel, model: Any) -> str:
    """The prefix of the tensors that a run takes from the weights that it starts from.

    All of them, but of a video model with another decoder the frame encoder alone."""
    videos = start.family == model.family == "video"
    return "encoder." if videos and start.config.get("kind") != model.config.kind else ""


def _set_up(
    fabric: Fabric, task: Task, config: TrainConfig, options: RunOptions, save: Path | None
) -> tuple[TrainState, Wrapped]:
    seed_torch(config.seed, "model")
    model = task.build_model()
    if save is None:
        seed_torch(config.seed, "initialise")
        task.initialise(model, config.seed)
        if config.start:
            saved = find_saved(config.start)
            part = _shared_part(saved, model)
            accept = partial(model.load_state_dict, strict=not part)
            load_tensors(saved.folder / WEIGHTS, model.state_dict(), accept, part)
    if options.checkpointing:
        if not hasattr(model, "set_checkpointing"):
            raise InputError(
                "this model has no activation checkpointing; leave --checkpointing out."
            )
        model.set_checkpointing(True)  # type: ignore[operator]
    for parameter in model.parameters():
        # Filters of convolutions. Maps are kept channels last, and filters of that layout spare a
        # copy in every call.
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    optimizer = build_optimizer(config.optimizer, model)
    module = torch.compile(model) if options.compile else model
    wrapped = Wrapped(fabric, *fabric.setup(module, optimizer))  # type: ignore[arg-type]
    model.train()
    average = new_average(model) if config.ema_decay else None
    state = TrainState(task.family, model, average, optimizer)
    if save is not None:
        checkpoint.restore(save, state)
    return state, wrapped


def _loop(run: Run) -> None:
    progress = run.state.progress
    config = run.config
    options = run.options
    if progress.examples >= config.examples:
        return
    fabric = run.fabric
    schedule = make_schedule(config.schedule)
    clock = Clock(options.minutes, options.save_minutes)
    window = Window()
    feed = read_ahead(
        run.task,
        config.seed,
        progress.examples,
        config.batch_size,
        Share(fabric.global_rank, fabric.world_size, options.accumulate),
        options.workers,
        pinned=fabric.device.type == "cuda",
    )
    with contextlib.closing(feed), stopping_on_signals(clock):  # type: ignore[type-var]
        while progress.examples < config.examples:
            begin = time.perf_counter()
            pieces, failure = _next(feed)
            waiting = time.perf_counter() - begin
            # All processes stop, save or fail in the same step: one alone would leave the others
            # waiting.
            stop, save = agree(fabric, clock.requests(), failure or _failure(run))
            factor = schedule.factor(progress.examples, config.examples)
            rate = config.optimizer.learning_rate * factor
            set_learning_rate(run.state.optimizer, rate)
            result = train_step(run.wrapped, run.task, run.state, config, pieces)
            if not result.finite:
                _stop_diverged(run, result, pieces)
            progress.examples += config.batch_size
            progress.steps += 1
            if run.state.average is not None:
                update_average(run.state.average, run.state.model, config.ema_decay, progress.steps)
            seconds = time.perf_counter() - begin
            progress.seconds += seconds
            window.add(result.losses, config.batch_size, seconds, waiting)
            _report(run, result, window, rate)
            if _finish_step(run, stop or save):
                clock.saved()
            if stop:
                _say_stopped(run)
                break
    # A failure of the last step, such as a full disk, reaches the others too.
    agree(fabric, (), _failure(run))


def _say_stopped(run: Run) -> None:
    seen = run.state.progress.examples
    if run.metrics and seen < run.config.examples:
        run.metrics.say(
            f"stopped after {seen} of {run.config.examples} examples: {what_holds(run.folder)}"
        )


def _next(feed: Iterator[list[Batch]]) -> tuple[list[Batch], InputError | None]:
    """The next batch's pieces, or the error in reading them."""
    try:
        return next(feed), None
    except InputError as error:
        return [], error


def _failure(run: Run) -> InputError | None:
    """What went wrong in this process alone since the last agreement."""
    return None if run.metrics is None else run.metrics.failure


def _report(run: Run, result: StepResult, window: Window, rate: float) -> None:
    progress = run.state.progress
    config = run.config
    interval = run.options.log_examples or 10 * config.batch_size
    if run.metrics is None:
        return
    name = run.task.headline
    run.metrics.step(config.batch_size, name, result.losses[name])
    if progress.steps == 1 or _due(run, interval):
        line = {
            "step": progress.steps,
            **window.take(run.task.frames_per_example),
            "learning_rate": rate,
            "seconds": progress.seconds,
        }
        if run.fabric.device.type == "cuda":
            line["peak_memory_gb"] = torch.cuda.max_memory_allocated() / 1e9
        run.metrics.write(progress.examples, line)


def _finish_step(run: Run, save_now: bool) -> bool:
    """Validate, draw and save where this step calls for it; whether a save was written."""
    config = run.config
    options = run.options
    progress = run.state.progress
    usual = max(config.examples // 20, config.batch_size)
    improved = _due(run, run.validate_every) and validate(run)
    draw = run.draw_samples
    if options.sample_examples and _due(run, options.sample_examples) and draw is not None:
        samples = run.folder / "samples" / f"{progress.examples:010d}"
        on_first(run.fabric, lambda: draw(run.state.evaluated, samples))
        run.state.model.train()
    if not (improved or save_now or _due(run, options.save_examples or usual)):
        return False
    on_first(run.fabric, lambda: checkpoint.write_save(run.folder, run.state, options.keep))
    return True


def _due(run: Run, interval: int) -> bool:
    """Whether this step crossed a multiple of ``interval`` examples, or was the last one."""
    after = run.state.progress.examples
    return (
        after - run.config.batch_size
    ) // interval != after // interval or after >= run.config.examples


def _stop_diverged(run: Run, result: StepResult, pieces: list[Batch]) -> None:
    progress = run.state.progress
    names = everyones_names(run.fabric, pieces)
    saves = checkpoint.complete_saves(run.folder)
    parameter = first_non_finite_gradient(run.state.model)
    error = divergence(
        progress.steps + 1,
        progress.examples,
        result.losses,
        parameter,
        names,
        saves[-1] if saves else None,
    )
    if run.metrics is not None:
        losses = {name: repr(value) for name, value in result.losses.items()}
        report = {"step": progress.steps + 1, "examples": progress.examples, "losses": losses}
        write_json(
            run.folder / "divergence.json", {**report, "parameter": parameter, "batch": names}
        )
    raise error
