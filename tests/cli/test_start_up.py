"""What a command loads: nothing heavy before a mistake is answered, no trainer where nothing is
trained."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TRAINER = ("lightning_fabric",)
# Loaded by careless use of torch: a second each.
COMPILER = ("torch._dynamo", "sympy")
FIGURES = ("matplotlib.axes",)
NOT_TRAINING = ("demo", "rollout.run", "likelihood.run", "coding.run", "listening.run")
ALSO_NOT_TRAINING = ("surprise.run", "speed.run", "images.sample")


def loaded(code: str, names: tuple[str, ...]) -> list[str]:
    """Those of ``names`` that are imported after a fresh interpreter has run the code."""
    told = f"{code}\nimport sys\nprint([name for name in {names!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    return eval(done.stdout.splitlines()[-1])


def test_commands_that_do_not_train_load_no_trainer_and_no_figures():
    modules = "\n".join(
        f"import pixelpush.eval.{name}" for name in (*NOT_TRAINING, *ALSO_NOT_TRAINING)
    )
    code = f"{modules}\nfrom pixelpush import load_model\nload_model('push-ot-small')"
    assert loaded(code, TRAINER + COMPILER + FIGURES) == []


def test_training_does_load_the_trainer():
    assert loaded("import pixelpush.training.commands", TRAINER) == list(TRAINER)


@pytest.mark.parametrize(
    "arguments",
    [
        ["nll", "--model", "no-such-model"],
        ["nll", "--model", "push-ot-small", "--data", "no-such-data"],
        ["nll", "--model", "push-ot-small", "--split", "no-such-split"],
        [
            "rollout",
            "--model",
            "push-ot-small",
            "--data",
            "sim:100",
            "--episodes",
            "100",
            "--out=o",
        ],
        ["listen", "--model", "push-ot-small", "--data", "no-such-data"],
        ["surprise", "--model", "push-ot-small", "--split", "no-such-split", "--out", "o"],
        ["train", "no-such-preset", "--data", "sim", "--run", "r"],
        ["train", "push-ot-small", "--data", "no-such-data", "--run", "r"],
        ["--version"],
        ["train", "--help"],
        ["presets", "no-such-preset"],
    ],
    ids=" ".join,
)
def test_mistakes_and_help_are_answered_without_torch(arguments: list[str], tmp_path: Path):
    assert loaded(running(arguments, tmp_path), ("torch",)) == []
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments",
    [
        ["nll", "--model", "push-ot-small", "--data", "no-such-data"],
        ["listen", "--model", "push-ot-small", "--data", "no-such-data"],
        ["nll", "--help"],
        ["prepare", "folder", "--help"],
    ],
    ids=" ".join,
)
def test_what_names_no_simulated_bin_loads_no_simulator(arguments: list[str], tmp_path: Path):
    assert loaded(running(arguments, tmp_path), ("mujoco",)) == []


def running(arguments: list[str], data: Path) -> str:
    """Code that runs a command with an empty data root."""
    return f"""
import os
os.environ["PIXELPUSH_DATA"] = {str(data)!r}
from pixelpush.cli import main
try:
    main({arguments!r})
except SystemExit as end:
    assert end.code in (0, None) or {arguments[0]!r} != "--version"
"""
