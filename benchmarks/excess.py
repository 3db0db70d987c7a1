"""Where is a model's likelihood above the noise floor? By what happens at a pixel of the simulated bin.

python benchmarks/excess.py --model push-ot-small --split val
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import tyro

from pixelpush.datasets import open_dataset
from pixelpush.datasets.sim.noise import noise_floor
from pixelpush.vpn import load_model

ARM = 1  # its label in the segmentation
CONTEXT = 2
# The first that fits, in this order. Levels are those of the clean render.
KINDS = (
    "the arm",
    "uncovered by the arm",
    "changes by more than 4 levels",
    "changes by 2 to 4 levels",
    "still now, changed before",
    "always still",
)


@dataclass(frozen=True)
class Options:
    """What to score."""

    model: str = "push-ot-small"
    """Run folder, saved model or name of a shipped one."""
    split: str = "val"
    """Split of the simulated bin."""
    episodes: int = 32
    """Episodes, evenly spread over the split."""


def main(options: Options) -> None:
    """Print each kind of pixel's share, its mean excess and what it adds to the whole, in nats per sub-pixel."""
    model = load_model(options.model).eval()
    noisy, clean = (open_dataset("sim", options.split, noise=noise) for noise in (True, False))
    found = []
    for place in range(options.episodes):
        number = place * len(noisy) // options.episodes
        episode, truth = noisy[number], clean[number]
        given = (torch.from_numpy(x)[None] for x in (episode.frames, episode.states, episode.actions))
        with torch.no_grad():
            nats = -model.log_prob(*given, context=CONTEXT)[0].numpy() / 3
        excess = nats - noise_floor(truth.frames)[CONTEXT:, None, None]
        kinds = kinds_of_pixels(truth.frames.astype(np.int16), truth.extra["segmentation"])
        found.append([(np.sum(kinds == kind), np.sum(excess, where=kinds == kind)) for kind in range(len(KINDS))])
    counts, sums = np.array(found).sum(axis=0).T
    print(f"{options.model}, {options.split}: {sums.sum() / counts.sum():.3f} nats per sub-pixel above the floor")
    for name, count, total in zip(KINDS, counts, sums, strict=True):
        share, mean, added = count / counts.sum(), total / max(count, 1), total / counts.sum()
        print(f"{name:>30}: {share:5.1%} of the pixels, {mean:.3f} above the floor, {added:.3f} of the whole")


def kinds_of_pixels(frames: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Indices into KINDS (T - context, H, W) of the pixels of clean frames (T, 3, H, W)."""
    kinds = []
    for time in range(CONTEXT, len(frames)):
        change = np.abs(frames[time] - frames[time - 1]).max(axis=0)
        ever = np.abs(frames[:time] - frames[time]).max(axis=(0, 1))
        arm, was = labels[time] == ARM, labels[time - 1] == ARM
        kinds.append(np.select([arm, was, change > 4, change > 1, ever > 1], range(5), 5))
    return np.stack(kinds)


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
