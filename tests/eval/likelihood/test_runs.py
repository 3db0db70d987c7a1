"""A model is never scored on another version of the simulated bin than the one it was trained
on."""

from __future__ import annotations

import json

import pytest

from pixelpush.cli import run as run_command
from pixelpush.datasets.sim.episodes import training_content
from pixelpush.datasets.sim.generate import identity
from pixelpush.errors import InputError
from pixelpush.eval.likelihood.runs import agreed_facts, trained_on_another_bin


@pytest.fixture
def run(save_model_folder, tmp_path):
    """A run that says it was trained on sim:2000, with a content hash to be given."""
    folder = save_model_folder(tmp_path / "run", seed=0)

    def write(content):
        training = {"episodes": 2000, "content": content}
        config = {
            "preset": "push-ot-small",
            "data": "sim:2000",
            "task": {"model": {"frame_size": 64}, "training": training},
        }
        (folder / "config.json").write_text(json.dumps(config))
        return str(folder)

    return write


@pytest.mark.parametrize("data", ["", "sim", "sim-cameras:50"])
@pytest.mark.parametrize("command", [["nll"], ["rollout", "--out", "OUT"]])
def test_a_model_of_another_version_is_refused_before_anything_is_made(
    run, data, command, tmp_path, monkeypatch
):
    monkeypatch.setenv("PIXELPUSH_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    given = ["--data", data] if data else []
    advice = "another version.*'pixelpush train push-ot-small --data sim:2000 --run RUN'"
    with pytest.raises(InputError, match=advice) as caught:
        run_command([*command, "--model", run("0" * 64), *given])
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


def test_other_data_may_be_scored_with_any_model(run):
    assert agreed_facts([run("0" * 64)], "bair").data == "bair"


def test_a_model_of_this_version_is_accepted_on_every_laboratory(run):
    name = run(training_content(identity("sim", 64), "train", 2000))
    assert not trained_on_another_bin(name)
    assert agreed_facts([name]).data == "sim:2000"
    assert agreed_facts([name], "sim-diverse").data == "sim-diverse"
