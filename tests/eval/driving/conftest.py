"""A session of a small untrained model, without a simulator beside it and with one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from pixelpush.eval.driving.session import Sampling, Session, Source
from pixelpush.eval.environments.beginnings import Beginning
from pixelpush.vpn import VideoPixelNetwork, build_model


def small(**settings) -> VideoPixelNetwork:
    torch.manual_seed(0)
    widths = {"channels": 8, "lstm_channels": 8, "decoder_channels": 8, "feature_channels": 8}
    return build_model("push-ot-small", coarse_scales=1, **widths, **settings).eval()


@pytest.fixture(scope="session")
def tiny_model() -> VideoPixelNetwork:
    return small(frame_size=16)


@pytest.fixture
def new_session(tiny_model) -> Callable[..., Session]:
    """``new_session(**sampling)``: of 16x16 pixels, from frames of noise."""

    def make(**sampling) -> Session:
        draw = np.random.default_rng(0)
        given = Beginning(
            draw.integers(0, 256, (2, 3, 16, 16)).astype(np.uint8),
            np.zeros((2, 5), np.float32),
            np.full((1, 5), 0.1, np.float32),
            "noise",
        )
        source = Source(data="", given=given, simulated=False)
        return Session(tiny_model, source, Sampling(**sampling))

    return make


@pytest.fixture(scope="session")
def bin_model() -> VideoPixelNetwork:
    """64x64, of the simulated bin's shapes."""
    return small()
