"""Train a small model on each recorded sample for some minutes, score it beside the reference row,
and roll it out: docs/results/recorded.json and a strip each.

python -m experiments.recorded --stores ~/recorded --out out/recorded
python -m experiments.recorded --stores ~/recorded --out out/convlstm --json out/convlstm.json --set
    encoder=convlstm motion=true encoder_blocks=4                              the papers' encoder

The stores are made by the commands of docs/data.md; none of them is part of the repository.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import tyro

from pixelpush.datasets.store import store_splits
from pixelpush.errors import InputError
from pixelpush.eval.text import text_table
from pixelpush.files import read_json, write_json


@dataclass(frozen=True)
class Options:
    """Which stores, how long, where to."""

    stores: Path
    """Folder of stores, one sub-folder each."""
    out: Path
    """Folder for runs, scores and rollouts."""
    examples: int = 300
    """Clips of each training."""
    preset: str = "push-ot-small"
    """Training preset."""
    only: tuple[str, ...] = ()
    """Names of stores; all, if none is given."""
    set: tuple[str, ...] = ()
    """Further settings of the training, as 'pixelpush train --set' takes them."""
    json: Path = Path("docs/results/recorded.json")
    """The figures."""


@dataclass(frozen=True)
class Recorded:
    """What one sample gave. nats, reference: per sub-pixel on the scored split."""

    scored_split: str
    trained_on_it: bool
    clips: int
    minutes: float
    nats: float
    nats_error: float | None
    reference: float | None


def main(options: Options) -> None:
    """Train, score, roll out, one store after the other; what is done stays done."""
    names = options.only or tuple(sorted(folder.name for folder in options.stores.iterdir()))
    figures = read_json(options.json) if options.json.is_file() else {}
    for name in names:
        found = measure(options, options.stores / name)
        figures[name] = asdict(found)
        write_json(options.json, figures)
        print(text_table([name, ""], [[key, str(value)] for key, value in figures[name].items()]))


def measure(options: Options, store: Path) -> Recorded:
    """Carry out the three commands for one store.

    A store with one split is trained on what it is scored on, and the figures say so."""
    run = options.out / store.name / "run"
    trained = train(options.preset, options.examples, store, run, options.set)
    # Minutes of the whole run, over all its restarts.
    minutes = read_json(run / "final.json")["seconds"] / 60
    scores = options.out / store.name / "nll.json"
    pixelpush(
        *("nll", "--model", run, "--data", store, "--split", trained.scored, "--json", scores),
        *("--reference-split", trained.split, "--quiet"),
    )
    pixelpush(
        *("rollout", "--model", run, "--data", store, "--split", trained.scored),
        *("--out", options.out / store.name / "rollout", "--episodes", "0", "--quiet"),
    )
    nats, error, reference = read(scores, trained.scored)
    return Recorded(
        *(trained.scored, trained.on_it, options.examples, round(minutes, 1)),
        *(nats, error, reference),
    )


@dataclass(frozen=True)
class Trained:
    """On which split a model was trained, and which one is left to score it on."""

    split: str
    scored: str

    @property
    def on_it(self) -> bool:
        """Trained on what it is scored on."""
        return self.split == self.scored


def train(
    preset: str, examples: int, store: Path, run: Path, settings: tuple[str, ...] = ()
) -> Trained:
    """Train on ``train`` and leave ``test``; on the same split where the store has but one.

    A run that is finished is left as it is."""
    splits = list(store_splits(store))
    if not splits:
        raise InputError(f"{store}: no split; prepare the data first.")
    split = "train" if "train" in splits else splits[0]
    set_all = [word for setting in settings for word in ("--set", setting)]
    pixelpush(
        *("train", preset, "--data", store, "--run", run, "--examples", examples),
        *("--train-split", split, "--validation-split", "val" if "val" in splits else "none"),
        *("--quiet", "--set", "schedule.warmup_examples=30", *set_all),
    )
    return Trained(split, "test" if "test" in splits else splits[-1])


def pixelpush(*arguments: object) -> None:
    """Run one command of the command line; a failure ends all."""
    command = [sys.executable, "-m", "pixelpush", *map(str, arguments)]
    subprocess.run(command, check=True)


def read(path: Path, split: str) -> tuple[float, float | None, float | None]:
    """(nats, their standard error, the reference row's) per sub-pixel from the JSON of ``nll``."""
    scores = read_json(path)["models"][0]["splits"][split]
    above = scores.get("above_reference")
    reference = above and scores["nats_per_subpixel"] - above["nats_per_subpixel"]
    values = scores["nats_per_subpixel"], scores.get("standard_error"), reference
    nats, error, usual = (None if value is None else round(value, 4) for value in values)
    assert nats is not None
    return nats, error, usual


if __name__ == "__main__":
    main(tyro.cli(Options))
