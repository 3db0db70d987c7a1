"""Shipped weights: half precision, loadable by name's folder, with a card."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from experiments.publish import Options, publish
from pixelpush.errors import InputError
from pixelpush.files import read_json, write_json
from pixelpush.vpn import build_model, load_model, save_model

SMALL = {
    "frame_size": 16,
    "channels": 8,
    "lstm_channels": 8,
    "decoder_channels": 8,
    "encoder_blocks": 1,
}


def finished_run(folder: Path):
    model = build_model("ot", **SMALL)
    save_model(model, folder / "checkpoints" / "0000000010")
    write_json(
        folder / "config.json",
        {
            "preset": "tiny",
            "data": "sim",
            "command": "secret path",
            "train": {"start": "/secret/run"},
        },
    )
    return model


def test_published_weights_are_the_models_to_half_precision(tmp_path):
    model = finished_run(tmp_path / "run")
    (tmp_path / "card.md").write_text("# A card\n")
    target = publish(Options(tmp_path / "run", "tiny", tmp_path / "card.md", tmp_path / "weights"))
    loaded = load_model(target)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], value, rtol=1e-3, atol=1e-6)
    card = (target / "README.md").read_text()
    assert card.startswith("---\nlicense:")
    assert card.endswith("---\n\n# A card\n")
    assert "secret" not in (target / "config.json").read_text()
    assert read_json(target / "config.json")["train"]["start"] == "run"
    with pytest.raises(InputError, match="exists"):
        publish(Options(tmp_path / "run", "tiny", tmp_path / "card.md", tmp_path / "weights"))


def test_a_card_is_needed(tmp_path):
    finished_run(tmp_path / "run")
    with pytest.raises(InputError, match=r"card\.md: no such file"):
        publish(Options(tmp_path / "run", "tiny", tmp_path / "card.md", tmp_path / "weights"))
