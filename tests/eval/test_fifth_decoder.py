"""The recipe of docs/models.md, followed literally: one file and one line make a kind of model."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest
import torch
from flat_options import build

from pixelpush.cli.nll import NllOptions, nll
from pixelpush.cli.rollout import RolloutOptions, rollout
from pixelpush.cli.train import TrainOptions, train
from pixelpush.errors import InputError
from pixelpush.eval.speed.settings import SpeedSettings
from pixelpush.eval.speed.table import table4_text
from pixelpush.eval.speed.videos import measure
from pixelpush.training.presets import find_preset, presets
from pixelpush.vpn import build_model, load_model
from pixelpush.vpn.decoders import KINDS
from pixelpush.vpn.kinds import VideoKind

RECIPE = Path(__file__).resolve().parents[2] / "docs" / "models.md"
SIZES = {"channels": 8, "encoder_blocks": 1, "coarse_scales": 0, "lstm_channels": 4}


@pytest.fixture
def kind(tmp_path: Path, monkeypatch) -> VideoKind:
    """The file of the recipe, written and imported; then the line in the list."""
    section = RECIPE.read_text().split("## Adding a fifth decoder")[1]
    code = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert code is not None
    file = tmp_path / "rows.py"
    file.write_text(code[1])
    spec = importlib.util.spec_from_file_location("fifth_decoder_rows", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "fifth_decoder_rows", module)
    spec.loader.exec_module(module)
    monkeypatch.setitem(KINDS, module.KIND.name, module.KIND)
    return module.KIND


def test_its_record_makes_the_presets_and_its_own_distribution(kind: VideoKind):
    assert build_model("rows").config.distribution == kind.distribution == "logistic"
    assert build_model("push-rows-small").config.decoder_channels == 32
    assert find_preset("push-rows-small").train == find_preset("push-ot-small").train
    assert find_preset("push-rows").model == "push-rows"
    assert "paper-rows" not in presets()
    with pytest.raises(InputError, match="choose one of baseline, otn, ot, otlogn, rows, paper-"):
        build_model("columns")


def test_its_sampler_is_its_scorer(kind: VideoKind):
    torch.manual_seed(0)
    model = build_model("rows", frame_size=8, **SIZES).eval()
    frames = torch.randint(0, 256, (2, 4, 3, 8, 8), dtype=torch.uint8)
    vectors = torch.randn(2, 4, 5)
    out = model.rollout(frames[:, :2], vectors, vectors, generator=torch.Generator())
    with torch.no_grad():
        scored = model.log_prob(torch.cat((frames[:, :2], out.frames), 1), vectors, vectors)
    torch.testing.assert_close(out.log_prob, scored, rtol=0, atol=1e-4)
    assert out.network_evaluations == 2


def test_training_scoring_rollout_and_speed_know_it(kind: VideoKind, store: Path, tmp_path, capsys):
    run, report = tmp_path / "run", tmp_path / "nll.json"
    train(
        build(
            TrainOptions,
            preset="push-rows-small",
            data=str(store),
            run=run,
            examples=4,
            batch_size=2,
            clip_frames=5,
            settings=tuple(f"{name}={value}" for name, value in SIZES.items()),
            accelerator="cpu",
            validation_items=1,
            quiet=True,
        )
    )
    assert load_model(run, family="video").config.kind == "rows"

    given = {"model": str(run), "data": str(store), "device": "cpu", "quiet": True}
    nll(build(NllOptions, splits=("val",), episodes=1, json=report, **given))
    assert "(rows, " in capsys.readouterr().out
    assert json.loads(report.read_text())["models"][0]["kind"] == "rows"

    out = tmp_path / "out"
    rollout(build(RolloutOptions, out=out, split="val", samples=1, steps=2, **given))
    assert list(out.glob("*.mp4"))

    def tiny(name: str, size: int):
        sizes = {"decoder_channels": 4, "decoder_blocks": 1, "components": 2, "softmax_hidden": 4}
        base = {"base_size": 2, "base_layers": 2}
        return build_model(name, frame_size=size, **SIZES, **sizes, **base)

    settings = SpeedSettings(device="cpu", graph="none", videos=1, frames=1, plain_steps=1)
    rows = table4_text(measure(tiny, settings, sizes=(4,), table_size=4)).splitlines()
    measured = next(row for row in rows if row.startswith("Rows  "))
    assert float(measured.split()[1]) > 0
    assert any(row.startswith("Rows, in one graph") for row in rows)
