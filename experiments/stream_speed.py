"""Frames a second of ``model.score_stream`` as a live camera feeds it: one frame at a time, batch
1.

python -m experiments.stream_speed --models push-ot-small
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import torch
import tyro

from pixelpush.vpn import VideoPixelNetwork, load_model

# Frames that are not timed: the first ones pay for memory.
_FIRST = 10


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


@dataclass(frozen=True)
class StreamSpeed:
    """frames_per_second: by the clock, all frames. median_milliseconds, slowest_milliseconds: of a
    frame. frames_per_core_second: by the work of the process, which other work on the machine
    hardly stretches. load: of the machine."""

    model: str
    kind: str
    size: int
    device: str
    threads: int
    frames_per_second: float
    frames_per_core_second: float
    median_milliseconds: float
    slowest_milliseconds: float
    load: float


def stream_speed(model: VideoPixelNetwork, name: str, frames: int = 60) -> StreamSpeed:
    """Time the stream of a random video, each frame's nats awaited."""
    c, device = model.config, next(model.parameters()).device
    size = (1, c.colours, c.frame_size, c.frame_size)
    count = frames + _FIRST
    video = [torch.randint(0, 256, size, dtype=torch.uint8).to(device) for _ in range(count)]
    state, action = (torch.zeros(1, size, device=device) for size in (c.state_dim, c.action_dim))
    vectors = ([state] * count, [action] * count)
    clock, work = [], []
    for nats in model.score_stream(video, *vectors, context=1):
        float(nats.sum())
        clock.append(time.perf_counter())
        work.append(time.process_time())
    # The nats of frame n come as number n - 1.
    clock, work = clock[_FIRST - 2 :], work[_FIRST - 2 :]
    each = 1000 * torch.tensor(clock).double().diff()
    return StreamSpeed(
        name,
        c.kind,
        c.frame_size,
        device.type,
        torch.get_num_threads(),
        (len(clock) - 1) / (clock[-1] - clock[0]),
        (len(work) - 1) / (work[-1] - work[0]),
        float(each.median()),
        float(each.max()),
        os.getloadavg()[0],
    )


def stream_text(found: StreamSpeed) -> str:
    """One line."""
    return (
        f"{found.model} ({found.kind}, {found.size}x{found.size}), batch 1, {found.device}, "
        f"{found.threads} thread{'s' if found.threads > 1 else ''}: "
        f"{found.frames_per_second:.0f} frames/s by the clock at a load of {found.load:.1f}, "
        f"{found.frames_per_core_second:.0f} by the core's work; "
        f"half of the frames within {found.median_milliseconds:.0f} ms, "
        f"the slowest took {found.slowest_milliseconds:.0f} ms"
    )


def main(options: Options) -> None:
    """Print each model's frames a second."""
    torch.set_num_threads(options.threads)
    for name in options.models:
        model = load_model(name, options.device, family="video")
        print(stream_text(stream_speed(model, name, options.frames)))


if __name__ == "__main__":
    main(tyro.cli(Options))
