"""Measure sampled futures of the simulated bin: docs/results/rollouts.json and a table.

python -m experiments.rollouts push-ot-small push-otlogn-small
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import tyro

from pixelpush.datasets import open_dataset
from pixelpush.datasets.episodes import Episode
from pixelpush.eval.rollout.movement import (
    Push,
    moving,
    moving_psnr,
    pushes,
    sharpness,
    stray_share,
)
from pixelpush.eval.rollout.pose import pose_error
from pixelpush.eval.rollout.quality import psnr, ssim
from pixelpush.eval.rollout.sampling import sample_futures
from pixelpush.eval.rollout.settings import RolloutSettings
from pixelpush.eval.text import text_table
from pixelpush.files import read_json, write_json
from pixelpush.vpn import VideoPixelNetwork, load_model
from pixelpush.vpn.pose_reader import PoseReader

CONTEXT = 2
READ_FRAMES = (3, 8, 13, 19)


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


@dataclass(frozen=True)
class PoseReading:
    """Errors of poses read from frame ``frame``: of the samples, and of the true frames."""

    frame: int
    centimetres: float
    radians: float
    true_centimetres: float
    true_radians: float


@dataclass(frozen=True)
class Report:
    """Figures of one model, split and temperature; means over episodes and samples.

    psnr, ssim: over 18 frames. moving_psnr: over the pixels that move. copy_psnr: of the last given
    frame, repeated. sharpness: samples' over truth's gradient energy where it moves. strays: share
    of the still pixels off by more than 20 levels. pushed: objects that the truth moves by more
    than 3 cm and shows at both ends; followed: those that a sample moves at least half as far in
    the right direction; object_pixels, copy_object_pixels: their mean distance from the true place
    at the end, in samples and where they stood."""

    episodes: int
    samples: int
    psnr: float
    psnr_error: float
    psnr_last: float
    copy_psnr: float
    moving_psnr: float
    ssim: float
    sharpness: float
    strays: float
    pose: list[PoseReading]
    pushed: int
    followed: int
    matched_in_truth: int
    object_pixels: float
    copy_object_pixels: float


def main(options: Options) -> None:
    """Measure, print, and keep the figures."""
    reader = load_model(options.pose_reader, family="pose")
    for name in options.models:
        model = load_model(name, family="video").eval()
        for split in options.splits:
            for temperature in options.temperatures:
                report = measure(model, reader, options, split, temperature)
                print_report(f"{name}, {options.data}/{split}, temperature {temperature:g}", report)
                if options.json is not None:
                    keep(options.json, name, f"{options.data}/{split}", temperature, report)


def measure(
    model: VideoPixelNetwork, reader: PoseReader, options: Options, split: str, temperature: float
) -> Report:
    """The figures of one model, split and temperature."""
    settings = RolloutSettings(samples=options.samples, temperature=temperature)
    rows = []
    found: list[Push] = []
    read: list[np.ndarray] = []
    for number, episode in first_episodes(options.data, split, options.episodes):
        steps = len(episode.frames) - CONTEXT
        arrays = episode.states, episode.actions
        samples = sample_futures(
            model, episode.frames[:CONTEXT], *arrays, steps, settings, number
        ).frames
        rows.append(frame_figures(episode, samples))
        for of_sample in pushes(episode.frames, samples, episode.extra, CONTEXT):
            found += of_sample
        read.append(poses(reader, episode, samples))
    means = np.nanmean([list(row.values()) for row in rows], axis=0)
    named = dict(zip(rows[0], means.tolist(), strict=True))
    error = np.std([row["psnr"] for row in rows], ddof=1) / np.sqrt(len(rows))
    distances = [push.distance for push in found]
    return Report(
        episodes=len(rows),
        samples=options.samples,
        psnr_error=round(float(error), 4),
        pose=pose_readings(np.concatenate(read, axis=1)),
        pushed=len(found),
        followed=sum(push.follows for push in found),
        matched_in_truth=sum(
            Push(p.true_move, p.true_match, 0, p.true_match).follows for p in found
        ),
        object_pixels=round(float(np.mean(distances)), 4) if found else 0.0,
        copy_object_pixels=round(
            float(np.mean([np.linalg.norm(push.true_move) for push in found])), 4
        )
        if found
        else 0.0,
        **{name: round(value, 5) for name, value in named.items()},
    )


def first_episodes(data: str, split: str, count: int) -> Iterator[tuple[int, Episode]]:
    """The first episodes of a split with their labels, and their numbers."""
    episodes = open_dataset(data, split)
    for number in range(min(count, len(episodes))):
        yield number, episodes[number]


def frame_figures(episode: Episode, samples: np.ndarray) -> dict[str, float]:
    """Figures of one episode's samples (N, steps, C, H, W)."""
    truth = episode.frames[CONTEXT:]
    last = episode.frames[CONTEXT - 1]
    moves = moving(last, truth)
    quality = psnr(truth[None], samples)
    return {
        "psnr": float(quality.mean()),
        "psnr_last": float(quality[:, -1].mean()),
        "copy_psnr": float(psnr(truth, np.broadcast_to(last, truth.shape)).mean()),
        "moving_psnr": float(np.nanmean(moving_psnr(truth, samples, moves))),
        "ssim": float(ssim(truth[None], samples).mean()),
        "sharpness": sharpness(truth, samples, moves),
        "strays": stray_share(truth, samples, last),
    }


def poses(reader: PoseReader, episode: Episode, samples: np.ndarray) -> np.ndarray:
    """States (frames, N, 3, S): true, read from the true frame, read from the sample."""
    found = []
    for frame in READ_FRAMES:
        true = np.broadcast_to(episode.states[frame], (len(samples), episode.states.shape[1]))
        with torch.inference_mode():
            of_truth = reader(torch.from_numpy(episode.frames[frame : frame + 1])).numpy()
            of_samples = reader(torch.from_numpy(samples[:, frame - CONTEXT])).numpy()
        found.append(np.stack((true, np.broadcast_to(of_truth, true.shape), of_samples), axis=1))
    return np.stack(found)


def pose_readings(found: np.ndarray) -> list[PoseReading]:
    """Errors at each frame of what ``poses`` gives, joined over episodes along its second axis."""
    readings = []
    for frame, states in zip(READ_FRAMES, torch.from_numpy(found), strict=True):
        true, of_truth, of_samples = states.unbind(1)
        sampled = pose_error(of_samples, true)
        usual = pose_error(of_truth, true)
        readings.append(
            PoseReading(
                frame, sampled.centimetres, sampled.radians, usual.centimetres, usual.radians
            )
        )
    return readings


def print_report(title: str, report: Report) -> None:
    """One figure a line."""
    values: Mapping[str, object] = asdict(report)
    rows = [[name, f"{value}"] for name, value in values.items() if name != "pose"]
    rows += [
        [
            f"pose at frame {reading.frame}",
            f"{reading.centimetres:.2f} cm {reading.radians:.3f} rad "
            f"(true frames {reading.true_centimetres:.2f} cm {reading.true_radians:.3f} rad)",
        ]
        for reading in report.pose
    ]
    print(text_table([title, ""], rows), flush=True)


def keep(path: Path, model: str, split: str, temperature: float, report: Report) -> None:
    """Put a report into the file, in the place of an older one of the same settings."""
    kept = read_json(path) if path.is_file() else {}
    of_model = kept.setdefault(Path(model).name, {}).setdefault(split, {})
    of_model[f"temperature {temperature:g}"] = asdict(report)
    write_json(path, kept)


if __name__ == "__main__":
    main(tyro.cli(Options))
