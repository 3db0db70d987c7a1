"""The quality of a command's rollouts: curves over the horizon and figures, as quality.json."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from pixelpush.datasets import is_simulated
from pixelpush.datasets.episodes import Episode
from pixelpush.eval.rollout.figures import EpisodeFigures, measure_futures, summarise_figures
from pixelpush.eval.rollout.quality import (
    EpisodeQuality,
    episode_quality,
    quality_figure,
    summarise_quality,
)
from pixelpush.eval.rollout.settings import RolloutSettings
from pixelpush.eval.rollout.video import RolloutVideo
from pixelpush.files import write_json
from pixelpush.vpn import load_model
from pixelpush.vpn.pose_reader import PoseReader

# The shipped reader of the poses of the simulated bin.
POSE_READER = "pose-reader"


@dataclass
class QualityLog:
    """Collects the quality of rollouts, episode by episode.

    >>> QualityLog("sim", "val", None).curves
    []
    """

    data: str
    split: str
    reader: PoseReader | None
    curves: list[EpisodeQuality] = field(default_factory=list)
    figures: list[EpisodeFigures] = field(default_factory=list)

    @classmethod
    def begin(cls, pose_reader: str, data: str, split: str) -> QualityLog:
        """An empty log. pose_reader: '' for the shipped one where the data is simulated."""
        name = pose_reader or (POSE_READER if is_simulated(data) else "")
        return cls(data, split, load_model(name, family="pose") if name else None)

    def add(self, video: RolloutVideo, samples: np.ndarray, episode: Episode) -> None:
        """Measure one episode's samples (N, steps, C, H, W) as far as its truth is recorded."""
        assert video.truth is not None
        known = video.context + len(video.truth)
        samples = samples[:, : len(video.truth)]
        self.curves.append(episode_quality(video.given, video.truth, samples))
        reader = self.reader
        if reader is not None and not _fits(reader, episode):
            reader = None
        # Labels end where the rollout does.
        extra = {
            name: values[:known]
            for name, values in episode.extra.items()
            if len(values) == len(episode.frames)
        }
        states = episode.states[:known]
        self.figures.append(
            measure_futures(episode.frames[:known], states, samples, extra, video.context, reader)
        )

    def write(self, out: Path, model: str, sampling: RolloutSettings, context: int) -> None:
        """Write quality.json and quality.png; nothing where no truth was known."""
        if not self.curves:
            return
        summary = summarise_quality(self.curves, sampling.samples)
        about = {
            "model": model,
            "data": self.data,
            "split": self.split,
            "states": sampling.states,
            "temperature": sampling.temperature,
            "seed": sampling.seed,
        }
        figures = asdict(summarise_figures(self.figures))
        write_json(out / "quality.json", {**about, **summary.to_json(), "figures": figures})
        quality_figure(summary, out / "quality.png", context)


def _fits(reader: PoseReader, episode: Episode) -> bool:
    c = reader.config
    expected = (c.colours, c.frame_size, c.frame_size)
    return episode.frames.shape[1:] == expected and episode.states.shape[1] == c.state_dim
