"""Fixtures of the simulated bin's tests: a few episodes and a small store, made once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.sim.generate import generate_episode
from pixelpush.datasets.sim.prepare import ensure_split


@pytest.fixture(scope="session")
def episode() -> Callable[..., Episode]:
    """An episode by (split, number), made once a session."""
    made: dict[tuple[str, int], Episode] = {}

    def get(split: str, number: int) -> Episode:
        if (split, number) not in made:
            made[split, number] = generate_episode("sim", split, number)
        return made[split, number]

    return get


@pytest.fixture(scope="session")
def small_root(tmp_path_factory) -> Path:
    """A data root with three episodes of val."""
    root = tmp_path_factory.mktemp("data")
    ensure_split("sim", "val", 64, 3, root=root)
    return root
