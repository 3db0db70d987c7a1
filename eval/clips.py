"""Nats of every pixel of episodes whose frames, states or actions were changed: what ``listen`` and
``surprise`` share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from pixelpush.datasets.episodes import Episode
from pixelpush.errors import InputError
from pixelpush.vpn import VideoPixelNetwork
from pixelpush.vpn.scoring import EpisodeSequence, scoring_windows


@dataclass(frozen=True)
class Scoring:
    """How clips are scored. context: given frames; longer episodes are cut into clips of
    ``clip_frames``, as ``nll`` does.

    >>> Scoring(context=2).clip_frames
    20
    """

    context: int = 2
    clip_frames: int = 20
    batch_size: int = 8
    device: str = "cpu"


@torch.inference_mode()
def pixel_nats(
    model: VideoPixelNetwork, episodes: Sequence[Episode], scoring: Scoring
) -> list[np.ndarray]:
    """Nats float32 (T - context, H, W) of each episode, summed over channels.

    Raises InputError for an episode that does not fit the model, and for nats that are not finite.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0)
    >>> rows = np.zeros((3, 5), np.float32)
    >>> episode = Episode(np.zeros((3, 3, 8, 8), np.uint8), rows, rows, "a")
    >>> pixel_nats(model, [episode], Scoring())[0].shape
    (1, 8, 8)
    """
    model.eval()
    windows = [
        (number, window)
        for number, episode in enumerate(episodes)
        for window in scoring_windows(len(episode.frames), scoring.clip_frames, scoring.context)
    ]
    found: list[list[np.ndarray]] = [[] for _ in episodes]
    # Only clips of one length can share a batch; sorting is stable, so clips stay in order.
    windows.sort(key=lambda item: len(item[1]), reverse=True)
    for batch in _batches(windows, scoring.batch_size):
        tensors = [
            torch.from_numpy(
                np.stack(
                    [getattr(episodes[n], name)[window.start : window.stop] for n, window in batch]
                )
            ).to(scoring.device)
            for name in ("frames", "states", "actions")
        ]
        nats = -model.log_prob(*tensors, context=scoring.context).cpu().numpy()
        for (number, _), clip in zip(batch, nats, strict=True):
            if not np.isfinite(clip).all():
                raise InputError(
                    f"episode {episodes[number].id}: the model's log-probability is not finite; "
                    "its weights have diverged; use an earlier save."
                )
            found[number].append(clip)
    return [np.concatenate(clips) for clips in found]


def _batches(windows: list[tuple[int, range]], size: int) -> list[list[tuple[int, range]]]:
    batches: list[list[tuple[int, range]]] = []
    for item in windows:
        if not batches or len(batches[-1]) == size or len(batches[-1][0][1]) != len(item[1]):
            batches.append([])
        batches[-1].append(item)
    return batches


def read_episodes(split: EpisodeSequence, count: int | None = None) -> list[Episode]:
    """The first ``count`` episodes, all for None.

    >>> read_episodes([], 3)
    []
    """
    number = len(split) if count is None else min(count, len(split))
    return [split[index] for index in range(number)]
