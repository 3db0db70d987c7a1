"""A split of the simulated bin as its readers see it: with sensor noise, and the entropy of that
noise."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.sim.noise import SIGMA, add_noise, noise_floor, noise_key
from pixelpush.datasets.store import EpisodeStore


class SimulatedEpisodes:
    """The first episodes of a split, with sensor noise or without.

    ``len()``, ``[i]`` and ``read(i, start, stop)`` -> Episode. episodes: how many, by default all
    that are prepared.

    With noise, frames are a noisy copy of the clean render, the same at every reading, and
    ``extra["noise_floor"]``, float32 (T,), is the mean entropy of that noise in nats per sub-pixel:
    no model can do better on average.

    >>> SimulatedEpisodes(Path("nowhere"), "sim", "train")
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere: no such folder; ...
    """

    def __init__(
        self,
        path: Path,
        laboratory: str,
        split: str,
        episodes: int | None = None,
        noise: bool = True,
    ):
        self._store = EpisodeStore(path, split)
        self.split = split
        self.noise = noise
        self.name = f"{laboratory}/{split}" + ("" if noise else " without noise")
        self._count = len(self._store) if episodes is None else episodes
        self.schema = self._store.schema
        self.mirror = self._store.mirror
        self.metadata = {
            **self._store.metadata,
            "noise": _noise_name(noise),
        }
        self.lengths = self._store.lengths[: self._count]
        # Not the store's own hash: a longer store has the same first episodes.
        self.content_sha256 = _digest(
            self.metadata["identity"], self.metadata["noise"], split, self._count
        )

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Episode:
        return self.read(index)

    def read(self, index: int, start: int = 0, stop: int | None = None) -> Episode:
        """Episode ``index``, or a part of it.

        Frames [start, stop) are as in the whole, with no ``extra`` but the floor."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"{self.name} has {len(self)} episodes, asked for {index}")
        index = int(index) % len(self)
        clean = self._store.read(index, start, stop)
        if not self.noise:
            return clean
        return replace(
            clean,
            frames=add_noise(clean.frames, noise_key(self.split, index), start),
            extra={**clean.extra, "noise_floor": noise_floor(clean.frames)},
        )


def training_content(
    identity: Mapping[str, Any], split: str, episodes: int, noise: bool = True
) -> str:
    """The ``content_sha256`` of a split of this many episodes, without making or reading it.

    identity: of the laboratory and size, as ``generate.identity`` gives it.

    >>> from pixelpush.datasets.sim.generate import identity
    >>> here = identity("sim", 64)
    >>> training_content(here, "train", 64) == training_content(here, "train", 65)
    False
    """
    return _digest(identity, _noise_name(noise), split, episodes)


def _noise_name(noise: bool) -> str:
    return f"Gaussian, sigma {SIGMA}" if noise else "none"


def _digest(identity: Mapping[str, Any], noise: str, split: str, episodes: int) -> str:
    text = f"{identity['hash']} {noise} {split} {episodes}"
    return hashlib.sha256(text.encode()).hexdigest()
