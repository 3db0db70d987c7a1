"""The check for GPUs, as far as a CPU runs it."""

from __future__ import annotations

import json

from experiments import gpu_check
from experiments.gpu_check import Options, faults, law, training_rate


def test_the_laws_hold_and_faults_are_named(tmp_path):
    options = Options(device="cpu", size=16)
    found = {"video": {"ot": law("ot", options)}, "image": {}}
    assert faults(found) == []
    assert 0 < found["video"]["ot"]["bf16_float32"] < 1
    found["video"]["ot"]["cpu_device"] = 0.5
    found["image"]["pixelcnn"] = {"sampler_scorer": float("nan")}
    found["tests"] = {"command": "pytest", "exit_code": 1}
    assert [line.split(":")[0] for line in faults(found)] == [
        "video ot",
        "image pixelcnn",
        "pytest",
    ]


def test_one_file_holds_everything(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(gpu_check, "VIDEO_KINDS", ("baseline",))
    monkeypatch.setattr(gpu_check, "IMAGE_KINDS", ("pixelcnn",))
    options = Options(
        tmp_path / "a.json", "cpu", preset="push-ot-small", batch=1, frames=4, size=16
    )
    gpu_check.main(options)
    found = json.loads((tmp_path / "a.json").read_text())
    assert found["training"]["teraflops_per_second"] > 0
    assert found["training"]["share_of_peak"] is None
    assert found["image"]["pixelcnn"]["cpu_device"] == 0
    assert "baseline: sampler_scorer" in capsys.readouterr().out


def test_flops_are_counted():
    rate = training_rate(Options(device="cpu", preset="push-ot-small", batch=1, frames=4))
    assert rate["clips_per_second"] > 0
