"""Frames a second of ``model.score_stream`` as a live camera feeds it: one frame at a time, batch
1.

python experiments/stream_speed.py --models push-ot-small
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
import tyro

from pixelpush.vpn import VideoPixelNetwork, load_model


@dataclass(frozen=True)
class Options:
    """What to time."""

    models: tuple[str, ...] = ("push-ot-small",)
    """Run folders, saved models or names of shipped ones."""
    frames: int = 60
    """Frames that are timed, after ten that are not."""
    device: str = "cpu"
    """Where to compute."""
    threads: int = 1
    """Threads on a CPU."""


def frames_per_second(model: VideoPixelNetwork, frames: int) -> float:
    """Frames a second of the stream of a random video, each frame's nats awaited."""
    c, device = model.config, next(model.parameters()).device
    size = (1, c.colours, c.frame_size, c.frame_size)
    video = [torch.randint(0, 256, size, dtype=torch.uint8).to(device) for _ in range(frames + 10)]
    state, action = (torch.zeros(1, size, device=device) for size in (c.state_dim, c.action_dim))
    vectors = ([state] * len(video), [action] * len(video))
    started = 0.0
    for number, nats in enumerate(model.score_stream(video, *vectors, context=1)):
        float(nats.sum())
        if number == 8:
            started = time.perf_counter()
    return frames / (time.perf_counter() - started)


def main(options: Options) -> None:
    """Print each model's frames a second."""
    torch.set_num_threads(options.threads)
    for name in options.models:
        model = load_model(name, options.device, family="video")
        speed = frames_per_second(model, options.frames)
        print(
            f"{name} ({model.config.kind}, {model.config.frame_size}x{model.config.frame_size}): "
            f"{speed:.1f} frames/s, batch 1, {options.device}, {options.threads} threads"
        )


if __name__ == "__main__":
    main(tyro.cli(Options))
