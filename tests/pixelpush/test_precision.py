"""float32 is float32: one policy for training, validation, scoring and sampling."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from pixelpush.eval.devices import pick_device
from pixelpush.image.heads import Projection
from pixelpush.training.config import RunOptions
from pixelpush.training.devices import make_fabric

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tf32():
    """PyTorch as somebody left it, with TF32 everywhere."""
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.allow_tf32 = True
    yield
    torch.set_float32_matmul_precision(before[0])
    torch.backends.cudnn.allow_tf32 = before[1]


@pytest.mark.parametrize(
    "choose_device", [lambda: pick_device("cpu"), lambda: make_fabric(RunOptions("cpu"))]
)
def test_choosing_a_device_ends_tf32(choose_device, tf32):
    choose_device()
    assert torch.get_float32_matmul_precision() == "highest"
    assert not torch.backends.cudnn.allow_tf32


def test_nothing_else_sets_a_policy():
    pattern = re.compile(r"set_float32_matmul_precision|allow_tf32|fp32_precision")
    rooms = ("image", "vpn", "training", "eval", "datasets", "pixelpush")
    files = [file for room in rooms for file in (ROOT / room).rglob("*.py")]
    assert [file.name for file in files if pattern.search(file.read_text())] == ["precision.py"]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_distribution_parameters_are_exact_float32(tf32):
    """TF32 would err by 1e-3 of a factor; sums of 256 float32 products by far less than 1e-5."""
    pick_device("cuda")
    layer = Projection(256, 100).to("cuda")
    features = torch.randn(2, 256, 32, 32, device="cuda")
    exact = torch.nn.functional.conv2d(
        features.double(), layer.weight.double(), layer.bias.double()
    )
    with torch.autocast("cuda", torch.bfloat16):
        found = layer(features)
    assert (found - exact).abs().max() < 1e-5
