"""Where is a model's likelihood above the noise floor? By what happens at a pixel of the simulated
bin, and by the 2x2 group it is in: how much less surprising are groups 2-4, which see their
neighbours of the same frame, than group 1?

python -m experiments.nats_by_group --model push-ot-small --split val
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import tyro

from pixelpush.datasets import open_dataset
from pixelpush.datasets.sim.noise import noise_floor
from pixelpush.image.groups import split_groups
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
    """Print each kind of pixel's share, its mean excess, of all and of each group, and what it adds
    to the whole, in nats per sub-pixel."""
    model = load_model(options.model, family="video").eval()
    noisy, clean = (open_dataset("sim", options.split, noise=noise) for noise in (True, False))
    found = []
    for place in range(options.episodes):
        number = place * len(noisy) // options.episodes
        episode, truth = noisy[number], clean[number]
        given = (
            torch.from_numpy(x)[None] for x in (episode.frames, episode.states, episode.actions)
        )
        with torch.no_grad():
            nats = -model.log_prob(*given, context=CONTEXT)[0].numpy() / 3
        excess = nats - noise_floor(truth.frames)[CONTEXT:, None, None]
        kinds = kinds_of_pixels(truth.frames.astype(np.int16), truth.extra["segmentation"])
        found.append([counted(kinds == kind, excess) for kind in range(len(KINDS))])
    by_group = np.array(found).sum(axis=0)
    pixels = by_group[:, 0].sum()
    print(
        f"{options.model}, {options.split}: {by_group[:, 1].sum() / pixels:.3f} nats per "
        "sub-pixel above the floor"
    )
    for name, (counts, sums) in zip(KINDS, by_group, strict=True):
        groups = "/".join(f"{mean:.3f}" for mean in sums / counts.clip(1))
        print(
            f"{name:>30}: {counts.sum() / pixels:5.1%} of the pixels, "
            f"{sums.sum() / max(counts.sum(), 1):.3f} above the"
            f" floor ({groups} in groups 1-4), {sums.sum() / pixels:.3f} of the whole"
        )


def counted(chosen: np.ndarray, excess: np.ndarray) -> np.ndarray:
    """(2, 4): how many pixels of each group are chosen, and the sum of their excess; both arguments
    (T, H, W)."""
    values = torch.from_numpy(np.stack((chosen, excess * chosen)))
    return torch.stack([group.sum(dim=(1, 2, 3)) for group in split_groups(values)], dim=1).numpy()


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
