"""Coding, listening and surprise on small recorded samples: one command.

python -m experiments.likelihood_recorded --raw ~/samples --out out/recorded
python -m experiments.likelihood_recorded --raw ~/samples --out out/recorded --parts coding

Each sample is prepared, a small model is trained on it for some minutes (experiments.recorded), a
part of it is coded beside other codecs, its strangest moments are drawn, and where it has several
episodes the model is asked whether it listens. Figures go to --json, tables to --page. Pictures of
recordings stay in --out: they are not part of the repository. What is done stays done; a part that
--parts names is done again."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
import tyro

from experiments.pages import fenced, fill
from experiments.recorded import Trained, pixelpush, train
from pixelpush.datasets import open_dataset
from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.store import store_splits
from pixelpush.errors import InputError
from pixelpush.eval.clips import Scoring, pixel_nats, read_episodes
from pixelpush.eval.coding.table import codec_json, codec_table
from pixelpush.eval.listening.measure import listen
from pixelpush.eval.listening.report import listening_json, listening_text
from pixelpush.eval.surprise.report import Watched, strangest_moments, write_strips
from pixelpush.eval.surprise.usual import learn_usual
from pixelpush.eval.text import number, text_table
from pixelpush.files import is_complete, read_json, write_json
from pixelpush.vpn import VideoPixelNetwork, load_model

PIECE = 20  # frames: what a clip of training and of scoring has
MOMENTS = 10


@dataclass(frozen=True)
class Options:
    """Which samples, and how much of them."""

    raw: Path
    """Folder of the samples, as ``SAMPLES`` names their sub-folders."""
    out: Path
    """Folder for stores, runs and strips."""
    only: tuple[str, ...] = ()
    """Names of samples; all, if none is given."""
    preset: str = "push-ot-small"
    """Training preset."""
    examples: int = 240
    """Clips of each training."""
    coded: int = 5
    """Pieces of 20 frames that are coded."""
    heard: int = 24
    """Pieces of 20 frames on which the model is told lies."""
    watched: int = 40
    """Pieces of 20 frames among which the strangest moments are sought; whole episodes where there
    are no more."""
    parts: tuple[str, ...] = ()
    """Names of parts, made again; if none is given, those that the figures lack."""
    json: Path = Path("docs/results/likelihood/recorded.json")
    """The figures."""
    page: Path | None = Path("docs/likelihood.md")
    """Page whose tables are replaced; None for none."""


_DROID = ("--frames-key", "exterior_image_1_left__image_*.webp", "--actions", "next-state")
_DROID += ("--table", "cartesian_position__trajectory.json", "--state-columns", "x,y,z,pitch,yaw")
_PRI = ("--frames-key", "color_images.npy", "--bgr", "--table", "robot_states.csv")
_PRI += ("--state-columns", ",".join(f"ee_state_position_{axis}" for axis in "xyz"))
_PRI += ("--actions", "next-state")
_OWN_KEYS = ("--state-key", "state", "--action-key", "actions")
# Name of the store -> its folder, and how it is prepared. No sample has validation and test
# episodes enough for less than these.
SAMPLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "bair": (
        "bair",
        (
            *("folder", "--frames-key", "aux1_image", "--actions-key", "action"),
            *("--states", "none", "--split", "0/0/1"),
        ),
    ),
    "bridge": ("bridge", ("rlds", "--camera", "image_0", "--split", "15/5/5")),
    "droid": ("droid100", ("folder", *_DROID, "--split", "48/8/8")),
    "pri": ("pri_push", ("folder", *_PRI, "--split", "0/0/3")),
    "metaworld": ("metaworld_push", ("stacked-npz", "--split", "2/2/1")),
    "g1": ("lerobot/g1_v21", ("lerobot", "--split", "0/0/1")),
    "open50": ("lerobot/open50_v30", ("lerobot", *_OWN_KEYS, "--split", "0/0/1")),
}


@dataclass(frozen=True)
class Sample:
    """A recorded sample with the model that was trained on it."""

    name: str
    model: VideoPixelNetwork
    store: Path
    trained: Trained
    scoring: Scoring = field(default_factory=lambda: Scoring(clip_frames=PIECE))

    def episodes(self) -> list[Episode]:
        """Of the split that is scored."""
        return read_episodes(open_dataset(self.store, self.trained.scored))


def main(options: Options) -> None:
    """Measure one sample after the other, and write all that is known into the page."""
    torch.set_num_threads(1)
    unknown = [part for part in options.parts if part not in PARTS]
    if unknown:
        raise InputError(f"--parts {unknown[0]}: no such part; there are {', '.join(PARTS)}.")
    for name in options.only or tuple(SAMPLES):
        measure(options, name)
        print(recorded_text(read_json(options.json)), flush=True)
    if options.page is not None:
        fill_page(options.page, read_json(options.json))


def fill_page(page: Path, figures: Mapping[str, Any]) -> None:
    """The tables of all samples that were measured, whenever."""
    listened = [found["listening"] for found in figures.values() if found["listening"] is not None]
    tables = {
        "recorded": [recorded_text(figures)],
        "recorded-speeds": [speeds_text(figures)],
        "recorded-listening": [found["text"] for found in listened],
    }
    fill(page, {name: fenced(*parts) for name, parts in tables.items() if parts})


def measure(options: Options, name: str) -> None:
    """Every part of one sample, written part by part; its strips go to ``options.out``."""
    store, run = options.out / "stores" / name, options.out / "runs" / name
    if not is_complete(store):
        folder, words = SAMPLES[name]
        reader, *others = words
        pixelpush("prepare", reader, "--raw", options.raw / folder, "--out", store, *others)
    trained = train(options.preset, options.examples, store, run)
    sample = Sample(name, load_model(run, family="video"), store, trained)
    figures = read_json(options.json) if options.json.is_file() else {}
    found = figures.get(name, {}) | {
        "clips": options.examples,
        "minutes": round(read_json(run / "final.json")["seconds"] / 60, 1),
        "trained_on_it": trained.on_it,
    }
    for part in options.parts or [part for part in PARTS if part not in found]:
        found[part] = PARTS[part](sample, options)
        write_json(options.json, figures | {name: found})


def coding(sample: Sample, options: Options) -> dict[str, object]:
    """Pieces beside other codecs."""
    some = spread(pieces(sample.episodes()), options.coded)
    table = codec_table(sample.model, options.preset, some, sample.scoring.context, PIECE)
    return {
        **codec_json(*table),
        "frames": sum(len(episode.frames) for episode in some),
        "load": round(os.getloadavg()[0], 1),
    }


def strangest(sample: Sample, options: Options) -> list[dict[str, object]]:
    """The strangest moments: drawn, and in numbers."""
    watched = watch(sample, options.watched)
    write_strips(options.out / f"{sample.name}-strangest.png", watched, MOMENTS)
    return moments(watched)


def watch(sample: Sample, count: int) -> list[Watched]:
    """The scored split beside what is usual in validation; beside its own pieces, four at least,
    where the sample has no other episodes, so that p-values are no more than ranks."""
    episodes = at_most(sample.episodes(), count)
    if "val" in store_splits(sample.store):
        usual_episodes = at_most(read_episodes(open_dataset(sample.store, "val")), count)
    else:
        longest = max(len(episode.frames) for episode in episodes)
        usual_episodes = pieces(episodes, min(PIECE, longest // 4))
    model, scoring = sample.model, sample.scoring
    usual = learn_usual(pixel_nats(model, usual_episodes, scoring), model.config.colours, scoring)
    return [
        Watched(episode, nats, usual.score(nats))
        for episode, nats in zip(episodes, pixel_nats(model, episodes, scoring), strict=True)
    ]


def at_most(episodes: list[Episode], count: int) -> list[Episode]:
    """The episodes, or ``count`` of their pieces where they are longer than these."""
    if sum(len(episode.frames) for episode in episodes) <= count * PIECE:
        return episodes
    return spread(pieces(episodes), count)


def moments(watched: Sequence[Watched]) -> list[dict[str, object]]:
    """What is drawn, in numbers."""
    found: list[dict[str, object]] = []
    for item, index in strangest_moments(watched, MOMENTS):
        frame = item.frames[index]
        found.append(
            {
                "episode": item.episode.id,
                "frame": frame.frame,
                "region": frame.strangest,
                "score": round(frame.score, 2),
                "p_value": round(frame.p_value, 5),
            }
        )
    return found


def listening(sample: Sample, options: Options) -> dict[str, object] | None:
    """What lies cost; None where all parts are of one episode, to which no other one's actions can
    be told."""
    parts = spread(pieces(sample.episodes()), options.heard)
    if len({episode.id.rpartition("+")[0] for episode in parts}) < 2:
        return None
    found = listen(sample.model, parts, sample.scoring)
    title = f"{options.preset} on {sample.name}/{sample.trained.scored}"
    return listening_json(found, title, maps=False) | {"text": listening_text(found, title)}


PARTS: dict[str, Callable[[Sample, Options], object]] = {
    "coding": coding,
    "listening": listening,
    "strangest": strangest,
}


def pieces(episodes: Sequence[Episode], length: int = PIECE) -> list[Episode]:
    """All episodes cut into parts of ``length`` frames; a shorter rest is left out, unless it is
    the whole episode.

    >>> import numpy as np
    >>> rows = np.zeros((7, 2), np.float32)
    >>> episode = Episode(np.zeros((7, 3, 8, 8), np.uint8), rows, rows, "a")
    >>> [(part.id, len(part.frames)) for part in pieces([episode], 3)]
    [('a+0', 3), ('a+3', 3)]
    >>> [len(part.frames) for part in pieces([episode], 9)]
    [7]
    """
    found = []
    for episode in episodes:
        last = max(len(episode.frames) - length, 0)
        for start in range(0, last + 1, length):
            part = slice(start, start + length)
            arrays = {key: getattr(episode, key)[part] for key in ("frames", "states", "actions")}
            found.append(replace(episode, **arrays, id=f"{episode.id}+{start}", extra={}))
    return found


def spread(episodes: Sequence[Episode], count: int) -> list[Episode]:
    """At most ``count`` of them, evenly from first to last.

    >>> spread("abcdefg", 3)
    ['a', 'd', 'g']
    >>> spread("ab", 3)
    ['a', 'b']
    """
    count = min(count, len(episodes))
    return [episodes[i * (len(episodes) - 1) // max(count - 1, 1)] for i in range(count)]


def recorded_text(figures: Mapping[str, Mapping[str, Any]]) -> str:
    """A line a sample: bits per sub-pixel of every codec's whole file, '*' where a codec's bytes
    did not come back; of the model also what the likelihood says."""
    lines = []
    for name, found in figures.items():
        rows = found["coding"]["rows"]
        ours = rows[-1]
        above = "" if ours["size_above_least"] is None else f"{ours['size_above_least']:+.3%}"
        lines.append(
            [
                name + (", trained on it" if found["trained_on_it"] else ""),
                str(found["clips"]),
                str(found["coding"]["frames"]),
                *(f"{row['bits']:.3f}" + ("" if row["lossless"] else "*") for row in rows),
                *(number(ours[f"{name}_bits"], 4) for name in ("predicted", "nll", "least")),
                above,
            ]
        )
    measures = ["coded frames", "NLL", "cut NLL", "bytes above"]
    return text_table(["sample", "clips", "frames", *_codecs(figures), *measures], lines)


def speeds_text(figures: Mapping[str, Mapping[str, Any]]) -> str:
    """A line a sample: every codec's megabytes per second of one core's work, in and out."""
    lines = []
    for name, found in figures.items():
        speeds = (
            [row[f"{way}_megabytes_per_second"] for way in ("encode", "decode")]
            for row in found["coding"]["rows"]
        )
        each = [" / ".join(number(speed, 2) for speed in both) for both in speeds]
        lines.append([name, *each, number(found["coding"]["load"], 1)])
    return text_table(["MB/s in / out", *_codecs(figures), "load"], lines)


def _codecs(figures: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Names of the codecs, which are those of every sample."""
    rows = next(iter(figures.values()))["coding"]["rows"]
    return [row["name"].removesuffix(" lossless") for row in rows]


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
