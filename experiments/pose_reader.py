"""Train the pose reader on true frames of the simulated bin and save it.

python -m experiments.pose_reader --data sim --minutes 8 --out pixelpush/weights/pose-reader
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import tyro

from pixelpush.datasets import open_dataset
from pixelpush.datasets.episodes import EpisodeDataset
from pixelpush.errors import InputError
from pixelpush.eval.rollout.pose import PoseError, pose_error
from pixelpush.files import atomic_folder
from pixelpush.saved import save_model_files
from pixelpush.vpn.pose_reader import PoseReader, PoseReaderConfig

BATCH = 64
WARM_UP = 200  # steps


@dataclass(frozen=True)
class Options:
    """What to train on, for how long."""

    out: Path
    """Folder for the saved reader; it must not exist."""
    data: tuple[str, ...] = ("sim",)
    """Data sets whose training splits are read."""
    minutes: float = 8.0
    """Processor minutes."""
    learning_rate: float = 1e-3
    """The highest one; it falls to 0 by a cosine."""


def main(options: Options) -> None:
    """Train, print the error on val, test-seen and test-novel, save."""
    if options.out.exists():
        raise InputError(f"{options.out}: exists; remove it first.")
    torch.manual_seed(0)
    parts = [gathered(open_dataset(name, "train")) for name in options.data]
    frames, states = (torch.cat(columns) for columns in zip(*parts, strict=True))
    reader = PoseReader(PoseReaderConfig(frames.shape[-1], frames.shape[1], states.shape[1]))
    reader.mean.copy_(states.mean(0))
    reader.std.copy_(states.std(0))
    fit(reader, frames, states, options)
    for split in ("val", "test-seen", "test-novel"):
        print(f"{split}: {reading_error(reader, *gathered(open_dataset(options.data[0], split)))}")
    state = {
        name: value.half() if value.ndim > 1 else value
        for name, value in reader.state_dict().items()
    }
    with atomic_folder(options.out) as partial:
        save_model_files(partial, reader.family, vars(reader.config), state)


def gathered(episodes: EpisodeDataset) -> tuple[torch.Tensor, torch.Tensor]:
    """All frames (N, C, H, W) and their states (N, S)."""
    frames = []
    states = []
    for number in range(len(episodes)):
        episode = episodes[number]
        frames.append(episode.frames)
        states.append(episode.states)
    return torch.from_numpy(np.concatenate(frames)), torch.from_numpy(np.concatenate(states))


def fit(reader: PoseReader, frames: torch.Tensor, states: torch.Tensor, options: Options) -> None:
    """Minimise the error of normalised poses, of frames with grain and shifted brightness.

    Samples have grain: a reader that never saw any would measure the grain."""
    optimizer = torch.optim.AdamW(reader.parameters(), options.learning_rate, weight_decay=0.01)
    begin = time.process_time()
    step = 0
    used = 0.0
    while used < 1:
        rate = options.learning_rate * 0.5 * (1 + math.cos(math.pi * used))
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1, (step + 1) / WARM_UP)
        chosen = torch.randint(len(frames), (BATCH,))
        noise = torch.randn(BATCH, *frames.shape[1:]) * (12 * torch.rand(BATCH, 1, 1, 1))
        shown = (frames[chosen] + noise).round().clamp(0, 255).byte()
        with torch.autocast("cpu", torch.bfloat16):
            read = reader(shown)
        loss = F.smooth_l1_loss(
            (read - states[chosen]) / reader.std, torch.zeros_like(read), beta=0.1
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        used = (time.process_time() - begin) / (60 * options.minutes)
        if step % 500 == 0:
            print(f"{step} steps: {loss.item():.4f}", flush=True)


def reading_error(reader: PoseReader, frames: torch.Tensor, states: torch.Tensor) -> PoseError:
    """The reader's error on true frames."""
    with torch.inference_mode():
        read = torch.cat([reader(part) for part in frames.split(256)])
    return pose_error(read, states)


if __name__ == "__main__":
    main(tyro.cli(Options))
