"""Training a 2x video upscaler on 32x32 crops (Reed et al. 2017, sections 4.2-4.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pixelpush.datasets.episodes import EpisodeDataset, identity
from pixelpush.datasets.hashing import randint
from pixelpush.errors import InputError
from pixelpush.progress import Progress, silent
from pixelpush.training.config import DataConfig
from pixelpush.training.seeding import derived_seed
from pixelpush.training.task import SCORE
from pixelpush.vpn import SuperResolutionConfig, VideoUpscaler, build_upscaler
from pixelpush.vpn.super_resolution import shrink

# Crops taken from one episode at a time: reading it costs more than cutting it.
CROPS = 8
# The most frames that a model samples itself before the one that is learnt.
OWN_STEPS = 4
# What a batch holds, in the order of the model's arguments.
BATCH = ("large", "small", "previous", "first", "own")


class SuperResolutionTask:
    """Crops of large frames with their small and previous large ones; a ``Task``.

    Times and places are random. small: the same episodes at half the size, where a data set has
    them; otherwise the area-filtered large frames. Raises InputError where sizes do not fit.

    >>> from pixelpush.datasets.episodes import Episode
    >>> vectors = np.zeros((4, 5), np.float32)
    >>> episode = Episode(np.zeros((4, 3, 16, 16), np.uint8), vectors, vectors, "one")
    >>> task = SuperResolutionTask({}, DataConfig(crop=8), [episode])
    >>> task.example(seed=0, epoch=0, index=0)[1]["small"].shape
    (8, 1, 3, 4, 4)
    """

    family = "upscaler"
    headline = SCORE

    def __init__(
        self,
        overrides: Mapping[str, Any],
        data: DataConfig,
        training: EpisodeDataset,
        validation: EpisodeDataset | None = None,
        small: tuple[EpisodeDataset, EpisodeDataset | None] | None = None,
    ):
        if len(training) == 0:
            raise InputError(
                "the training split has no episode; choose another with --train-split."
            )
        self.data = data
        self.training = training
        self.validation = validation
        self.small = small or (None, None)
        size = training[0].frames.shape[-1]
        if data.crop < 2 or data.crop % 2 or data.crop > size:
            raise InputError(
                f"data.crop must be even and at most the frames' {size} pixels, got {data.crop}."
            )
        if overrides.get("frame_size", size) != size:
            raise InputError(
                f"the training frames have {size} pixels, the model doubles to "
                f"{overrides['frame_size']}; prepare the"
                f" data at that size, or train another model with --set frame_size={size}."
            )
        settings = {"frame_size": size, "colours": training[0].frames.shape[1], **overrides}
        self.config: SuperResolutionConfig = build_upscaler(**settings).config
        self.examples_per_epoch = len(training)
        self.frames_per_example = CROPS

    def describe(self) -> Mapping[str, Any]:
        """Model configuration and the identity of the splits."""
        splits = (self.training, self.validation, *self.small)
        identities = [None if episodes is None else identity(episodes) for episodes in splits]
        return {
            "model": asdict(self.config),
            "crop": self.data.crop,
            "crops_per_example": CROPS,
            "splits": identities,
        }

    def build_model(self) -> VideoUpscaler:
        """A new model of the configuration."""
        return VideoUpscaler(self.config)

    def initialise(self, model: nn.Module, seed: int) -> None:
        """Nothing is taken from the data."""

    def example(self, seed: int, epoch: int, index: int) -> tuple[str, dict[str, np.ndarray]]:
        """Crops of one episode, at random times and places.

        large: uint8 (CROPS, C, crop, crop). small: (CROPS, M + 1, C, crop/2, crop/2), the last one
        its own. previous: (CROPS, M + 1, C, crop, crop), the large frames before these. first:
        (CROPS, C, crop, crop), the clip's first large frame. own: int64 (CROPS,), how many of the
        steps before the last the model samples itself, 0 to M.

        M is 0 without ``data.own_samples``, otherwise ``OWN_STEPS``."""
        large, small, name = self._frames(self.training, self.small[0], index)
        key = derived_seed(seed, "crops", epoch, index)
        most = OWN_STEPS if self.data.own_samples else 0
        crop = self.data.crop
        found: dict[str, list[Any]] = {name: [] for name in BATCH}
        for number in range(CROPS):
            time = 1 + randint(len(large) - 1, key, number, 0)
            times = np.arange(time - most, time + 1).clip(1)
            # Even places: the small crop then begins at whole pixels.
            top, left = (
                2 * randint((side - crop) // 2 + 1, key, number, axis)
                for axis, side in enumerate(large.shape[-2:], 1)
            )
            rows, columns = slice(top, top + crop), slice(left, left + crop)
            half = slice(top // 2, (top + crop) // 2), slice(left // 2, (left + crop) // 2)
            found["large"].append(large[time, :, rows, columns])
            found["previous"].append(large[times - 1, :, rows, columns])
            found["first"].append(large[0, :, rows, columns])
            found["small"].append(small[times, :, half[0], half[1]])
            found["own"].append(self._own_steps(key, number, min(most, time - 1)))
        return name, {key: np.stack(crops) for key, crops in found.items()}

    def _own_steps(self, key: int, number: int, most: int) -> int:
        share = randint(1_000, key, number, 3) / 1_000
        return 1 + randint(most, key, number, 4) if most and share < self.data.own_samples else 0

    def losses(self, model: Callable[..., Any], batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The upscaler's training loss on all crops of a batch."""
        large, small, previous, first, own = (batch[name].flatten(0, 1) for name in BATCH)
        return model(large, small, previous, first, own)

    def validation_cost(self, limit: int) -> float:
        """Whole frames forward, beside crops forward and backward."""
        if self.validation is None:
            return 0.0
        count = min(limit, len(self.validation))
        shape = self.validation[0].frames.shape
        pixels = count * (shape[0] - 1) * shape[2] * shape[3]
        # 3: a training example is a pass forward and a backward pass of two.
        return pixels / (3 * CROPS * self.data.crop**2)

    def evaluate(
        self,
        model: Any,
        limit: int | None,
        device: torch.device,
        precision: str,
        progress: Progress = silent,
    ) -> dict[str, float]:
        """Return the nats per sub-pixel of whole validation frames.

        Each is given its small frame, the large one before it and the first large one."""
        if self.validation is None:
            return {}
        count = len(self.validation) if limit is None else min(limit, len(self.validation))
        nats = 0.0
        subpixels = 0
        with (
            progress(count, "scoring") as advance,
            torch.no_grad(),
            torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"),
        ):
            for index in range(count):
                large, small, _ = self._frames(self.validation, self.small[1], index)
                inputs = [
                    torch.from_numpy(x).to(device) for x in (large[1:], small[1:], large[:-1])
                ]
                first = inputs[2][:1].expand_as(inputs[2])
                nats -= float(model.log_prob(*inputs, first).cpu().double().sum())
                subpixels += large[1:].size
                advance(1)
        return {SCORE: nats / subpixels}

    @staticmethod
    def _frames(
        episodes: EpisodeDataset, smaller: Any, index: int
    ) -> tuple[np.ndarray, np.ndarray, str]:
        episode = episodes[index]
        if smaller is None:
            return episode.frames, shrink(torch.from_numpy(episode.frames)).numpy(), episode.id
        small = smaller[index].frames
        if small.shape[-1] * 2 != episode.frames.shape[-1] or len(small) != len(episode.frames):
            raise InputError(
                f"episode {episode.id}: small frames {small.shape} are not half of "
                f"{episode.frames.shape}."
            )
        return episode.frames, small, episode.id
