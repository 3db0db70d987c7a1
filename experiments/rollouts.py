"""Measure sampled futures of the simulated bin: docs/results/rollouts.json and a table.

python -m experiments.rollouts push-ot-small push-otlogn-small
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import tyro

from pixelpush.datasets import open_dataset
from pixelpush.datasets.episodes import Episode
from pixelpush.eval.rollout.figures import FutureFigures, measure_futures, summarise_figures
from pixelpush.eval.rollout.sampling import sample_futures
from pixelpush.eval.rollout.settings import RolloutSettings
from pixelpush.eval.text import number, text_table
from pixelpush.files import read_json, write_json
from pixelpush.vpn import VideoPixelNetwork, load_model
from pixelpush.vpn.pose_reader import PoseReader

CONTEXT = 2


@dataclass(frozen=True)
class Options:
    """What to sample and to measure."""

    models: tyro.conf.Positional[tuple[str, ...]] = ("push-ot-small",)
    """Run folders, saved models or names of shipped ones."""
    data: str = "sim"
    """A data set of the simulated bin."""
    splits: tuple[str, ...] = ("val", "test-seen")
    """Splits; episodes 0, 1, 2, ... of each."""
    episodes: int = 16
    """Episodes of each split."""
    samples: int = 1
    """Futures of each episode."""
    temperatures: tuple[float, ...] = (1.0, 0.5)
    """Temperatures of the samples."""
    pose_reader: str = "pose-reader"
    """What reads the arm's pose from a picture."""
    json: Path | None = None
    """Add the figures to this file, under the model's name."""


def main(options: Options) -> None:
    """Measure, print, and keep the figures."""
    reader = load_model(options.pose_reader, family="pose")
    for name in options.models:
        model = load_model(name, family="video").eval()
        for split in options.splits:
            for temperature in options.temperatures:
                figures = measure(model, reader, options, split, temperature)
                where = f"{options.data}/{split}"
                print_figures(f"{name}, {where}, temperature {temperature:g}", figures)
                if options.json is not None:
                    keep(options.json, name, where, temperature, figures)


def measure(
    model: VideoPixelNetwork, reader: PoseReader, options: Options, split: str, temperature: float
) -> FutureFigures:
    """The figures of one model, split and temperature."""
    settings = RolloutSettings(samples=options.samples, temperature=temperature)
    found = []
    for place, episode in first_episodes(options.data, split, options.episodes):
        steps = len(episode.frames) - CONTEXT
        given = episode.frames[:CONTEXT], episode.states, episode.actions
        samples = sample_futures(model, *given, steps, settings, place).frames
        found.append(
            measure_futures(episode.frames, episode.states, samples, episode.extra, CONTEXT, reader)
        )
    return summarise_figures(found)


def first_episodes(data: str, split: str, count: int) -> Iterator[tuple[int, Episode]]:
    """The first episodes of a split with their labels, and their numbers."""
    episodes = open_dataset(data, split)
    for place in range(min(count, len(episodes))):
        yield place, episodes[place]


def print_figures(title: str, figures: FutureFigures) -> None:
    """One figure a line."""
    rows = [[name, number(value, 4)] for name, value in vars(figures.frames).items()]
    rows += [
        [
            f"pose at frame {reading.frame}",
            f"{reading.centimetres:.2f} cm {reading.radians:.3f} rad "
            f"(true frames {reading.true_centimetres:.2f} cm {reading.true_radians:.3f} rad)",
        ]
        for reading in figures.poses
    ]
    if figures.objects is not None:
        rows += [
            [f"objects: {name}", f"{value:.4g}"] for name, value in vars(figures.objects).items()
        ]
    print(text_table([title, f"{figures.episodes} episodes"], rows), flush=True)


def keep(path: Path, model: str, split: str, temperature: float, figures: FutureFigures) -> None:
    """Put figures into the file, in the place of older ones of the same settings."""
    kept = read_json(path) if path.is_file() else {}
    of_model = kept.setdefault(Path(model).name, {}).setdefault(split, {})
    of_model[f"temperature {temperature:g}"] = rounded(asdict(figures))
    write_json(path, kept)


def rounded(value: object) -> object:
    """The same JSON values with four decimal places."""
    if isinstance(value, dict):
        return {name: rounded(item) for name, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return round(value, 4) if isinstance(value, float) else value


if __name__ == "__main__":
    main(tyro.cli(Options))
