"""Do sampled arms follow the actions? Rollouts with an episode's own actions against another
episode's.

python -m experiments.action_following --model push-ot-small --split val --temperature 0.5
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import tyro
from torch import Tensor

from pixelpush.datasets import open_dataset
from pixelpush.vpn import load_model

ARM = 1  # its label in the segmentation
HORIZONS = ((2, 5), (5, 11), (11, 20))


@dataclass(frozen=True)
class Options:
    """What to sample."""

    model: str = "push-ot-small"
    """Run folder, saved model or name of a shipped one."""
    split: str = "val"
    """Split of the simulated bin."""
    episodes: int = 32
    """Episodes, evenly spread over the split."""
    temperature: float = 0.5
    """Temperature of the samples."""


def main(options: Options) -> None:
    """Print mean absolute errors, in levels of the clean render, where the arm truly is or stood at
    the start."""
    model = load_model(options.model, family="video").eval()
    noisy, clean = (open_dataset("sim", options.split, noise=noise) for noise in (True, False))
    chosen = [number * len(noisy) // options.episodes for number in range(options.episodes)]
    given = [noisy[number] for number in chosen]
    frames, states, actions = (
        stacked([getattr(e, name) for e in given]) for name in ("frames", "states", "actions")
    )
    truth = stacked([clean[number].frames for number in chosen]).float()
    labels = stacked([clean[number].extra["segmentation"] for number in chosen])
    arm = (labels[:, 2:] == ARM) | (labels[:, 1:2] == ARM)

    # The other episode's path, begun where this one's arm stands. States are predicted in both
    # rollouts, so that only the actions differ.
    turned = [(place + len(chosen) // 2) % len(chosen) for place in range(len(chosen))]
    other = states[:, 1:2] + actions[turned] - states[turned, 1:2]
    errors = {
        name: (
            model.rollout(frames[:, :2], states[:, :2], path, seeded(), options.temperature).frames
            - truth[:, 2:]
        )
        for name, path in (("own actions", actions), ("another's actions", other))
    }
    errors["the last frame"] = frames[:, 1:2] - truth[:, 2:]
    for name, error in errors.items():
        distance = error.abs().mean(dim=2)
        found = [
            distance[:, a - 2 : b - 2][arm[:, a - 2 : b - 2]].mean().item() for a, b in HORIZONS
        ]
        print(
            f"{name:>18}: "
            + "  ".join(
                f"frames {a}-{b - 1}: {x:.1f}" for (a, b), x in zip(HORIZONS, found, strict=True)
            )
        )
    totals = [
        (errors[name].abs().mean(dim=2) * arm).flatten(1).sum(1)
        for name in ("own actions", "another's actions")
    ]
    print(
        f"own actions come closer to the truth in {int((totals[0] < totals[1]).sum())} of "
        f"{len(chosen)} episodes"
    )


def stacked(arrays: list[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(arrays))


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
