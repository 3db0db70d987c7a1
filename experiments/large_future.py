"""A future drawn at 256 pixels, beside the truth at that size: docs/gallery/rollout-256.png.

python -m experiments.large_future

Every third frame of a validation episode: the truth above, a sample of the shipped model below,
drawn larger by the shipped upscalers. All of it at temperature 1."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import tyro

from pixelpush.datasets import open_dataset
from pixelpush.eval.rollout.mp4 import write_png
from pixelpush.eval.rollout.sampling import rollout_episode
from pixelpush.eval.rollout.settings import RolloutSettings
from pixelpush.eval.rollout.super_resolution import load_upscalers, super_resolve
from pixelpush.vpn import load_model

SIZE = 256
GAP = 8  # pixels, white, between pictures


@dataclass(frozen=True)
class Options:
    """What is drawn."""

    out: Path = Path("docs/gallery/rollout-256.png")
    """The picture."""
    model: str = "push-otlogn-small"
    """A run or the name of a shipped model, of 64 pixels."""
    split: str = "val"
    """Split of the simulated bin."""
    episode: int = 2
    """Number of the episode."""
    seed: int = 0
    """Of the samples."""
    every: int = 3
    """Frames from one picture to the next."""


def main(options: Options) -> None:
    """Sample, enlarge, draw."""
    torch.set_num_threads(1)
    model = load_model(options.model, family="video").eval()
    small, large = (
        open_dataset("sim", options.split, size=size, episodes=options.episode + 1)
        for size in (model.config.frame_size, SIZE)
    )
    number = options.episode
    settings = RolloutSettings(samples=1, seed=options.seed)
    video, _ = rollout_episode(model, small[number], number, settings, "")
    upscalers = load_upscalers((), model.config.frame_size, SIZE, "cpu")
    drawn = super_resolve(video, upscalers, large[number].frames, options.seed, number, "cpu")
    assert drawn.truth is not None
    rows = [row_of(frames[:: options.every]) for frames in (drawn.truth, drawn.samples[0])]
    write_png(options.out, np.concatenate([rows[0], gap(rows[0], 0), rows[1]], axis=0))


def row_of(frames: np.ndarray) -> np.ndarray:
    """uint8 (T, C, H, W) -> (H, W', C), side by side.

    >>> row_of(np.zeros((2, 3, 4, 4), np.uint8)).shape
    (4, 16, 3)
    """
    pictures = [frame.transpose(1, 2, 0) for frame in frames]
    parts = [pictures[0]]
    for picture in pictures[1:]:
        parts += [gap(picture, 1), picture]
    return np.concatenate(parts, axis=1)


def gap(picture: np.ndarray, axis: int) -> np.ndarray:
    """White of ``GAP`` pixels along an axis, otherwise as the picture."""
    shape = list(picture.shape)
    shape[axis] = GAP
    return np.full(shape, 255, np.uint8)


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
