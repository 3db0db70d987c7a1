"""Train the small video models alike, over several seeds, and score them: docs/results/equal.json.

python -m experiments.equal_training --runs runs/equal --out docs/results/equal.json

The four kinds train alike. Then O(T log N) trains on few episodes, seen many times, with mirror and
jitter augmentation and without, over several seeds: does augmentation close the gap to the unseen
arm? Complete runs are not repeated."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import tyro

from pixelpush.datasets import open_dataset
from pixelpush.errors import InputError
from pixelpush.eval.likelihood.report import UNITS, ModelScores, Summary
from pixelpush.eval.likelihood.settings import EvalProtocol
from pixelpush.eval.likelihood.videos import TableRow, evaluate
from pixelpush.eval.statistics import mean_and_error
from pixelpush.files import read_json, write_json
from pixelpush.vpn import load_model
from pixelpush.vpn.decoders import KINDS

SPLITS = ("train", "val", "test-seen", "test-novel")
AUGMENTED = ("--mirror", "--jitter", "2")
# In so short a training half-length clips and a lighter motion error learn most in a minute
# (docs/experiments.md).
SHORT = ("--clip-frames", "10", "--set", "motion_weight=0.2")


@dataclass(frozen=True)
class Row:
    """One way of training. seeds: how many runs of it."""

    preset: str
    data: str
    seeds: int = 1
    options: tuple[str, ...] = ()

    def folder(self, runs: Path, seed: int) -> Path:
        """The run folder of one seed."""
        kind = "augmented" if self.options else "plain"
        return runs / f"{self.preset}-{self.data.replace(':', '')}-{kind}-{seed}"


@dataclass(frozen=True)
class Options:
    """What to train and where."""

    runs: Path = Path("runs/equal")
    """Folder of the run folders."""
    out: Path = Path("docs/results/equal.json")
    """The figures."""
    data: str = "sim:2000"
    """Training data of the four kinds: the simulated bin, with this many episodes."""
    few: str = "sim:100"
    """Training data on which augmentation is tried."""
    examples: int = 1500
    """Clips that every model trains on."""
    episodes: int = 64
    """Episodes of each split that are scored: the first ones."""
    seeds: int = 3
    """Seeds with augmentation and without; the four kinds have one."""
    workers: int = 2
    """Trainings at a time, one thread each."""


def main(options: Options) -> None:
    kinds = [Row(f"push-{kind}-small", options.data) for kind in sorted(KINDS)]
    pair = [
        Row("push-otlogn-small", options.few, options.seeds, added) for added in ((), AUGMENTED)
    ]
    rows = [*kinds, *pair]
    wanted = [(row, seed) for row in reversed(rows) for seed in range(row.seeds)]
    with ThreadPoolExecutor(options.workers) as pool:
        list(pool.map(lambda pair: train(options, *pair), wanted))
    write_json(options.out, report(options, rows))


def train(options: Options, row: Row, seed: int) -> None:
    """One run in a process of one thread; nothing where it is complete."""
    folder = row.folder(options.runs, seed)
    asked = {"--data": row.data, "--run": folder, "--examples": options.examples, "--seed": seed}
    asked["--validate-examples"] = options.examples
    words = [str(word) for pair in asked.items() for word in pair]
    command = [
        sys.executable,
        "-m",
        "pixelpush",
        "train",
        row.preset,
        *words,
        *SHORT,
        *row.options,
        "--quiet",
    ]
    done = subprocess.run(
        command, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.DEVNULL
    )
    if done.returncode:
        raise InputError(f"{folder}: training ended with {done.returncode}.")
    print(f"{folder}: trained", flush=True)


def report(options: Options, rows: list[Row]) -> dict[str, Any]:
    """Scores of every run with errors over episodes, and mean and standard error over a row's
    seeds."""
    pairs = [(row, seed) for row in rows for seed in range(row.seeds)]
    folders = [row.folder(options.runs, seed) for row, seed in pairs]
    models = [load_model(folder, family="video") for folder in folders]
    scored = [TableRow(f.name, m.config.kind, m) for f, m in zip(folders, models, strict=True)]
    splits = {
        name: open_dataset(options.data if name == "train" else "sim", name) for name in SPLITS
    }
    found = evaluate(scored, splits, EvalProtocol(), splits["train"], options.episodes)
    trained = list(zip(pairs, folders, found.models, strict=True))
    described = [
        _described(row, [(seed, f, m) for (other, seed), f, m in trained if other == row])
        for row in rows
    ]
    assert found.reference is not None
    floors = {name: found.splits[name].floor for name in SPLITS}
    return {
        "examples": options.examples,
        "units": UNITS,
        "protocol": asdict(found.protocol),
        "episodes": options.episodes,
        "rows": described,
        "reference": {name: _value(found.reference.splits[name]) for name in SPLITS},
        "floor": {name: floor and floor.mean.value for name, floor in floors.items()},
    }


def _described(row: Row, trained: list[tuple[int, Path, ModelScores]]) -> dict[str, Any]:
    """A row of the report: its runs (seed, folder, scores), and the mean over them."""
    runs = [
        {
            "seed": seed,
            "minutes": read_json(folder / "final.json")["seconds"] / 60,
            "splits": {name: _value(model.splits[name]) for name in SPLITS},
        }
        for seed, folder, model in trained
    ]
    by_split = {name: [run["splits"][name]["mean"] for run in runs] for name in SPLITS}
    by_split["drop"] = [
        seen - val for val, seen in zip(by_split["val"], by_split["test-seen"], strict=True)
    ]
    return {
        "preset": row.preset,
        "options": row.options,
        "data": row.data,
        "parameters": trained[0][2].parameters,
        "runs": runs,
        "summary": {name: asdict(mean_and_error(values)) for name, values in by_split.items()},
    }


def _value(found: Summary) -> dict[str, float | None]:
    """Mean and standard error over episodes."""
    return {"mean": found.headline.value, "standard_error": found.headline.standard_error}


if __name__ == "__main__":
    try:
        main(tyro.cli(Options, description=__doc__))
    except InputError as error:
        print(f"equal training: {error}", file=sys.stderr)
        sys.exit(2)
