"""Regenerate the tables and figures of docs/likelihood.md: one command.

python experiments/likelihood_tables.py
python experiments/likelihood_tables.py --sets sim push-ot-small val droid runs/droid test

Every set is three words: data, model, split. On 'sim' the coding table is made with and without
sensor noise, and the ROC has the held-out arm and the novel objects. JSON goes to
docs/results/likelihood, pictures to docs/likelihood. Single-threaded; the times are of this
machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import tyro

from experiments.pages import fenced, fill
from pixelpush.datasets import is_simulated, open_dataset
from pixelpush.datasets.episodes import Episode
from pixelpush.eval.calibration import calibration, calibration_figure, coverage_text
from pixelpush.eval.clips import Scoring, pixel_nats, read_episodes
from pixelpush.eval.coding.table import codec_figure, codec_json, codec_table, codec_text
from pixelpush.eval.likelihood.runs import agreed_facts
from pixelpush.eval.listening.counterfactuals import Laboratory, some_pairs
from pixelpush.eval.listening.following import following_text, measure_following
from pixelpush.eval.listening.measure import listen
from pixelpush.eval.listening.report import listening_figure, listening_json, listening_text
from pixelpush.eval.surprise.report import Watched, roc_figure, roc_text, write_strips
from pixelpush.eval.surprise.roc import roc
from pixelpush.eval.surprise.usual import learn_usual
from pixelpush.files import write_json
from pixelpush.vpn import VideoPixelNetwork, load_model


@dataclass(frozen=True)
class Options:
    """What to measure, and how much of it."""

    sets: tuple[str, ...] = ("sim", "push-ot-small", "test-seen")
    """Three words a set: data, model, split."""
    coded: int = 16
    """Episodes that are coded."""
    watched: int = 64
    """Episodes for listening, surprise and the ROC, of each split."""
    counterfactuals: int = 220
    """Pairs of futures on a simulated bin; 0 leaves them out."""
    calibrated: int = 4
    """Episodes for the rank histograms."""
    false_alarms: float = 0.01
    """Rate of the ROC's alarms."""
    results: Path = Path("docs/results/likelihood")
    """Folder for the JSON."""
    figures: Path = Path("docs/likelihood")
    """Folder for the pictures."""
    page: Path | None = Path("docs/likelihood.md")
    """Page whose tables are replaced; None for none."""


@dataclass(frozen=True)
class Subject:
    """A model on a set: what every table is of. usual: the split that says what is usual."""

    data: str
    split: str
    name: str
    model: VideoPixelNetwork
    scoring: Scoring
    usual: str

    @property
    def stem(self) -> str:
        return f"{Path(self.data).name.replace(':', '-')}-{self.name}"

    def episodes(self, split: str, count: int, noise: bool = True) -> list[Episode]:
        """The first ``count`` episodes of a split."""
        options = {}
        if is_simulated(self.data):
            # Only what is looked at is simulated.
            options = {"size": self.model.config.frame_size, "episodes": count, "noise": noise}
        return read_episodes(open_dataset(self.data, split, **options), count)


def main(options: Options) -> None:
    """Make everything for every set."""
    torch.set_num_threads(1)
    if len(options.sets) % 3:
        raise SystemExit("--sets takes three words a set: data, model, split.")
    texts: dict[str, list[str]] = {name: [] for name in TABLES}
    for first in range(0, len(options.sets), 3):
        data, name, split = options.sets[first : first + 3]
        facts = agreed_facts([name], data)
        subject = Subject(
            data,
            split,
            Path(name).name,
            load_model(name, family="video"),
            Scoring(facts.context, facts.clip_frames),
            "val",
        )
        for name, make in TABLES.items():
            text = make(subject, options)
            if text:
                print(f"\n{text}", flush=True)
                texts[name].append(text)
    if options.page is not None:
        fill(options.page, {name: fenced(*parts) for name, parts in texts.items() if parts})


def coding(subject: Subject, options: Options) -> str:
    """Bits per sub-pixel beside PNG, WebP, JPEG XL, FFV1, x264 and x265."""
    texts = []
    tables = {}
    for noise in (True, False) if is_simulated(subject.data) else (True,):
        rows, missing = codec_table(
            subject.model,
            subject.name,
            subject.episodes(subject.split, options.coded, noise),
            subject.scoring.context,
            subject.scoring.clip_frames,
        )
        title = f"{subject.data}/{subject.split}" + ("" if noise else ", without sensor noise")
        texts.append("\n".join([f"{title}, {options.coded} episodes", codec_text(rows), *missing]))
        tables[title] = rows
        about = {"data": title, "episodes": options.coded, "torch": torch.__version__}
        stem = subject.stem + ("" if noise else "-noiseless")
        write_json(options.results / f"{stem}-coding.json", about | codec_json(rows, missing))
    codec_figure(tables, options.figures / f"{subject.stem}-coding.png")
    return "\n\n".join(texts)


def listening(subject: Subject, options: Options) -> str:
    """What false actions cost."""
    episodes = subject.episodes(subject.usual, options.watched)
    found = listen(subject.model, episodes, subject.scoring)
    # Without the maps, which the figure shows.
    measured = listening_json(found, subject.name, maps=False)
    report = {"data": f"{subject.data}/{subject.usual}", **measured}
    write_json(options.results / f"{subject.stem}-listening.json", report)
    picture = episodes[0].frames[len(episodes[0].frames) // 2]
    listening_figure(found, picture, options.figures / f"{subject.stem}-listening.png")
    return listening_text(found, f"{subject.name} on {subject.data}/{subject.usual}")


def following(subject: Subject, options: Options) -> str:
    """True counterfactuals: followed or not, and optimism. Only a simulator knows them."""
    if not is_simulated(subject.data) or not options.counterfactuals:
        return ""
    laboratory = Laboratory(subject.data.split(":")[0], subject.model.config.frame_size)
    futures = [laboratory.futures(pair) for pair in some_pairs(options.counterfactuals)]
    report = measure_following(subject.model, futures, subject.scoring)
    about = {"data": subject.data, "model": subject.name}
    write_json(options.results / f"{subject.stem}-counterfactuals.json", about | asdict(report))
    return following_text(report, subject.name)


def surprise(subject: Subject, options: Options) -> str:
    """The ROC of every trouble, and the strangest ten moments of the split."""
    usual_episodes = subject.episodes(subject.usual, options.watched)
    unlike: dict[str, tuple[Sequence[Episode], Sequence[Episode] | None]] = {}
    watched_episodes = subject.episodes(subject.split, options.watched)
    if is_simulated(subject.data):
        seen = subject.episodes("test-seen", options.watched)
        novel = subject.episodes("test-novel", options.watched)
        unlike = {"held-out arm": (seen, None), "novel objects": (novel, seen)}
    report = roc(subject.model, usual_episodes, unlike, subject.scoring, options.false_alarms)
    about = {"data": f"{subject.data}/{subject.usual}", "model": subject.name}
    write_json(options.results / f"{subject.stem}-surprise.json", about | asdict(report))
    roc_figure(report, options.figures / f"{subject.stem}-roc.png")
    colours = subject.model.config.colours
    nats = pixel_nats(subject.model, usual_episodes, subject.scoring)
    usual = learn_usual(nats, colours, subject.scoring)
    watched = [
        Watched(episode, pixels, usual.score(pixels))
        for episode, pixels in zip(
            watched_episodes,
            pixel_nats(subject.model, watched_episodes, subject.scoring),
            strict=True,
        )
    ]
    write_strips(options.figures / f"{subject.stem}-strangest.png", watched)
    return f"{subject.name} on {subject.data}, {len(usual_episodes)} episodes\n{roc_text(report)}"


def calibrated(subject: Subject, options: Options) -> str:
    """Rank histograms and coverage."""
    episodes = subject.episodes(subject.usual, options.calibrated)
    report = calibration(
        subject.model, episodes, subject.scoring.context, subject.scoring.clip_frames
    )
    write_json(options.results / f"{subject.stem}-calibration.json", asdict(report))
    calibration_figure(report, options.figures / f"{subject.stem}-calibration.png")
    return f"{subject.name}, {len(episodes)} episodes\n{coverage_text(report)}"


TABLES: dict[str, Callable[[Subject, Options], str]] = {
    "coding": coding,
    "listening": listening,
    "counterfactual": following,
    "surprise": surprise,
    "calibration": calibrated,
}

if __name__ == "__main__":
    main(tyro.cli(Options))
