"""Regenerate golden.json: each decoder's nats per sub-pixel on fixed weights and a fixed video.

python tests/vpn/make_golden.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))
from tiny import GOLDEN, KINDS, tiny_model, tiny_video


def golden_value(kind: str) -> float:
    model = tiny_model(kind)
    with torch.no_grad():
        return float(-model.log_prob(*tiny_video(model)).double().mean() / model.config.colours)


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps({kind: golden_value(kind) for kind in KINDS}, indent=2) + "\n")
    print(GOLDEN.read_text())
