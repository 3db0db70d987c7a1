"""Tiny video models with non-trivial weights, and the order in which each decoder predicts
pixels."""

from __future__ import annotations

import math
from pathlib import Path

import torch

from pixelpush.vpn import VideoPixelNetwork, build_model
from pixelpush.vpn.decoders import KINDS as RECORDS

KINDS = tuple(RECORDS)
GOLDEN = Path(__file__).resolve().parents[1] / "vpn" / "golden.json"


def tiny_model(kind: str, size: int = 8, gain: float = 1.2, **overrides) -> VideoPixelNetwork:
    """A model of a few thousand weights whose every path matters (nothing is left at its zero
    start)."""
    sizes = {
        "frame_size": size,
        "channels": 8,
        "encoder_blocks": 1,
        "coarse_scales": 1,
        "lstm_channels": 8,
        "decoder_channels": 8,
        "decoder_blocks": 3 if kind == "otn" else 1,
        "components": 3,
        "softmax_hidden": 8,
        "base_size": 2,
        "base_layers": 3,
        "state_dim": 2,
        "action_dim": 3,
    }
    model = build_model(kind, **{**sizes, **overrides})
    fill(model, gain)
    return model.eval()


def fill(model: torch.nn.Module, gain: float) -> None:
    """Deterministic weights that no random number generator's version can change."""
    with torch.no_grad():
        for index, parameter in enumerate(model.parameters()):
            count = parameter.numel()
            wave = (
                torch.sin(torch.arange(count, dtype=torch.float64) * 12.9898 + index) * 43758.5453
            )
            noise = (wave - wave.floor() - 0.5) * 2
            scale = 0.3 if parameter.ndim < 2 else gain / math.sqrt(count / parameter.shape[0])
            parameter.copy_(scale * noise.view_as(parameter).float())


def tiny_video(model: VideoPixelNetwork, batch: int = 2, length: int = 5, seed: int = 0):
    """(frames, states, actions) of random content that fits the model."""
    c, generator = model.config, torch.Generator().manual_seed(seed)
    shape = (batch, length, c.colours, c.frame_size, c.frame_size)
    frames = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    states = torch.randn(batch, length, c.state_dim, generator=generator)
    actions = torch.randn(batch, length, c.action_dim, generator=generator)
    return frames, states, actions


def depends(kind: str, size: int, base_size: int, row: int, column: int) -> torch.Tensor:
    """(size, size) bool: the pixels of the same frame whose probability may change with the pixel
    at (row, column).

    Written from the papers' definitions, not from the code: the pixel itself, and baseline: nothing
    else; ot: all pixels of later groups; otn: through 3x3 raster masks, everything below and to the
    right of the diagonal (row + n, column - n); otlogn: all of later groups and finer scales, and
    in the base image all later pixels in raster order."""
    rows, columns = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    here = (rows == row) & (columns == column)
    if kind == "baseline":
        return here
    if kind == "otn":
        down, right = rows - row, columns - column
        return here | ((down >= 0) & (right >= -down) & ((down > 0) | (right > 0)))
    if kind == "ot":
        return here | (2 * (rows % 2) + columns % 2 > 2 * (row % 2) + column % 2)
    assert kind == "otlogn", f"say here which pixels {kind!r} predicts from which"
    rank = torch.tensor([[_rank(r, c, size, base_size) for c in range(size)] for r in range(size)])
    return here | (rank > rank[row, column])


def _rank(row: int, column: int, size: int, base_size: int) -> int:
    """Position in the O(T log N) order: the base image's raster first, then scale by scale, group
    by group."""
    step = size // base_size
    if row % step == 0 and column % step == 0:
        return (row // step) * base_size + column // step
    scale = 0
    while row % step or column % step:
        step //= 2
        scale += 1
    return base_size**2 + 4 * scale + 2 * ((row // step) % 2) + (column // step) % 2
