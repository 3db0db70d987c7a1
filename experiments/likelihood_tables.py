"""Regenerate the tables and figures of docs/likelihood.md: one command.

python -m experiments.likelihood_tables
python -m experiments.likelihood_tables --only coding stream
python -m experiments.likelihood_tables --sets sim push-ot-small val droid runs/droid test

Every set is three words: data, model, split. On 'sim' the coding table is made with and without
sensor noise, and the ROC has the held-out arm and the novel objects. JSON goes to
docs/results/likelihood, pictures to docs/likelihood. Single-threaded.

A table is made again where its JSON is of other weights, data or amounts; so a run that was stopped
goes on with the table that it was at. --ahead makes what needs no model: it can be done while the
weights are still learning."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import tyro

from experiments.futures import futures
from experiments.kept import kept
from experiments.pages import fenced, fill
from experiments.stream_speed import stream_speed, stream_text
from experiments.subjects import Subject, read_subjects
from pixelpush.datasets import is_simulated
from pixelpush.datasets.episodes import Episode
from pixelpush.errors import InputError
from pixelpush.eval.calibration import calibration, calibration_figure, coverage_text
from pixelpush.eval.clips import pixel_nats
from pixelpush.eval.coding.table import (
    CodecRow,
    codec_figure,
    codec_json,
    codec_table,
    codec_text,
    rival_rows,
)
from pixelpush.eval.listening.counterfactuals import some_pairs
from pixelpush.eval.listening.following import following_text, measure_following
from pixelpush.eval.listening.measure import listen
from pixelpush.eval.listening.report import listening_figure, listening_json, listening_text
from pixelpush.eval.surprise.report import Watched, roc_figure, roc_text, write_strips
from pixelpush.eval.surprise.roc import roc
from pixelpush.eval.surprise.usual import learn_usual
from pixelpush.eval.text import text_table


@dataclass(frozen=True)
class Options:
    """What to measure, and how much of it."""

    sets: tuple[str, ...] = ("sim", "push-ot-small", "test-seen")
    """Three words a set: data, model, split."""
    only: tuple[str, ...] = ()
    """Names of tables; all, if none is given."""
    again: bool = False
    """Make the tables again, whatever there is of them."""
    ahead: bool = False
    """Make only what needs no model: the pairs' futures, the other codecs' rows."""
    coded: int = 16
    """Episodes that are coded."""
    heard: int = 32
    """Episodes on which the model is told lies."""
    watched: int = 64
    """Episodes for surprise and the ROC, of each split."""
    counterfactuals: int = 250
    """Pairs of futures on a simulated bin; 0 leaves them out."""
    samples: int = 2
    """Futures that are sampled of every push that misses, and of its hit."""
    calibrated: int = 4
    """Episodes for the rank histograms."""
    streamed: int = 60
    """Frames that a stream is timed on."""
    false_alarms: float = 0.01
    """Rate of the ROC's alarms."""
    results: Path = Path("docs/results/likelihood")
    """Folder for the JSON."""
    figures: Path = Path("docs/likelihood")
    """Folder for the pictures."""
    futures: Path = Path("out/futures")
    """Folder where simulated futures are kept."""
    page: Path | None = Path("docs/likelihood.md")
    """Page whose tables are replaced; None for none."""


@dataclass(frozen=True)
class Table:
    """One table of the page. make: its figures as JSON values, "text" among them. amounts: the
    options that it depends on. unit: what the first of them counts."""

    make: Callable[[Subject, Options], dict[str, Any]]
    amounts: tuple[str, ...]
    unit: str
    of_simulated_alone: bool = False


def main(options: Options) -> None:
    """Make every table of every set, and fill the page with them."""
    torch.set_num_threads(1)
    unknown = [name for name in options.only if name not in TABLES]
    if unknown:
        raise InputError(f"--only {unknown[0]}: no such table; there are {', '.join(TABLES)}.")
    subjects = list(read_subjects(options.sets))
    if options.ahead:
        for subject in subjects:
            make_ahead(subject, options)
        return
    texts: dict[str, list[str]] = {}
    made: list[list[str]] = []
    for subject in subjects:
        for name in options.only or tuple(TABLES):
            found = figures_of(subject, name, options)
            if found is not None:
                print(f"\n{found['text']}", flush=True)
                texts.setdefault(name, []).append(found["text"])
                made.append(made_row(subject, name, found))
    header = ["table", "of", "weights", "made", "core minutes", "load"]
    about = text_table(header, made)
    print(f"\n{about}")
    if options.page is not None:
        filled = {name: fenced(*parts) for name, parts in texts.items()}
        # The table of all tables is true only where all were looked at.
        fill(options.page, filled if options.only else filled | {"made": fenced(about)})


def figures_of(subject: Subject, name: str, options: Options) -> dict[str, Any] | None:
    """The figures of one table, made or kept; None where the data cannot have it."""
    table = TABLES[name]
    if table.of_simulated_alone and not (is_simulated(subject.data) and options.counterfactuals):
        return None
    return kept(
        options.results / f"{subject.stem}-{name}.json",
        subject.of() | {amount: getattr(options, amount) for amount in table.amounts},
        lambda: table.make(subject, options),
        options.again,
    )


def made_row(subject: Subject, name: str, found: Mapping[str, Any]) -> list[str]:
    """What a table is of, and when and how it was made."""
    table, made = TABLES[name], found["made"]
    return [
        name,
        f"{subject.title}, {found['of'][table.amounts[0]]} {table.unit}",
        found["of"]["model_sha256"][:8],
        made["date"],
        f"{made['core_minutes']:.1f}",
        f"{made['load']:.1f}",
    ]


def make_ahead(subject: Subject, options: Options) -> None:
    """What needs no model."""
    for noise in noises(subject):
        rivals(subject, options, noise)
    if is_simulated(subject.data):
        simulated(subject, options)


def noises(subject: Subject) -> tuple[bool, ...]:
    return (True, False) if is_simulated(subject.data) else (True,)


def rivals(subject: Subject, options: Options, noise: bool) -> dict[str, Any]:
    """Every other codec on the episodes that are coded: they need no model, and are kept apart."""
    episodes = subject.episodes(subject.split, options.coded, noise)
    digest = hashlib.sha256(b"".join(episode.frames.tobytes() for episode in episodes))
    place = f"{Path(subject.data).name.replace(':', '-')}-{subject.split}"
    return kept(
        options.results / f"{place}{'' if noise else '-noiseless'}-rivals.json",
        {"frames_sha256": digest.hexdigest(), "episodes": len(episodes)},
        lambda: codec_json(*rival_rows(episodes, subject.scoring.clip_frames)),
        # They are dear, and 'again' is for what a model does.
        again=False,
    )


def coding(subject: Subject, options: Options) -> dict[str, Any]:
    """Bits per sub-pixel beside PNG, WebP, JPEG XL, FFV1, x264 and x265."""
    texts = []
    tables = {}
    for noise in noises(subject):
        others = rivals(subject, options, noise)
        episodes = subject.episodes(subject.split, options.coded, noise)
        scoring = subject.scoring
        own, _ = codec_table(
            subject.model, subject.name, episodes, scoring.context, scoring.clip_frames, rivals=()
        )
        rows = [*(CodecRow(**row) for row in others["rows"]), *own]
        title = f"{subject.data}/{subject.split}" + ("" if noise else ", without sensor noise")
        missing = others["missing"]
        texts.append("\n".join([f"{title}, {len(episodes)} episodes", codec_text(rows), *missing]))
        tables[title] = rows, missing
    codec_figure(
        {title: rows for title, (rows, _) in tables.items()},
        options.figures / f"{subject.stem}-coding.png",
    )
    return {
        "torch": torch.__version__,
        "tables": {title: codec_json(*table) for title, table in tables.items()},
        "text": "\n\n".join(texts),
    }


def listening(subject: Subject, options: Options) -> dict[str, Any]:
    """What false actions cost."""
    episodes = subject.episodes(subject.usual, options.heard)
    found = listen(subject.model, episodes, subject.scoring)
    picture = episodes[0].frames[len(episodes[0].frames) // 2]
    listening_figure(found, picture, options.figures / f"{subject.stem}-listening.png")
    # Without the maps, which the figure shows.
    return {
        **listening_json(found, subject.name, maps=False),
        "text": listening_text(found, f"{subject.name} on {subject.data}/{subject.usual}"),
    }


def simulated(subject: Subject, options: Options) -> list[Any]:
    """True counterfactuals, which only a simulator knows."""
    laboratory = subject.data.split(":")[0]
    pairs = some_pairs(options.counterfactuals)
    folder = options.futures / subject.identity()[:12]
    return futures(laboratory, subject.model.config.frame_size, pairs, folder)


def following(subject: Subject, options: Options) -> dict[str, Any]:
    """Followed or not, and optimism."""
    pairs = simulated(subject, options)
    report = measure_following(subject.model, pairs, subject.scoring, options.samples)
    return {**asdict(report), "text": following_text(report, subject.name)}


def surprise(subject: Subject, options: Options) -> dict[str, Any]:
    """The ROC of every trouble, and the strangest ten moments of the split."""
    usual_episodes = subject.episodes(subject.usual, options.watched)
    watched = subject.episodes(subject.split, options.watched)
    unlike: dict[str, tuple[Sequence[Episode], Sequence[Episode] | None]] = {}
    if is_simulated(subject.data):
        seen = subject.episodes("test-seen", options.watched)
        novel = subject.episodes("test-novel", options.watched)
        unlike = {"held-out arm": (seen, None), "novel objects": (novel, seen)}
    report = roc(subject.model, usual_episodes, unlike, subject.scoring, options.false_alarms)
    roc_figure(report, options.figures / f"{subject.stem}-roc.png")
    strips = options.figures / f"{subject.stem}-strangest.png"
    write_strips(strips, watch(subject, usual_episodes, watched))
    title = f"{subject.title}, {len(usual_episodes)} episodes"
    return {**asdict(report), "text": f"{title}\n{roc_text(report)}"}


def watch(
    subject: Subject, usual_episodes: Sequence[Episode], episodes: Sequence[Episode]
) -> list[Watched]:
    """Episodes with the surprise of each frame."""
    usual = learn_usual(
        pixel_nats(subject.model, usual_episodes, subject.scoring),
        subject.model.config.colours,
        subject.scoring,
    )
    found = pixel_nats(subject.model, episodes, subject.scoring)
    return [
        Watched(episode, nats, usual.score(nats))
        for episode, nats in zip(episodes, found, strict=True)
    ]


def stream(subject: Subject, options: Options) -> dict[str, Any]:
    """Frames a second, one at a time."""
    found = stream_speed(subject.model, subject.name, options.streamed)
    return {**asdict(found), "text": stream_text(found)}


def calibrated(subject: Subject, options: Options) -> dict[str, Any]:
    """Rank histograms and coverage."""
    episodes = subject.episodes(subject.usual, options.calibrated)
    scoring = subject.scoring
    report = calibration(subject.model, episodes, scoring.context, scoring.clip_frames)
    calibration_figure(report, options.figures / f"{subject.stem}-calibration.png")
    title = f"{subject.name}, {len(episodes)} episodes"
    return {**asdict(report), "text": f"{title}\n{coverage_text(report)}"}


# The name of a table is that of its marks in the page.
TABLES: dict[str, Table] = {
    "coding": Table(coding, ("coded",), "episodes"),
    "listening": Table(listening, ("heard",), "episodes"),
    "counterfactual": Table(following, ("counterfactuals", "samples"), "pairs", True),
    "surprise": Table(surprise, ("watched", "false_alarms"), "episodes of each split"),
    "stream": Table(stream, ("streamed",), "frames"),
    "calibration": Table(calibrated, ("calibrated",), "episodes"),
}

if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
