"""Training throughput against the number of processes on one machine's CPU (gloo), with a small
video model.

    python -m experiments.processes [--processes 1 2] [--examples 400] [--json FILE]

Each figure is the median over the run's metrics but the first line, of ``pixelpush train`` on a
store of random frames, one thread a process. Weak scaling would keep the batch of a process; here,
as in training, the batch is that of all processes together. Nothing here is a test."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

SIZE, FRAMES = 32, 10
SETTINGS = (
    "channels=16",
    "encoder_blocks=2",
    "lstm_channels=16",
    "decoder_channels=16",
    "components=5",
)


@dataclass(frozen=True)
class Options:
    """What to measure."""

    processes: tuple[int, ...] = (1, 2)
    """Numbers of processes."""
    batch_size: int = 8
    """Clips of 10 frames of 32x32 in a batch, over all processes."""
    examples: int = 400
    """Clips to train on in each run."""
    json: Path | None = None
    """Write the figures here."""


def main(options: Options) -> None:
    from pixelpush.eval.speed.videos import hardware
    from pixelpush.files import write_json

    report: dict[str, Any] = {
        "hardware": hardware("cpu"),
        "cores": os.cpu_count(),
        "batch_size": options.batch_size,
        "model": f"push-ot-small, {SIZE}x{SIZE}, {', '.join(SETTINGS)}, bf16",
        "examples_per_second": {},
    }
    print(
        f"{report['hardware']}; {report['cores']} cores; {report['model']}; batch of "
        f"{options.batch_size}"
    )
    with tempfile.TemporaryDirectory() as folder:
        store = random_store(Path(folder) / "store")
        for count in options.processes:
            speed = throughput(store, Path(folder) / f"run-{count}", count, options)
            report["examples_per_second"][count] = speed
            first = report["examples_per_second"][options.processes[0]]
            print(f"{count} processes: {speed:.1f} examples/s, {speed / first:.2f} times the first")
    if options.json is not None:
        write_json(options.json, report)


def throughput(store: Path, run: Path, processes: int, options: Options) -> float:
    """Median examples per second, over all processes."""
    command = [
        sys.executable,
        "-m",
        "pixelpush",
        "train",
        "push-ot-small",
        "--data",
        str(store),
        "--run",
        str(run),
    ]
    command += [
        "--accelerator",
        "cpu",
        "--devices",
        str(processes),
        "--validation-split",
        "none",
        "--quiet",
    ]
    command += ["--batch-size", str(options.batch_size), "--examples", str(options.examples)]
    command += ["--clip-frames", str(FRAMES), "--log-examples", str(5 * options.batch_size)]
    command += [word for setting in SETTINGS for word in ("--set", setting)]
    done = subprocess.run(
        command, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    rates = [line["frames_per_second"] / FRAMES for line in lines if "frames_per_second" in line]
    return statistics.median(rates[1:])


def random_store(path: Path) -> Path:
    """64 episodes of noise."""
    import numpy as np

    from pixelpush.datasets import Episode
    from pixelpush.datasets.store import write_store

    draw = np.random.default_rng(0)

    def episode(number: int) -> Episode:
        frames = draw.integers(0, 256, (FRAMES, 3, SIZE, SIZE), dtype=np.uint8)
        vectors = draw.normal(size=(FRAMES, 5)).astype(np.float32)
        return Episode(frames, vectors, vectors, f"random-{number}")

    return write_store(
        path, {"train": (episode(number) for number in range(64))}, {"source": "random"}
    )


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
