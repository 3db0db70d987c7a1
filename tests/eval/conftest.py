"""A small store with a known noise floor, and small models saved beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.store import write_store
from pixelpush.vpn import build_model, save_model

SIZE, STATES, ACTIONS = 16, 3, 2


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def moving_square(number: int, length: int, floor: bool = True) -> Episode:
    """A bright square that moves with its action over a noisy ground."""
    draw = np.random.default_rng(number)
    frames = draw.integers(90, 110, (length, 3, SIZE, SIZE)).astype(np.uint8)
    actions = draw.integers(-1, 2, (length, ACTIONS)).astype(np.float32)
    states = np.zeros((length, STATES), np.float32)
    place = np.array([6, 6])
    for time in range(length):
        top, left = place
        frames[time, :, top : top + 4, left : left + 4] = 200
        states[time, :2] = place
        place = np.clip(place + actions[time].astype(int), 0, SIZE - 4)
    extra = {"noise_floor": np.linspace(1, 2, length, dtype=np.float32)} if floor else {}
    return Episode(frames, states, actions, f"push/{number}", extra)


@pytest.fixture(scope="session")
def store(tmp_path_factory) -> Path:
    """Splits train (4 episodes), val (2), test-seen (5 of different lengths) and test-novel (2)."""
    splits = {
        "train": [moving_square(n, 8) for n in range(4)],
        "val": [moving_square(n, 6) for n in range(10, 12)],
        "test-seen": [moving_square(20 + n, length) for n, length in enumerate((6, 9, 3, 7, 5))],
        "test-novel": [moving_square(n, 6) for n in range(30, 32)],
    }
    return write_store(
        tmp_path_factory.mktemp("data") / "squares", splits, {"source": "drawn by the tests"}
    )


def save_small(folder: Path, seed: int, **overrides) -> Path:
    torch.manual_seed(seed)
    sizes = {
        "channels": 8,
        "encoder_blocks": 1,
        "coarse_scales": 1,
        "lstm_channels": 8,
        "decoder_blocks": 1,
    }
    shapes = {"frame_size": SIZE, "state_dim": STATES, "action_dim": ACTIONS, "components": 3}
    model = build_model("ot", **{**sizes, **shapes, **overrides})
    save_model(model, folder)
    return folder


@pytest.fixture(scope="session")
def draw_episode() -> Callable[..., Episode]:
    """``draw_episode(number, length, floor=True)``."""
    return moving_square


@pytest.fixture(scope="session")
def save_model_folder() -> Callable[..., Path]:
    """``save_model_folder(folder, seed, **settings)``: a small model that fits the store."""
    return save_small


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory) -> Path:
    return save_small(tmp_path_factory.mktemp("models") / "small", seed=0)
