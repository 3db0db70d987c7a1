"""Train the small video models alike, over several seeds, and score them: docs/results/equal.json.

python -m experiments.equal_training --drawings sim runs/drawing sim-cameras runs/drawing-cameras

The four kinds train alike on the first data set, from random weights but for the drawing of the
arm, which is learnt before and kept. Then the paper's two conjectures on the drop to an arm that
training never showed: O(T) with mirror and jitter, and on the other data sets, whose cameras differ
more. Complete runs are not repeated."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import tyro

from pixelpush.datasets import open_dataset
from pixelpush.errors import InputError
from pixelpush.eval.likelihood.report import UNITS, ModelScores, Summary
from pixelpush.eval.likelihood.settings import EvalProtocol
from pixelpush.eval.likelihood.videos import TableRow, evaluate
from pixelpush.eval.statistics import mean_and_error
from pixelpush.files import read_json, write_json
from pixelpush.saved import save_model
from pixelpush.vpn import build_model, load_model
from pixelpush.vpn.decoders import KINDS
from pixelpush.vpn.presets import video_config

SPLITS = ("train", "val", "test-seen", "test-novel")
# What a start takes of the model that draws: the drawing, and the units of its vectors.
DRAWING = ("encoder.drawing.", "state_mean", "state_std", "action_mean", "action_std")
AUGMENTED = ("--mirror", "--jitter", "2")


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

    drawings: tuple[str, ...]
    """Two words for every data set to train on: its name, and a model or run whose drawing of the
    arm was learnt on it. The four kinds train on the first."""
    runs: Path = Path("runs/equal")
    """Folder of the run folders."""
    out: Path = Path("docs/results/equal.json")
    """The figures."""
    kinds: tuple[str, ...] = tuple(KINDS)
    """Kinds that train alike."""
    conjectures: bool = True
    """Train O(T) with augmentation, and on the other data sets."""
    examples: int = 1500
    """Clips that every model trains on."""
    episodes: int = 64
    """Episodes of each split of 'sim' that are scored: the first ones."""
    seeds: int = 1
    """Runs of every row, or of those kinds that ``repeated`` names."""
    repeated: tuple[str, ...] = ()
    """Kinds that are trained ``seeds`` times; all other rows then have one run."""
    workers: int = 2
    """Trainings at a time, one thread each."""

    def __post_init__(self):
        if not self.drawings or len(self.drawings) % 2:
            raise InputError("--drawings takes pairs of words: a data set and a model that draws.")

    @property
    def drawn_by(self) -> dict[str, str]:
        """The model that draws, by data set."""
        return dict(zip(self.drawings[::2], self.drawings[1::2], strict=True))

    @property
    def rows(self) -> list[Row]:
        """All ways of training."""
        first, *others = self.drawn_by
        rows = [Row(f"push-{kind}-small", first, self._seeds(kind)) for kind in self.kinds]
        if self.conjectures:
            ways = [(first, AUGMENTED), *((data, ()) for data in others)]
            seeds = 1 if self.repeated else self.seeds
            rows += [Row("push-ot-small", data, seeds, added) for data, added in ways]
        return rows

    def _seeds(self, kind: str) -> int:
        return self.seeds if kind in self.repeated or not self.repeated else 1


def main(options: Options) -> None:
    """Train what is not trained yet, score all, write the report."""
    rows = options.rows
    for row in rows:
        beginning(options, row)
    wanted = [(row, seed) for row in rows for seed in range(row.seeds)]
    with ThreadPoolExecutor(options.workers) as pool:
        list(pool.map(lambda pair: train(options, *pair), wanted))
    write_json(options.out, report(options, rows))


def beginning(options: Options, row: Row) -> Path:
    """A saved model of a row's preset: random weights, and a drawing that is learnt already."""
    folder = options.runs / f"start-{row.preset}-{row.data.replace(':', '')}"
    if folder.exists():
        return folder
    drawing = load_model(options.drawn_by[row.data], family="video")
    shapes = {
        name: getattr(drawing.config, name) for name in ("frame_size", "state_dim", "action_dim")
    }
    config = video_config(row.preset, action_kind=drawing.config.action_kind, **shapes)
    torch.manual_seed(0)
    model = build_model(config.kind, **asdict(config))
    kept = {name: value for name, value in drawing.state_dict().items() if name.startswith(DRAWING)}
    model.load_state_dict({**model.state_dict(), **kept})
    save_model(model, folder)
    return folder


def train(options: Options, row: Row, seed: int) -> None:
    """One run in a process of one thread; nothing where it is complete."""
    folder = row.folder(options.runs, seed)
    asked = {
        "--data": row.data,
        "--run": folder,
        "--start": beginning(options, row),
        "--examples": options.examples,
        "--seed": seed,
        "--validate-examples": options.examples,
        "--set": "data.drawing_episodes=0",
    }
    words = [str(word) for pair in asked.items() for word in pair]
    command = [sys.executable, "-m", "pixelpush", "train", row.preset, *words, "--quiet"]
    command += row.options
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
    splits = {name: open_dataset("sim", name) for name in SPLITS}
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
