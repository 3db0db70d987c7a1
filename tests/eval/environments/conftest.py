"""A small untrained model of the simulated bin's shapes; its flow and its samples move."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pixelpush.vpn import VideoPixelNetwork, build_model

pytest.importorskip("gymnasium", reason="the extra 'env' is not installed")


def small(seed: int = 0, **settings) -> VideoPixelNetwork:
    torch.manual_seed(seed)
    widths = {"channels": 8, "lstm_channels": 8, "decoder_channels": 8, "feature_channels": 8}
    model = build_model("push-ot-small", coarse_scales=1, **widths, **settings).eval()
    with torch.no_grad():
        model.encoder.composition.leave.weight.normal_(std=0.2)
    return model


@pytest.fixture(scope="session")
def bin_model() -> VideoPixelNetwork:
    """64x64, states and actions of five numbers."""
    return small()


@pytest.fixture(scope="session")
def tiny_model() -> VideoPixelNetwork:
    """16x16, states and actions of five numbers."""
    return small(frame_size=16)


@pytest.fixture
def given() -> dict[str, np.ndarray]:
    """Options of ``reset`` for the tiny model: frames, states and the action between them."""
    draw = np.random.default_rng(0)
    return {
        "frames": draw.integers(0, 256, (2, 3, 16, 16)).astype(np.uint8),
        "states": draw.standard_normal((2, 5)).astype(np.float32),
        "actions": draw.standard_normal((1, 5)).astype(np.float32),
    }
