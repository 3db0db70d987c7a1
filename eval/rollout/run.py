"""Carry out ``pixelpush rollout``: sample futures, write their files, describe them as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pixelpush.datasets import is_simulated, open_dataset
from pixelpush.datasets.episodes import EpisodeDataset
from pixelpush.errors import InputError
from pixelpush.eval.devices import Device, pick_device
from pixelpush.eval.likelihood.runs import agreed_facts, open_split, run_facts, split_names
from pixelpush.eval.rollout.context_folder import read_context_folder
from pixelpush.eval.rollout.quality import (
    EpisodeQuality,
    episode_quality,
    quality_figure,
    summarise_quality,
)
from pixelpush.eval.rollout.sampling import (
    Futures,
    describe_rollout,
    file_stem,
    rollout_context,
    rollout_episode,
    write_pictures,
    write_rollout,
)
from pixelpush.eval.rollout.settings import RolloutOutputs, RolloutSettings
from pixelpush.eval.rollout.super_resolution import load_upscalers, super_resolve
from pixelpush.eval.rollout.video import RolloutVideo
from pixelpush.files import write_json
from pixelpush.progress import progress_bar, silent
from pixelpush.vpn import VideoPixelNetwork, VideoUpscaler, load_model


@dataclass(frozen=True)
class Ready:
    """A loaded model and how it is to be sampled. name: as it was asked for. context: frames.
    metadata: of the data that it was trained on."""

    name: str
    model: VideoPixelNetwork
    context: int
    device: str
    sampling: RolloutSettings
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def about(self) -> str:
        """Model, seed and temperature, for titles."""
        return (
            f"{Path(self.name).name}  ·  seed {self.sampling.seed}  ·  temperature "
            f"{self.sampling.temperature:g}"
        )


def prepare(name: str, context: int | None, device: Device, sampling: RolloutSettings) -> Ready:
    """Load a model to sample from; a context of None is the one that it was trained with."""
    where = pick_device(device)
    facts = run_facts(name)
    given = facts.context if context is None else context
    model = load_model(name, where, family="video")
    return Ready(name, model, given, where, sampling, facts.metadata)


def roll_out_episodes(
    ready: Ready, data: str, split: str, numbers: Sequence[int], outputs: RolloutOutputs
) -> None:
    """Sample futures of recorded episodes and write them into ``outputs.out``.

    data: '' for the data that the model was trained on. split: '' for the last one. Raises
    InputError for a number that the split does not have."""
    data = agreed_facts([ready.name], data).data
    split = split or split_names(data)[-1]
    episodes = open_split(data, split, ready.model.config.frame_size)
    # Before anything is simulated at the large size, which takes minutes.
    for number in numbers:
        if not 0 <= number < len(episodes):
            raise InputError(
                f"--episodes {number}: {episodes.name} has episodes 0 to {len(episodes) - 1}."
            )
    upscalers = _upscalers(ready, outputs)
    large = None
    if upscalers and is_simulated(data):  # only the episodes asked for are drawn large
        large = open_dataset(data, split, size=outputs.upscale, episodes=max(numbers) + 1)
    entries: list[dict[str, Any]] = []
    curves: list[EpisodeQuality] = []
    progress = silent if outputs.quiet else progress_bar
    with progress(len(numbers), "rollouts") as advance:
        for number in numbers:
            video, futures = _sample_episode(ready, episodes, number)
            writer = _Writer(ready, outputs, upscalers, number, episodes[number].id)
            truth = None if large is None else large[number].frames
            entry = writer.write(video, futures, truth)
            entries.append({"episode": number, "id": episodes[number].id, **entry})
            if outputs.quality and video.truth is not None:
                curves.append(episode_quality(video.given, video.truth, futures.frames))
            advance(1)
    if curves:
        about = {"model": Path(ready.name).name, "data": data, "split": split}
        _write_quality(ready, about, curves, outputs.out)
    _write_description(ready, {"data": data, "split": split}, entries, outputs.out)


def roll_out_folder(ready: Ready, folder: Path, outputs: RolloutOutputs) -> None:
    """Sample futures of the frames, states and actions in a folder, and write them."""
    upscalers = _upscalers(ready, outputs)
    steps = ready.sampling.steps
    frames, states, actions = read_context_folder(
        folder, ready.model.config, ready.context, steps, ready.metadata
    )
    title = f"{folder.name}  ·  {ready.about}"
    video, futures = rollout_context(ready.model, frames, states, actions, ready.sampling, title)
    writer = _Writer(ready, outputs, upscalers, 0, folder.resolve().name)
    entry = {"id": folder.name, **writer.write(video, futures, None)}
    _write_description(ready, {"folder": str(folder)}, [entry], outputs.out)


@dataclass(frozen=True)
class _Writer:
    """Writes the files of one rollout. number, name: the episode's."""

    ready: Ready
    outputs: RolloutOutputs
    upscalers: list[VideoUpscaler]
    number: int
    name: str

    def write(
        self, video: RolloutVideo, futures: Futures, large_truth: np.ndarray | None
    ) -> dict[str, Any]:
        """Write the files; returns the entry of rollout.json."""
        stem = file_stem(self.number, self.name)
        out = self.outputs.out
        speed = self.outputs.frames_per_second
        files = write_rollout(out, stem, video, futures, speed)
        if self.upscalers:
            seed = self.ready.sampling.seed
            device = self.ready.device
            larger = super_resolve(video, self.upscalers, large_truth, seed, self.number, device)
            stem = f"{stem}-{self.outputs.upscale}"
            files |= write_pictures(out, stem, larger, speed, prefix="large_")
        return describe_rollout(video, futures, files, self.ready.sampling, self.ready.device)


def _sample_episode(
    ready: Ready, episodes: EpisodeDataset, number: int
) -> tuple[RolloutVideo, Futures]:
    episode = episodes[number]
    title = f"{episodes.name} {number} ({episode.id})  ·  {ready.about}"
    return rollout_episode(ready.model, episode, number, ready.sampling, title, ready.context)


def _upscalers(ready: Ready, outputs: RolloutOutputs) -> list[VideoUpscaler]:
    size = ready.model.config.frame_size
    return load_upscalers(outputs.upscalers, size, outputs.upscale, ready.device)


def _write_quality(
    ready: Ready, about: dict[str, Any], curves: list[EpisodeQuality], out: Path
) -> None:
    sampling = ready.sampling
    asked = {
        "states": sampling.states,
        "temperature": sampling.temperature,
        "seed": sampling.seed,
    }
    summary = summarise_quality(curves, sampling.samples)
    write_json(out / "quality.json", {**about, **asked, **summary.to_json()})
    quality_figure(summary, out / "quality.png", ready.context)


def _write_description(
    ready: Ready, source: dict[str, Any], entries: list[dict[str, Any]], out: Path
) -> None:
    described = {"model": ready.name, **source, "rollouts": entries}
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "rollout.json", {"format": "pixelpush-rollout", "version": 1, **described})
    for entry in entries:
        print("  ".join(str(out / name) for name in entry["files"].values()))
