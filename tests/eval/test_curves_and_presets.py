"""Runs side by side, and the list of what can be trained."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pixelpush.errors import InputError
from pixelpush.eval.curves import draw_curves, read_curves
from pixelpush.eval.presets import parameters, preset_text, presets_text
from pixelpush.eval.text import fitted_table
from pixelpush.image.kinds import NOT_MEASURED
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
    lines = presets_text(width=310).splitlines()
    for name, preset in presets().items():
        line = next(line for line in lines if line.startswith(f"{name} "))
        assert preset.hardware in line
        assert (preset.minutes if preset.minutes != NOT_MEASURED else "-") in line
        assert preset.expected.removesuffix(f"; ours {NOT_MEASURED}") in line or line.endswith("-")
    model = build_model("push-ot-small", state_dim=5, action_dim=5)
    small = sum(weights.numel() for weights in model.parameters())
    assert parameters(find_preset("push-ot-small")) == small
    line = next(line for line in lines if line.startswith("push-ot-small "))
    assert f"{small / 1e6:.2f}M" in line


def test_the_list_fits_the_terminal(monkeypatch):
    """It was 180 columns wide; a terminal broke every line."""
    monkeypatch.setattr("pixelpush.eval.presets.parameters", lambda preset: 4_770_000)
    for columns in (80, 100, 250):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert max(map(len, presets_text().splitlines())) <= min(columns, 100)


def test_a_fitted_table_loses_no_word():
    """Cells are read back from the columns that the header marks."""
    rows = [
        ["a-very-long-name", "1", "an hour, or more"],
        ["b", "22", "half-way through to-morrow"],
    ]
    lines = fitted_table(["name", "n", "takes"], rows, width=31).splitlines()
    assert max(map(len, lines)) <= 31
    start = lines[0].index("takes")
    told = " ".join(line[start:].strip() for line in lines[2:])
    assert told == " ".join(words for *_, words in rows)
    assert [line[:16].strip() for line in lines[2:] if line[:16].strip()] == [r[0] for r in rows]
    narrow = fitted_table(["name", "takes"], [["b", "half-way through"]], width=12)
    assert narrow.splitlines()[2:] == ["b     half-", "      way", "      through"]


def test_one_preset_is_shown_whole():
    text = preset_text("push-ot-small")
    preset = find_preset("push-ot-small")
    assert preset.command in text
    assert f"batch_size = {preset.train.batch_size}" in text
    assert 'kind = "ot"' in text
