"""Training a Video Pixel Network on episodes: clips, normalisation statistics, validation."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pixelpush.datasets.actions import ActionMeasure
from pixelpush.datasets.augment import Augmentation, Mirror, augment
from pixelpush.datasets.corruption import corrupt
from pixelpush.datasets.episodes import Episode, EpisodeDataset, Prefix, identity
from pixelpush.datasets.hashing import hash64
from pixelpush.datasets.inspection import entry_names
from pixelpush.datasets.order import training_clip
from pixelpush.errors import InputError
from pixelpush.progress import Progress, silent
from pixelpush.training.config import DataConfig
from pixelpush.training.drawing_lesson import LESSON, drawing_lesson
from pixelpush.training.moved_objects import check_labels, moved_objects
from pixelpush.training.object_lesson import LESSON as OBJECT_LESSON
from pixelpush.training.object_lesson import (
    check_object_labels,
    object_lesson,
    object_places,
)
from pixelpush.training.task import SCORE
from pixelpush.training.vector_statistics import usable_scale, vector_statistics
from pixelpush.vpn import build_model
from pixelpush.vpn.config import VideoConfig
from pixelpush.vpn.own_past import OwnPast
from pixelpush.vpn.presets import video_config
from pixelpush.vpn.scoring import score_episodes, total_score

_VALIDATION_BATCH = 8
# So many episodes tell poses from deltas.
_KIND_EPISODES = 64
# A lesson in drawing is taken from at most so many frames of an episode.
_LESSON_FRAMES = 20
# Share of the true pasts in which objects go along the ways that the model leads them.
_LED = 0.5
# Purposes of draws.
_DRAWN = 0xD4A34
_CORRUPTED = 0xC0447
_LABELLED = 0x0B7EC7


class VideoTask:
    """Clips of the training episodes, one per episode and epoch; a ``Task``.

    A clip has ``data.clip_frames`` frames. A data set whose shortest episode is shorter gives clips
    of that length, which is said on stderr. Raises InputError where data and model do not fit.

    >>> vectors = np.zeros((6, 2), np.float32)
    >>> episode = Episode(np.zeros((6, 3, 16, 16), np.uint8), vectors, vectors, "one")
    >>> task = VideoTask("ot", {}, DataConfig(clip_frames=4), [episode])
    >>> task.example(seed=0, epoch=0, index=0)[1]["frames"].shape
    (4, 3, 16, 16)
    """

    family = "video"
    headline = SCORE

    def __init__(
        self,
        model: str,
        overrides: Mapping[str, Any],
        data: DataConfig,
        training: EpisodeDataset,
        validation: EpisodeDataset | None = None,
    ):
        if len(training) == 0:
            raise InputError(
                "the training split has no episode; choose another with --train-split."
            )
        self.training = training
        self.validation = validation
        self.data = replace(data, clip_frames=_clip_frames(training, data))
        self.examples_per_epoch = len(training)
        self.frames_per_example = self.data.clip_frames
        found = {**_shapes(training[0]), **_action_kind(training)}
        self.config: VideoConfig = video_config(model, **{**found, **overrides})
        layered = self.config.encoder == "layered" and self.config.state_dim > 0
        self.draws = layered and self.data.drawing_episodes > 0
        if self.data.teaches == "drawing":
            if not self.draws:
                raise InputError(
                    "data.teaches=drawing: this model draws no arm (encoder=layered with states, "
                    "and data.drawing_episodes above 0)."
                )
            self.headline = "drawing_error"
        if self.data.teaches == "objects":
            if not (self.config.objects and self.draws):
                raise InputError(
                    "data.teaches=objects: this model has no objects (objects above 0, and "
                    "data.drawing_episodes above 0)."
                )
            check_object_labels(training[0])
            self.headline = "object_error"
        if data.object_labels:
            check_labels(training[0])
        self._lesson_frames = min(_shortest(training, _LESSON_FRAMES), _LESSON_FRAMES)
        self._augmentation = _augmentation(self.data, training)

    def describe(self) -> Mapping[str, Any]:
        """Model configuration and the identity of both splits."""
        return {
            "model": asdict(self.config),
            "clip_frames": self.data.clip_frames,
            **_training_identity(self.training),
            "validation": None if self.validation is None else identity(self.validation),
            "notes": {
                "name": getattr(self.training, "name", None),
                "metadata": getattr(self.training, "metadata", None),
            },
        }

    def build_model(self) -> nn.Module:
        """A new model of the configuration."""
        return build_model(self.config.kind, **asdict(self.config))

    def initialise(self, model: Any, seed: int) -> None:
        """Set the normalisation of states and actions to the training split's."""
        states, actions = vector_statistics(self.training)
        metadata = getattr(self.training, "metadata", None) or {}
        scaled = [
            usable_scale(statistics, kind, entry_names(metadata, kind, len(statistics[0])))
            for kind, statistics in (("state", states), ("action", actions))
        ]
        model.set_normalisation(*scaled[0], *scaled[1])

    def example(self, seed: int, epoch: int, index: int) -> tuple[str, dict[str, np.ndarray]]:
        """Return (name, arrays) of one clip.

        frames: uint8 (T, C, H, W). states, actions: float32 (T, ...). 'history' is there where the
        model is shown a past with faults, and the 'lesson_' arrays where it learns to draw the arm;
        they stand alone where nothing else is taught.
        """
        if self.data.teaches == "drawing":
            return f"lesson {index}", self._lesson(seed, epoch, index)
        if self.data.teaches == "objects":
            return f"lesson {index}", self._object_lesson(seed, epoch, index)
        clip = self._clip(seed, epoch, index, self.data.clip_frames)
        example = {"frames": clip.frames, "states": clip.states, "actions": clip.actions}
        if self.data.corruption:
            chance = hash64(seed, epoch, index, _CORRUPTED) / 2**64
            history = clip.frames
            if chance < self.data.corruption:
                history = corrupt(clip.frames, self.data.context, seed, index, epoch)
            example["history"] = history
        if self.data.object_labels:
            start = self._start(seed, epoch, index, self.data.clip_frames)
            window = slice(start, start + self.data.clip_frames)
            example["moved"] = moved_objects(self.training[index], window, self.data.context - 1)
            if self.config.objects:
                example["places"] = object_places(self.training[index], window)
        if self.draws:
            example |= self._lesson(seed, epoch, index)
        return clip.id, example

    def _lesson(self, seed: int, epoch: int, index: int) -> dict[str, np.ndarray]:
        """Arrays 'lesson_*', the arguments of ``VideoPixelNetwork.drawing_lesson``."""
        parts = []
        for number in range(self.data.drawing_episodes):
            draw = hash64(seed, epoch, index, number, _DRAWN)
            other = self._clip(seed, epoch, draw % len(self.training), self._lesson_frames)
            parts.append(drawing_lesson(other, draw >> 32))
        return {f"lesson_{name}": np.stack([part[name] for part in parts]) for name in LESSON}

    def _object_lesson(self, seed: int, epoch: int, index: int) -> dict[str, np.ndarray]:
        """Arrays 'lesson_*', the arguments of ``vpn.losses.object_loss``."""
        parts = []
        for number in range(self.data.drawing_episodes):
            draw = hash64(seed, epoch, index, number, _LABELLED)
            other = self.training[draw % len(self.training)]
            parts.append(object_lesson(other, draw >> 32))
        names = OBJECT_LESSON
        return {f"lesson_{name}": np.stack([part[name] for part in parts]) for name in names}

    def _start(self, seed: int, epoch: int, index: int, clip_frames: int) -> int:
        lengths = getattr(self.training, "lengths", None)
        length = len(self.training[index].frames) if lengths is None else int(lengths[index])
        return training_clip(seed, epoch, index, length, clip_frames)

    def _clip(self, seed: int, epoch: int, index: int, clip_frames: int) -> Episode:
        start = self._start(seed, epoch, index, clip_frames)
        if getattr(self.training, "lengths", None) is not None:
            read = self.training.read  # type: ignore[attr-defined]
            clip: Episode = read(index, start, start + clip_frames)
        else:
            whole = self.training[index]
            window = slice(start, start + clip_frames)
            clip = Episode(
                whole.frames[window], whole.states[window], whole.actions[window], whole.id
            )
        if self._augmentation is not None:
            clip = augment(clip, self._augmentation, seed, index, epoch)
        return clip

    def losses(self, model: Callable[..., Any], batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The model's training loss on a batch of clips."""
        if self.data.teaches == "objects":
            arrays = tuple(batch[f"lesson_{name}"].flatten(0, 1) for name in OBJECT_LESSON)
            return model(objects=arrays)
        lesson = None
        if self.draws:
            lesson = tuple(batch[f"lesson_{name}"].flatten(0, 1) for name in LESSON)
        clip = batch.get("frames"), batch.get("states"), batch.get("actions")
        # A number of the host: the branch waits for no device.
        history = batch.get("history")
        places = batch.get("places")
        own = float(torch.rand(())) < self.data.own_samples
        if own:
            history = OwnPast(batch.get("moved"))
        # Its own samples show objects where its own ways lead.
        if places is None or own or float(torch.rand(())) < _LED:
            return model(*clip, self.data.context, history, lesson)
        return model(*clip, self.data.context, history, lesson, places)

    def validation_cost(self, limit: int) -> float:
        """Whole episodes forward, beside clips forward and backward."""
        if self.validation is None:
            return 0.0
        count = min(limit, len(self.validation))
        lengths = getattr(self.validation, "lengths", None)
        if lengths is None:
            lengths = [len(self.validation[index].frames) for index in range(count)]
        return float(sum(lengths[:count])) / (3 * self.data.clip_frames)

    def evaluate(
        self,
        model: nn.Module,
        limit: int | None,
        device: torch.device,
        precision: str,
        progress: Progress = silent,
    ) -> dict[str, float]:
        """Exact nats per sub-pixel of the validation episodes, or of the first ``limit``."""
        if self.validation is None or self.data.teaches != "all":
            return {}
        episodes = self.validation if limit is None else Prefix(self.validation, limit)
        with progress(len(episodes), "scoring") as advance:
            scores = score_episodes(
                model,
                episodes,
                self.data.context,
                self.data.scored_frames,
                _VALIDATION_BATCH,
                device,
                precision,
                advance,
            )
        nats, subpixels = total_score(scores)
        return {SCORE: nats / subpixels}


def _training_identity(training: EpisodeDataset) -> dict[str, Any]:
    """What is trained on: ``training``, the data set that a run is named after, and ``also``, the
    others that it was joined with, if any."""
    first, *others = getattr(training, "parts", (training,))
    also = {"also": [identity(part) for part in others]} if others else {}
    return {"training": identity(first), **also}


def _action_kind(episodes: EpisodeDataset) -> dict[str, str]:
    """What a store says of its actions; it is measured where an older store does not say, and
    actions as long as the state could be taken for poses."""
    if not hasattr(episodes, "action_kind"):
        return {}
    kind: str | None = getattr(episodes, "action_kind", None)
    first = episodes[0]
    if kind is None and first.states.shape[1] == first.actions.shape[1] > 0:
        count = min(len(episodes), _KIND_EPISODES)
        measure = ActionMeasure(first.states.shape[1], first.actions.shape[1])
        for number in range(count):
            episode = episodes[number * len(episodes) // count]
            measure.add(episode.states, episode.actions)
        kind = measure.kind()
    return {} if kind is None else {"action_kind": kind}


def _shapes(episode: Episode) -> dict[str, int]:
    _, colours, height, width = episode.frames.shape
    if height != width:
        raise InputError(
            f"episode {episode.id}: frames are {height} high and {width} wide; models need "
            "squares; prepare the data again, which crops them."
        )
    dimensions = {"state_dim": episode.states.shape[1], "action_dim": episode.actions.shape[1]}
    return {"frame_size": height, "colours": colours, **dimensions}


def _lengths(episodes: EpisodeDataset, otherwise: int) -> Sequence[int]:
    """Frames of every episode. Recorded stores know them; what does not is made in memory, or alike
    in all episodes."""
    lengths = getattr(episodes, "lengths", None)
    if lengths is None and isinstance(episodes, list):
        lengths = [len(episode.frames) for episode in episodes]
    return [otherwise] if lengths is None else lengths


def _shortest(episodes: EpisodeDataset, otherwise: int) -> int:
    return int(min(_lengths(episodes, otherwise)))


def _clip_frames(episodes: EpisodeDataset, data: DataConfig) -> int:
    lengths = _lengths(episodes, data.clip_frames)
    shortest = int(min(lengths))
    if shortest <= data.context:
        number = int(np.argmin(lengths))
        raise InputError(
            f"episode {episodes[number].id}: {shortest} frames leave nothing to predict after "
            f"{data.context}; prepare"
            f" the data again without episodes of fewer than {data.context + 1} frames."
        )
    if shortest < data.clip_frames:
        print(
            f"the shortest training episode has {shortest} frames: training clips have "
            f"{shortest}, not"
            f" {data.clip_frames}.",
            file=sys.stderr,
        )
    return min(shortest, data.clip_frames)


def _augmentation(data: DataConfig, episodes: EpisodeDataset) -> Augmentation | None:
    if not (data.mirror or data.jitter or data.colour):
        return None
    mirror = getattr(episodes, "mirror", None)
    if data.mirror and not isinstance(mirror, Mirror):
        raise InputError(
            "--mirror: this data set does not say how its states and actions change in a mirror"
            " (see --mirror-states of 'pixelpush prepare folder')."
        )
    return Augmentation(
        mirror=mirror if data.mirror else None,
        jitter=data.jitter,
        brightness=data.colour,
        contrast=data.colour,
        colour=data.colour,
    )
