"""The README's tables come from the committed JSON."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from experiments.equal_training import Options, Row, beginning
from experiments.results import (
    equal_markdown,
    markdown,
    quality_markdown,
    read_reports,
    replace_tables,
)
from pixelpush.errors import InputError
from pixelpush.eval.statistics import mean_and_error
from pixelpush.vpn import load_model

ROOT = Path(__file__).resolve().parents[2]


def test_the_readme_shows_the_committed_figures():
    tables = markdown(read_reports(ROOT / "docs" / "results"))
    readme = (ROOT / "README.md").read_text()
    assert replace_tables(readme, tables) == readme


def test_several_seeds_are_shown_by_their_mean_and_its_error():
    splits = ("train", "val", "test-seen", "test-novel")
    floor = dict.fromkeys(splits, 1.4)

    def row(options, *drops):
        scored = {"mean": 1.5, "standard_error": 0.02}
        runs = [
            {"seed": seed, "splits": dict.fromkeys(splits, scored)} for seed in range(len(drops))
        ]
        summary = {
            **{name: asdict(mean_and_error([1.5] * len(drops))) for name in splits},
            "drop": asdict(mean_and_error(drops)),
        }
        about = {
            "preset": "push-ot-small",
            "options": options,
            "data": "sim:8",
            "parameters": 600_000,
        }
        return {**about, "runs": runs, "summary": summary}

    means = {"train": 2.4, "val": 2.5, "test-seen": 2.45, "test-novel": 2.3}
    reference = {name: {"mean": value, "standard_error": 0.01} for name, value in means.items()}
    rows = [row((), 0.03), row(("--mirror",), 0.02, 0.04)]
    table = equal_markdown(
        {"rows": rows, "floor": floor, "reference": reference, "episodes": 8}
    ).splitlines()
    assert table[2].startswith("| `push-ot-small` (0.60M) on sim:8 | 1.500 ± 0.020 (+0.100) |")
    assert table[2].endswith("| +0.030 | 1 |")
    assert table[3].startswith(
        "| `push-ot-small --mirror` (0.60M) on sim:8 | 1.500 ± 0.000 (+0.100) |"
    )
    assert table[3].endswith("| +0.030 ± 0.010 | 2 |")
    assert table[4].endswith("| 2.300 ± 0.010 (+0.900) | -0.050 |  |")


def test_runs_of_different_training_have_different_folders():
    ways = [("sim:8", ()), ("sim:9", ()), ("sim:8", ("--mirror",))]
    folders = {
        Row("push-ot-small", data, 2, options).folder(Path("runs"), seed)
        for data, options in ways
        for seed in (0, 1)
    }
    assert len(folders) == 6


def test_every_kind_starts_from_the_drawing_alone(tmp_path: Path):
    options = Options(("sim", "push-ot-small", "sim-cameras", "push-ot-small"), runs=tmp_path)
    assert [(row.preset, row.data, row.options) for row in options.rows[-2:]] == [
        ("push-ot-small", "sim", ("--mirror", "--jitter", "2")),
        ("push-ot-small", "sim-cameras", ()),
    ]
    drawing = load_model("push-ot-small").state_dict()
    start = load_model(beginning(options, Row("push-ot-small", "sim"))).state_dict()
    same = {name for name, value in drawing.items() if torch.equal(start[name], value)}
    kept = {name for name in drawing if name.startswith("encoder.drawing.")}
    assert kept | {"state_mean", "action_std"} <= same
    assert "encoder.enter.weight" not in same
    assert "state_predictor.out.weight" in drawing.keys() - same


def test_seeds_are_of_all_rows_or_of_those_that_are_named():
    def seeds(**options) -> list[int]:
        return [row.seeds for row in Options(("sim", "a", "sim-cameras", "b"), **options).rows]

    assert set(seeds(seeds=3)) == {3}
    named = seeds(seeds=3, repeated=("ot",), kinds=("baseline", "ot", "otn"))
    assert named == [1, 3, 1, 1, 1]


def test_a_data_set_needs_a_model_that_draws():
    with pytest.raises(InputError, match="pairs of words"):
        Options(("sim",))


def test_quality_has_a_row_for_each_model_and_split():
    curves = {
        curve: {"mean": value} for curve, value in (("mean", 20.0), ("best", 21.5), ("copy", 19.0))
    }
    about = {"model": "push-ot-small", "split": "val", "states": "recorded", "temperature": 0.5}
    report = {**about, "episodes": 4, "samples": 2, "steps": 18, "psnr": curves, "ssim": curves}
    table = quality_markdown([report, {**report, "split": "test-seen"}]).splitlines()
    assert (
        table[2] == "| `push-ot-small`, val, temperature 0.5 "
        "| 20.00 | 21.50 | 19.00 | 20.000 | 21.500 | 19.000 |"
    )
    assert "test-seen" in table[3]
