"""A model on a set of data: what the tables of docs/likelihood.md are of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pixelpush.datasets import is_simulated, open_dataset
from pixelpush.datasets.episodes import Episode
from pixelpush.errors import InputError
from pixelpush.eval.clips import Scoring, read_episodes
from pixelpush.eval.coding.arithmetic import model_sha256
from pixelpush.eval.likelihood.runs import agreed_facts
from pixelpush.vpn import VideoPixelNetwork, load_model


@dataclass(frozen=True)
class Subject:
    """A model on a set: what every table is of. usual: the split that says what is usual."""

    data: str
    split: str
    name: str
    model: VideoPixelNetwork
    scoring: Scoring
    usual: str = "val"
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha256", model_sha256(self.model))

    @property
    def stem(self) -> str:
        return f"{Path(self.data).name.replace(':', '-')}-{self.name}"

    @property
    def title(self) -> str:
        return f"{self.name} on {self.data}"

    def open(self, split: str, count: int, noise: bool = True) -> Any:
        """The data set of which the first ``count`` episodes are looked at."""
        options = {}
        if is_simulated(self.data):
            # Only what is looked at is simulated.
            options = {"size": self.model.config.frame_size, "episodes": count, "noise": noise}
        return open_dataset(self.data, split, **options)

    def episodes(self, split: str, count: int, noise: bool = True) -> list[Episode]:
        """The first ``count`` episodes of a split."""
        return read_episodes(self.open(split, count, noise), count)

    def identity(self) -> str:
        """Hash of the version of the bin; '' for other data."""
        if not is_simulated(self.data):
            return ""
        return self.open(self.usual, 1).metadata["identity"]["hash"]

    def of(self) -> dict[str, Any]:
        """What every table of it depends on, as JSON values."""
        return {
            "data": self.data,
            "identity": self.identity(),
            "splits": [self.split, self.usual],
            "model": self.name,
            "model_sha256": self.sha256,
            "context": self.scoring.context,
            "clip_frames": self.scoring.clip_frames,
        }


def read_subjects(sets: Sequence[str]) -> Iterator[Subject]:
    """The models with their data. Raises InputError unless ``sets`` are three words each."""
    if len(sets) % 3:
        raise InputError("--sets takes three words a set: data, model, split.")
    for first in range(0, len(sets), 3):
        data, name, split = sets[first : first + 3]
        facts = agreed_facts([name], data)
        scoring = Scoring(facts.context, facts.clip_frames)
        yield Subject(data, split, Path(name).name, load_model(name, family="video"), scoring)
