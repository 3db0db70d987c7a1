"""The demo's model where none is shipped: trained for about a minute."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pixelpush.datasets.episodes import EpisodeDataset
from pixelpush.eval.demo_plan import Plan
from pixelpush.settings import Device
from pixelpush.training.config import RunOptions, TrainConfig
from pixelpush.training.loop import train
from pixelpush.training.presets import find_preset
from pixelpush.training.video_task import VideoTask
from pixelpush.vpn import VideoPixelNetwork, load_model


def demo_training(plan: Plan, seed: int) -> TrainConfig:
    """The preset's training, on the plan's few clips.

    >>> demo_training(Plan("tiny", {}, 40, 0.1, 2, 8, 1, 1), seed=3).schedule.warmup_examples
    4
    """
    config = find_preset(plan.preset).train
    return replace(
        config,
        batch_size=plan.batch_size,
        examples=plan.clips,
        seed=seed,
        ema_decay=0.0,
        data=replace(config.data, clip_frames=plan.clip_frames),
        schedule=replace(config.schedule, warmup_examples=plan.clips // 10),
    )


def train_demo_model(
    plan: Plan,
    training: EpisodeDataset,
    validation: EpisodeDataset,
    run: Path,
    seed: int,
    device: Device,
) -> tuple[str, VideoPixelNetwork]:
    """A model that is trained for at most ``plan.minutes``, and what to call it.

    >>> train_demo_model.__annotations__["return"]
    'tuple[str, VideoPixelNetwork]'
    """
    preset = find_preset(plan.preset)
    config = demo_training(plan, seed)
    task = VideoTask(preset.model, preset.overrides, config.data, training, validation)
    options = RunOptions(
        accelerator=device,
        minutes=plan.minutes,
        validate_examples=plan.clips,
        save_examples=plan.clips,
    )
    progress = train(task, config, run, options, {"preset": plan.preset, "data": "sim"})
    return f"{plan.preset}, {progress.examples} clips", load_model(run, family="video")
