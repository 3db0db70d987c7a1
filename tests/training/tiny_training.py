"""A training run of a second, for the tests, in this process or as a script:

python tiny_training.py RUN train [OPTION=VALUE ...]      one call of the loop, then scores=FILE
python tiny_training.py RUN kill SEED [OPTION=VALUE ...]  the same, killed at random moments
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np

from pixelpush.datasets.episodes import Episode
from pixelpush.errors import InputError
from pixelpush.training.config import (
    DataConfig,
    OptimizerConfig,
    RunOptions,
    ScheduleConfig,
    TrainConfig,
)
from pixelpush.training.video_task import VideoTask

MODEL = {
    "channels": 8,
    "encoder_blocks": 1,
    "coarse_scales": 0,
    "lstm_channels": 4,
    "decoder_blocks": 1,
    "components": 2,
}
CONFIG = TrainConfig(
    batch_size=5,
    examples=120,
    optimizer=OptimizerConfig(learning_rate=3e-3, weight_decay=0.01, clip_norm=1.0),
    schedule=ScheduleConfig(kind="cosine", warmup_examples=20, final=0.1),
    data=DataConfig(clip_frames=4, context=2, scored_frames=4, jitter=1, colour=0.1),
    ema_decay=0.9,
    seed=3,
)


def episodes(count: int, first: int = 0, length: int = 6) -> list[Episode]:
    """Small episodes in which a bright square moves as the action says."""
    found = []
    for number in range(first, first + count):
        draw = np.random.default_rng(number)
        frames = draw.integers(0, 60, (length, 3, 8, 8), dtype=np.uint8)
        actions = draw.normal(size=(length, 2)).astype(np.float32)
        for time_step in range(length):
            frames[time_step, :, time_step % 6 : time_step % 6 + 2, 2:4] = 200
        found.append(
            Episode(frames, np.cumsum(actions, 0, dtype=np.float32), actions, f"episode-{number}")
        )
    return found


def tiny_task() -> VideoTask:
    """13 training episodes (no multiple of the batch) and 5 to validate on."""
    return VideoTask("ot", MODEL, CONFIG.data, episodes(13), episodes(5, first=100))


def run_once(
    run: Path,
    config: TrainConfig = CONFIG,
    task: VideoTask | None = None,
    stop_after: int = 0,
    fails_in: int | None = None,
    **options,
):
    """One call of the loop. stop_after: the step in which it is told to stop; fails_in: a process
    that cannot read."""
    from pixelpush.training.loop import train

    task = task or tiny_task()
    if fails_in is not None and int(os.environ.get("LOCAL_RANK", "0")) == fails_in:
        _damage(task, 4)
    if stop_after:
        _raise_after(task, stop_after)
    settings = {
        "quiet": True,
        "accelerator": "cpu",
        "save_examples": 5,
        "validate_examples": 35,
        **options,
    }
    return train(task, config, run, RunOptions(**settings))


def _damage(task: VideoTask, reads: int) -> None:
    original, calls = task.example, iter(range(1_000_000))

    def example(seed, epoch, index):
        if next(calls) >= reads:
            raise InputError("record 7 is damaged")
        return original(seed, epoch, index)

    task.example = example


def _raise_after(task: VideoTask, steps: int) -> None:
    original, calls = task.losses, iter(range(1, 1_000_000))

    def losses(model, batch):
        if next(calls) == steps:
            signal.raise_signal(signal.SIGTERM)
        return original(model, batch)

    task.losses = losses


def write_scores(path: Path) -> None:
    """Score eleven episodes of several lengths, in as many processes as there are."""
    import torch

    from pixelpush.vpn.scoring import score_episodes, total_score

    torch.manual_seed(0)
    model = tiny_task().build_model()
    videos = [
        episode for length in (4, 9, 6) for episode in episodes(4, first=length, length=length)
    ][:11]
    scores = score_episodes(model, videos, context=2, clip_frames=5, batch_size=2)
    if not torch.distributed.is_initialized() or torch.distributed.get_rank() == 0:
        path.write_text(
            json.dumps({"nats": [score.nats for score in scores], "total": total_score(scores)})
        )


def killed_until_done(run: Path, seed: int, longest: float, **options) -> int:
    """Run in child processes, each killed at a random moment, until one ends by itself; the number
    of kills."""
    draw, kills = random.Random(seed), 0
    while True:
        child = os.fork()
        if child == 0:
            run_once(run, **options)
            os._exit(0)
        deadline = time.monotonic() + draw.uniform(0.0, longest)
        while time.monotonic() < deadline:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                assert status == 0, f"the child ended with status {status}"
                return kills
            time.sleep(0.002)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        kills += 1
        longest *= 1.05  # so that it ends on a slow machine too


def main() -> None:
    import torch

    torch.set_num_threads(1)
    run, mode, *rest = sys.argv[1:]
    options = {
        name: json.loads(value) for name, value in (item.split("=") for item in rest if "=" in item)
    }
    if mode == "kill":
        # Imported once, before the forks.
        import lightning_fabric  # noqa: F401

        import pixelpush.training.loop  # noqa: F401

        print(killed_until_done(Path(run), int(rest[0]), options.pop("longest"), **options))
    else:
        scores = options.pop("scores", None)
        run_once(Path(run), **options)
        if scores:
            write_scores(Path(run) / scores)


if __name__ == "__main__":
    main()
