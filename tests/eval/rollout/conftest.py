"""A recorded episode of the small store, and options of a short rollout of it."""

from __future__ import annotations

import pytest
from flat_options import build

from pixelpush.cli.rollout import RolloutOptions
from pixelpush.datasets import open_dataset


@pytest.fixture(scope="module")
def episode(store):
    return open_dataset(store, "test-seen")[1]  # 9 frames


@pytest.fixture
def options(store, model_folder, tmp_path):
    return build(
        RolloutOptions,
        model=str(model_folder),
        out=tmp_path / "out",
        data=str(store),
        split="test-seen",
        episodes=(1,),
        samples=2,
        steps=3,
        quiet=True,
        device="cpu",
    )
