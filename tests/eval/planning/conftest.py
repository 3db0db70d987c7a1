"""A small untrained model of the simulated bin's shapes whose flow moves."""

from __future__ import annotations

import pytest
import torch

from pixelpush.vpn import VideoPixelNetwork, build_model


@pytest.fixture(scope="session")
def bin_model() -> VideoPixelNetwork:
    torch.manual_seed(0)
    widths = {"channels": 8, "lstm_channels": 8, "decoder_channels": 8, "feature_channels": 8}
    model = build_model("push-ot-small", coarse_scales=1, **widths).eval()
    with torch.no_grad():
        model.encoder.composition.leave.weight.normal_(std=0.2)
    return model
