"""Runs side by side, and the list of what can be trained."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pixelpush.errors import InputError
from pixelpush.eval.curves import draw_curves, read_curves
from pixelpush.eval.presets import parameters, preset_text, presets_text
from pixelpush.training.preset_names import PRESET_NAMES, check_preset_name, help_text
from pixelpush.training.presets import find_preset, presets
from pixelpush.vpn import build_model


def write_run(folder, values):
    folder.mkdir()
    lines = []
    for step, value in enumerate(values, 1):
        lines.append({"examples": 10 * step, "nats_per_subpixel": value, "seconds": 60.0 * step})
        lines.append({"examples": 10 * step, "validation_nats_per_subpixel": value + 1})
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_curves_are_the_runs_metrics(tmp_path):
    run = write_run(tmp_path / "a", [3.0, 1.0, 2.0])
    found = read_curves(run, "examples")
    np.testing.assert_array_equal(found.training, [[10, 3], [20, 1], [30, 2]])
    np.testing.assert_array_equal(found.validation, [[10, 4], [20, 2], [30, 3]])
    by_time = read_curves(run, "minutes")
    np.testing.assert_array_equal(by_time.validation, [[1, 4], [2, 2], [3, 3]])


def test_the_figure_and_the_table_hold_every_run(tmp_path):
    runs = [write_run(tmp_path / name, values) for name, values in {"a": [3, 1], "b": [2]}.items()]
    text = draw_curves(runs, tmp_path / "curves.png", "examples")
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines()[2:4]}
    assert rows["a"] == ["1.0000", "1.0000", "20", "2.0000", "2.0000", "20"]
    assert rows["b"] == ["2.0000", "2.0000", "10", "3.0000", "3.0000", "10"]
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(InputError, match="no metrics"):
        draw_curves([tmp_path], tmp_path / "curves.png", "examples")
    (tmp_path / "metrics.jsonl").write_text('{"examples": 1, "nats_per_subpixel": 2}\n')
    with pytest.raises(InputError, match=r"line 1.*--against examples"):
        read_curves(tmp_path, "minutes")
    assert not (tmp_path / "curves.png").exists()


def test_the_light_list_of_names_is_that_of_the_presets():
    families: dict[str, list[str]] = {}
    for name, preset in presets().items():
        families.setdefault(preset.family, []).append(name)
    assert {family: list(names) for family, names in PRESET_NAMES.items()} == families
    assert all(name in help_text() for name in presets())


def test_an_unknown_preset_gets_the_nearest_three():
    with pytest.raises(
        InputError, match=r"nearest: push-ot-small, push-otn-small, push-otlogn-small\."
    ):
        check_preset_name("push-ot-smal")


def test_every_preset_is_listed_with_its_size():
    lines = presets_text().splitlines()
    for name, preset in presets().items():
        line = next(line for line in lines if line.startswith(f"{name} "))
        assert preset.hardware in line
        assert preset.minutes in line
    model = build_model("push-ot-small", state_dim=5, action_dim=5)
    small = sum(weights.numel() for weights in model.parameters())
    assert parameters(find_preset("push-ot-small")) == small
    line = next(line for line in lines if line.startswith("push-ot-small "))
    assert f"{small / 1e6:.2f}M" in line


def test_one_preset_is_shown_whole():
    text = preset_text("push-ot-small")
    preset = find_preset("push-ot-small")
    assert preset.command in text
    assert f"batch_size = {preset.train.batch_size}" in text
    assert 'kind = "ot"' in text
