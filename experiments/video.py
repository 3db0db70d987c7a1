"""Speed and memory of a video model: training, likelihood, rollout, and reading.

    python -m experiments.video [--model push-ot-small paper-ot] [--device cpu] [--data STORE]
    [--json FILE]

Every model runs in a process of its own, so that its peak memory is its own. Each figure is the
median of ``--repeats`` runs after one for warming up; batch sizes are printed beside it. Nothing
here is a test."""

from __future__ import annotations

import json
import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import tyro


@dataclass(frozen=True)
class Options:
    """What to measure."""

    model: tuple[str, ...] = ("push-ot-small", "paper-ot")
    """Model presets."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where to compute."""
    data: str = ""
    """Prepared data set for the reading figures; left out: a store of random frames, made for the
    purpose."""
    train_batch: int = 4
    """Clips of 20 frames in a training step (1 for paper-* on a CPU)."""
    repeats: int = 3
    """Runs per figure."""
    json: Path | None = None
    """Write the figures here."""


def main(options: Options) -> None:
    from pixelpush.eval.speed.videos import hardware
    from pixelpush.files import write_json

    report: dict[str, Any] = {
        "hardware": hardware(options.device),
        "reading": reading(options),
        "models": {},
    }
    print(report["hardware"])
    print(f"reading: {report['reading']['frames_per_second']:.0f} frames/s on one core")
    print(f"training waits for data {100 * report['reading']['waiting_share']:.2f}% of the time")
    for name in options.model:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            found = report["models"][name] = pool.apply(measure_model, (name, options))
        print(f"\n{name} ({found['parameters'] / 1e6:.2f}M parameters, {options.device})")
        for key, value in found.items():
            print(
                f"  {key.replace('_', ' '):<44}{value:.4g}"
                if isinstance(value, float)
                else f"  {key}: {value}"
            )
    if options.json is not None:
        write_json(options.json, report)


def median_seconds(action: Callable[[], object], options: Options) -> float:
    """Median wall seconds of ``action`` after one run for warming up."""
    import torch

    seconds = []
    for run in range(options.repeats + 1):
        begin = time.perf_counter()
        action()
        if options.device == "cuda":
            torch.cuda.synchronize()
        if run:
            seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)


def measure_model(name: str, options: Options) -> dict[str, Any]:
    """Training frames/s, likelihood frames/s, rollout ms/frame at batch 1 and 16, peak memory."""
    import torch

    from pixelpush.vpn import build_model

    model = build_model(name).to(options.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    large_on_cpu = name.startswith("paper-") and options.device == "cpu"
    batch = 1 if large_on_cpu else options.train_batch
    generator = torch.Generator().manual_seed(0)

    def video(count: int, length: int = 20) -> list[torch.Tensor]:
        size = model.config.frame_size
        frames = torch.randint(
            0, 256, (count, length, 3, size, size), dtype=torch.uint8, generator=generator
        )
        vectors = [torch.randn(count, length, 5, generator=generator) for _ in range(2)]
        return [x.to(options.device) for x in (frames, *vectors)]

    clips = video(batch, 6 if large_on_cpu else 20)
    optimizer = torch.optim.AdamW(model.parameters())

    def train() -> None:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(options.device, torch.bfloat16):
            loss = model(*clips)["loss"]
        loss.backward()
        optimizer.step()

    def score() -> None:
        with torch.inference_mode():
            model.log_prob(*clips)

    def roll(count: int) -> Callable[[], None]:
        frames, states, actions = video(count, 4)
        return lambda: model.rollout(frames[:, :2], states, actions, generator=generator) and None

    trained, scored = median_seconds(train, options), median_seconds(score, options)
    rolled = {count: median_seconds(roll(count), options) / 2 for count in (1, 16)}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    if options.device == "cuda":
        peak = torch.cuda.max_memory_allocated() / 2**30
    frames = clips[0].shape[0] * clips[0].shape[1]
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        f"training_frames_per_second_bf16_batch_{batch}x{clips[0].shape[1]}": frames / trained,
        "log_prob_frames_per_second_float32": frames / scored,
        "rollout_ms_per_frame_batch_1": 1000 * rolled[1],
        "rollout_ms_per_frame_batch_16": 1000 * rolled[16] / 16,
        "peak_memory_gib": peak,
    }


def reading(options: Options) -> dict[str, float]:
    """Frames decoded a second by one core, in a shuffled order."""
    import numpy as np

    from pixelpush.datasets import Episode, open_dataset
    from pixelpush.datasets.order import epoch_order
    from pixelpush.datasets.store import write_store

    with tempfile.TemporaryDirectory() as folder:
        name = options.data
        if not name:
            draw = np.random.default_rng(0)

            def episode(number: int) -> Episode:
                smooth = np.cumsum(draw.integers(-2, 3, (20, 3, 64, 64)), axis=-1) + 128
                vectors = np.zeros((20, 5), np.float32)
                return Episode(
                    smooth.clip(0, 255).astype(np.uint8), vectors, vectors, f"random-{number}"
                )

            name = str(Path(folder) / "store")
            write_store(
                name, {"train": (episode(number) for number in range(64))}, {"source": "random"}
            )
        episodes = open_dataset(name, "train")
        order = epoch_order(0, 0, len(episodes))
        begin = time.perf_counter()
        frames = sum(len(episodes[int(index)].frames) for index in order)
        seconds = time.perf_counter() - begin
        share = waiting_share(name, Path(folder) / "run", options.device)
        return {
            "frames": float(frames),
            "frames_per_second": frames / seconds,
            "waiting_share": share,
        }


def waiting_share(data: str, run: Path, device: str) -> float:
    """Share of the time that the last steps of a short training of push-ot-small waited for
    data."""
    from pixelpush.training.commands import run_training
    from pixelpush.training.config import RunOptions
    from pixelpush.training.options import PresetChanges, TrainingData

    accelerator: Literal["cpu", "cuda"] = "cuda" if device == "cuda" else "cpu"
    source = TrainingData(data, validation_split="none")
    options = RunOptions(accelerator=accelerator, log_examples=24, quiet=True)
    run_training("push-ot-small", source, run, PresetChanges(examples=48), (), options)
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return float([line["waiting_share"] for line in lines if "waiting_share" in line][-1])


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
