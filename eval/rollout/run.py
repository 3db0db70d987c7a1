"""Carry out ``pixelpush rollout``: sample futures, write their files, describe them as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from pixelpush.datasets import is_simulated, open_dataset
from pixelpush.datasets.episodes import Episode, EpisodeDataset
from pixelpush.errors import InputError
from pixelpush.eval.devices import pick_device
from pixelpush.eval.likelihood.runs import agreed_facts, open_split, run_facts, split_names
from pixelpush.eval.rollout.context_folder import read_context_folder
from pixelpush.eval.rollout.horizon import read_actions
from pixelpush.eval.rollout.layers import check_layers, layer_pictures
from pixelpush.eval.rollout.mp4 import write_png
from pixelpush.eval.rollout.page import write_page
from pixelpush.eval.rollout.perceptual import Perceptual, load_perceptual
from pixelpush.eval.rollout.quality_log import QualityLog
from pixelpush.eval.rollout.record import (
    Entry,
    actions_digest,
    add_to_record,
    free_stem,
    read_record,
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
from pixelpush.eval.rollout.sheet import contact_sheet
from pixelpush.eval.rollout.super_resolution import load_upscalers, super_resolve
from pixelpush.eval.rollout.video import RolloutVideo
from pixelpush.files import write_json
from pixelpush.progress import progress_unless
from pixelpush.settings import Device
from pixelpush.vpn import VideoPixelNetwork, VideoUpscaler, load_model


@dataclass(frozen=True)
class Ready:
    """A loaded model and how it is to be sampled. name: as it was asked for. context: frames.
    metadata: of the data that it was trained on.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0)
    >>> Ready("runs/a", model, 2, "cpu", RolloutSettings(seed=3)).about
    'a  ·  seed 3  ·  temperature 1'
    """

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
    """Load a model to sample from; a context of None is the one that it was trained with.

    >>> prepare("nowhere", None, "cpu", RolloutSettings())
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: nowhere: neither a run folder, a saved model nor a shipped ...
    """
    where = pick_device(device)
    facts = run_facts(name)
    given = facts.context if context is None else context
    model = load_model(name, where, family="video")
    return Ready(name, model, given, where, sampling, facts.metadata)


def roll_out_episodes(
    ready: Ready,
    data: str,
    split: str,
    numbers: Sequence[int],
    outputs: RolloutOutputs,
    actions: Path | None = None,
) -> None:
    """Sample futures of recorded episodes and write them into ``outputs.out``.

    data: '' for the data that the model was trained on. split: '' for the last one. actions: a CSV
    of actions in the place of the recorded ones. Raises InputError for a number that the split does
    not have.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0)
    >>> ready = Ready("a", model, 2, "cpu", RolloutSettings())
    >>> outputs = RolloutOutputs(Path("out"))
    >>> roll_out_episodes(ready, "sim", "val", [0], outputs, actions=Path("nowhere.csv"))
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: nowhere.csv: no such file; the model needs actions of 5 ...
    """
    own = None if actions is None else read_actions(actions, ready.model.config.action_dim)
    read_record(outputs.out)  # refuses a folder of something else before hours are spent
    data = agreed_facts([ready.name], data).data
    split = split or split_names(data)[-1]
    episodes = open_split(data, split, ready.model.config.frame_size)
    # Before anything is simulated at the large size, which takes minutes.
    _check_numbers(numbers, episodes)
    if outputs.layers:
        check_layers(ready.model)
    upscalers = _upscalers(ready, outputs)
    large = None
    if upscalers and is_simulated(data):  # only the episodes asked for are drawn large
        large = open_dataset(data, split, size=outputs.upscale, episodes=max(numbers) + 1)
    source = {"model": ready.name, "data": data, "split": split}
    measures = _Measures.begin(ready, outputs, data, split)
    entries: list[Entry] = []
    shown: list[tuple[str, RolloutVideo]] = []
    with progress_unless(outputs.quiet)(len(numbers), "rollouts") as advance:
        for number in numbers:
            episode = episodes[number]
            video, futures = _sample_episode(ready, episodes, number, own)
            video = _with_layers(ready, video, futures, outputs)
            of_episode = {"episode": number, "id": episode.id}
            about = {**source, **of_episode, "actions_sha256": actions_digest(own)}
            writer = _Writer(ready, outputs, upscalers, number, about)
            truth = None if large is None or own is not None else large[number].frames
            entries.append(writer.write(video, futures, truth))
            shown.append((f"{episodes.name} {number} ({episode.id})", video))
            measures.add(video, futures, episode)
            advance(1)
    measures.write(ready, outputs.out, {**source, "model": Path(ready.name).name})
    _finish(ready, shown, entries, outputs)


def _check_numbers(numbers: Sequence[int], episodes: EpisodeDataset) -> None:
    for number in numbers:
        if not 0 <= number < len(episodes):
            raise InputError(
                f"--episodes {number}: {episodes.name} has episodes 0 to {len(episodes) - 1}."
            )


@dataclass(frozen=True)
class _Measures:
    """What is measured of rollouts beside their likelihood; None for what was not asked for."""

    quality: QualityLog | None
    perceptual: Perceptual | None

    @classmethod
    def begin(cls, ready: Ready, outputs: RolloutOutputs, data: str, split: str) -> _Measures:
        quality = QualityLog.begin(outputs.pose_reader, data, split) if outputs.quality else None
        return cls(quality, load_perceptual(outputs.lpips, outputs.fvd, ready.device))

    def add(self, video: RolloutVideo, futures: Futures, episode: Episode) -> None:
        if self.perceptual is not None:
            self.perceptual.add(video)
        if self.quality is not None and video.truth is not None:
            self.quality.add(video, futures.frames, episode)

    def write(self, ready: Ready, out: Path, about: Mapping[str, str]) -> None:
        if self.quality is not None:
            self.quality.write(out, about["model"], ready.sampling, ready.context)
        if self.perceptual is not None:
            write_json(out / "perceptual.json", {**about, **self.perceptual.to_json()})


def roll_out_folder(ready: Ready, folder: Path, outputs: RolloutOutputs) -> None:
    """Sample futures of the frames, states and actions in a folder, and write them.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0)
    >>> ready = Ready("a", model, 2, "cpu", RolloutSettings())
    >>> roll_out_folder(ready, Path("nowhere"), RolloutOutputs(Path("out")))
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: nowhere: no such folder; --folder names one with the first ...
    """
    if outputs.layers:
        check_layers(ready.model)
    upscalers = _upscalers(ready, outputs)
    steps = ready.sampling.steps
    frames, states, actions = read_context_folder(
        folder, ready.model.config, ready.context, steps, ready.metadata
    )
    title = f"{folder.name}  ·  {ready.about}"
    video, futures = rollout_context(ready.model, frames, states, actions, ready.sampling, title)
    video = _with_layers(ready, video, futures, outputs)
    about = {"model": ready.name, "folder": str(folder), "id": folder.resolve().name}
    writer = _Writer(ready, outputs, upscalers, 0, about)
    _finish(ready, [(folder.name, video)], [writer.write(video, futures, None)], outputs)


def _with_layers(
    ready: Ready, video: RolloutVideo, futures: Futures, outputs: RolloutOutputs
) -> RolloutVideo:
    """The video with the first sample's layers, where they are asked for."""
    if not outputs.layers:
        return video
    frames = np.concatenate((video.given, futures.frames[0]))
    layers = layer_pictures(ready.model, frames, futures.states[0], video.actions, ready.context)
    return replace(video, layers=layers)


@dataclass(frozen=True)
class _Writer:
    """Writes the files of one rollout. number: the episode's. about: what tells it from others."""

    ready: Ready
    outputs: RolloutOutputs
    upscalers: list[VideoUpscaler]
    number: int
    about: Mapping[str, Any]

    def write(self, video: RolloutVideo, futures: Futures, large_truth: np.ndarray | None) -> Entry:
        """Write the files; returns the entry of rollout.json."""
        out = self.outputs.out
        speed = self.outputs.frames_per_second
        described = describe_rollout(video, futures, {}, self.ready.sampling, self.ready.device)
        usual = file_stem(self.number, self.about["id"])
        stem = free_stem(out, usual, {**self.about, **described})
        files = write_rollout(out, stem, video, futures, speed)
        if self.upscalers:
            larger = super_resolve(
                video,
                self.upscalers,
                large_truth,
                self.ready.sampling.seed,
                self.number,
                self.ready.device,
                self.ready.sampling.temperature,
            )
            stem = f"{stem}-{self.outputs.upscale}"
            files |= write_pictures(out, stem, larger, speed, prefix="large_")
        return {**self.about, **described, "files": files}


def _sample_episode(
    ready: Ready, episodes: EpisodeDataset, number: int, actions: np.ndarray | None
) -> tuple[RolloutVideo, Futures]:
    episode = episodes[number]
    own = "" if actions is None else "  ·  other actions"
    title = f"{episodes.name} {number} ({episode.id}){own}  ·  {ready.about}"
    return rollout_episode(
        ready.model, episode, number, ready.sampling, title, ready.context, actions
    )


def _upscalers(ready: Ready, outputs: RolloutOutputs) -> list[VideoUpscaler]:
    size = ready.model.config.frame_size
    return load_upscalers(outputs.upscalers, size, outputs.upscale, ready.device)


def _finish(
    ready: Ready,
    shown: Sequence[tuple[str, RolloutVideo]],
    entries: Sequence[Mapping[str, Any]],
    outputs: RolloutOutputs,
) -> None:
    """Write what is of all rollouts: contact sheet, rollout.json and the page; say where."""
    out = outputs.out
    every = add_to_record(out, entries)
    write_png(out / "contact-sheet.png", contact_sheet(shown, ready.about))
    write_page(out, every, outputs.frames_per_second)
    for entry in entries:
        print("  ".join(str(out / name) for name in entry["files"].values()))
    print(f"all of them: {out / 'index.html'}  {out / 'contact-sheet.png'}")
