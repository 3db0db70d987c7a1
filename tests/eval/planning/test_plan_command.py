"""``pixelpush plan``: a table of tasks, or actions for a folder; mistakes are one line."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

from pixelpush.cli import run
from pixelpush.errors import InputError
from pixelpush.eval.planning.bin import PushingBin
from pixelpush.vpn import save_model

QUICK = ["--candidates", "4", "--elites", "2", "--iterations", "1", "--quiet"]


@pytest.fixture(scope="module")
def model(bin_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "small"
    save_model(bin_model, folder)
    return folder


@pytest.fixture
def folder(tmp_path):
    """Two frames of the bin with their states and the action between them."""
    made = tmp_path / "mine"
    made.mkdir()
    bin = PushingBin("sim", "val", 0)
    states = []
    for number in range(2):
        Image.fromarray(bin.frame().transpose(1, 2, 0)).save(made / f"frame_{number}.png")
        states.append(bin.state())
        bin.step(bin.command)
    for name, rows in (("states", states), ("actions", [bin.command])):
        with open(made / f"{name}.csv", "w", newline="") as stream:
            table = csv.writer(stream)
            table.writerow("xyzpw")
            table.writerows(np.stack(rows).tolist())
    return made


def test_tasks_are_worked_on_and_the_table_is_printed(model, tmp_path, capsys):
    out = tmp_path / "out"
    short = ["--steps", "2", "--replan", "2", "--segment-frames", "1"]
    command = ["plan", "--model", str(model), "--tasks", "0", "--out", str(out), *QUICK, *short]
    run([*command, "--methods", "random", "model"])
    text = capsys.readouterr().out
    assert "planner with small" in text
    assert "random pushes" in text
    told = json.loads((out / "val-model-small.json").read_text())
    assert told["prediction"] == "mean"
    assert told["tasks"][0]["candidate_frames"] == 4 * 2
    assert (out / "films" / "val-model-small-000.mp4").stat().st_size > 1000


@pytest.mark.parametrize("aim", ["point", "picture"])
def test_actions_are_proposed_for_a_folder(model, folder, tmp_path, aim):
    out = tmp_path / "out"
    wanted = ["--point", "30", "20", "--goal", "40", "20"]
    if aim == "picture":
        wanted = ["--goal-picture", str(folder / "frame_1.png")]
    command = ["plan", "--model", str(model), "--folder", str(folder), "--out", str(out), *QUICK]
    run([*command, *wanted])
    rows = list(csv.reader((out / "actions.csv").read_text().splitlines()))
    assert len(rows) == 1 + 10
    assert len(rows[1]) == 5
    told = json.loads((out / "plan.json").read_text())
    assert np.isfinite(told["cost"])
    assert (told["point"] is None) == (aim == "picture")
    assert (out / "plan.mp4").exists()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--tasks", "50"], "val has tasks 0 to 49"),
        (["--split", "train"], "no planning tasks for split"),
        (["--methods", "magic"], "magic"),
        (["--temperature", "0"], "--temperature must be above 0"),
        (["--candidates", "2"], "at most as many"),
    ],
)
def test_mistakes_are_one_clear_line(model, tmp_path, arguments, why):
    with pytest.raises(InputError, match=why):
        run(["plan", "--model", str(model), "--out", str(tmp_path), *arguments])


def test_a_folder_needs_to_be_told_what_goes_where(model, folder, tmp_path):
    command = ["plan", "--model", str(model), "--folder", str(folder), "--out", str(tmp_path)]
    with pytest.raises(InputError, match="say what is to be pushed where"):
        run(command)
    with pytest.raises(InputError, match="from 0 to 63"):
        run([*command, "--point", "64", "1", "--goal", "1", "1"])
