"""Several gloo processes on a CPU: the same examples, the same losses and weights as one, to float
tolerance."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import tiny_training
import torch
from safetensors.torch import load_file

from pixelpush.errors import InputError
from pixelpush.training.config import RunOptions
from pixelpush.training.devices import make_fabric, process_layout

SCRIPT = Path(tiny_training.__file__)
VALUES = {
    "loss",
    "nats_per_subpixel",
    "state_error",
    "gradient_norm",
    "validation_nats_per_subpixel",
}
# Sums over pieces are rounded in another order; Adam passes the rounding of small gradients on.
TOLERANCE = 1e-4


def launch(*command: str, success: bool = True) -> subprocess.CompletedProcess:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment)
    assert (done.returncode == 0) == success, done.stderr
    return done


def torchrun(
    processes: int, run: Path, *options: str, success: bool = True
) -> subprocess.CompletedProcess:
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    return launch(
        sys.executable, *launcher, str(SCRIPT), str(run), "train", *options, success=success
    )


def compare(ours: Path, one: Path) -> None:
    ours_lines, one_lines = (
        [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        for run in (ours, one)
    )
    assert [line["examples"] for line in ours_lines] == [line["examples"] for line in one_lines]
    for found, wanted in zip(ours_lines, one_lines, strict=True):
        expected = {key: wanted[key] for key in VALUES & wanted.keys()}
        assert {key: found[key] for key in VALUES & found.keys()} == pytest.approx(
            expected, rel=TOLERANCE
        )
    last = "checkpoints/0000000120/train.safetensors"
    found, wanted = load_file(ours / last), load_file(one / last)
    assert found.keys() == wanted.keys()
    for name in wanted:
        torch.testing.assert_close(found[name], wanted[name], rtol=TOLERANCE, atol=TOLERANCE)


@pytest.fixture(scope="module")
def one(tmp_path_factory) -> Path:
    """The run in one process."""
    run = tmp_path_factory.mktemp("one")
    tiny_training.run_once(run, log_examples=5)
    return run


def test_a_run_goes_on_in_two_processes_that_it_starts_itself(one: Path, tmp_path: Path):
    run = tmp_path / "two"
    assert tiny_training.run_once(run, log_examples=5, stop_after=7).examples == 40
    launch(
        sys.executable,
        str(SCRIPT),
        str(run),
        "train",
        "devices=2",
        "accumulate=2",
        "log_examples=5",
    )
    compare(run, one)


@pytest.mark.parametrize("processes", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_processes_under_torchrun_train_and_score_alike(one: Path, tmp_path: Path, processes: int):
    # The shares of 5 examples differ in size: 2 and 3; 1, 2 and 2.
    torchrun(processes, tmp_path / "several", "log_examples=5", 'scores="scores.json"')
    compare(tmp_path / "several", one)
    # scores are the same to the last bit: the same batches, summed in the same order
    tiny_training.write_scores(one / "scores.json")
    assert (tmp_path / "several" / "scores.json").read_bytes() == (one / "scores.json").read_bytes()
    assert len(json.loads((one / "scores.json").read_text())["nats"]) == 11


@pytest.mark.slow
def test_a_run_goes_on_in_one_process_after_three(one: Path, tmp_path: Path):
    torchrun(3, tmp_path, "log_examples=5", "stop_after=9")
    tiny_training.run_once(tmp_path, log_examples=5)
    compare(tmp_path, one)


@pytest.mark.slow
def test_an_error_in_the_first_process_ends_all_with_its_message(tmp_path: Path):
    (tmp_path / "run").write_text("not a folder")
    done = torchrun(2, tmp_path / "run", success=False)
    assert "is a file; --run names the folder of the run" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_a_damaged_record_in_one_process_ends_all_with_its_message(tmp_path: Path, rank: int):
    done = torchrun(2, tmp_path / "run", f"fails_in={rank}", success=False)
    assert "record 7 is damaged" in done.stderr
    assert "Connection closed" not in done.stderr


@pytest.mark.parametrize(
    ("environment", "options", "layout"),
    [
        ({}, {}, (1, 1)),
        ({}, {"devices": 4}, (4, 1)),
        ({"LOCAL_WORLD_SIZE": "4", "WORLD_SIZE": "8"}, {}, (4, 2)),
        ({"LOCAL_WORLD_SIZE": "4", "WORLD_SIZE": "8"}, {"devices": 4, "nodes": 2}, (4, 2)),
        ({"SLURM_NTASKS": "16", "SLURM_NNODES": "2", "SLURM_JOB_NAME": "train"}, {}, (8, 2)),
        ({"SLURM_NTASKS": "16", "SLURM_NNODES": "2", "SLURM_JOB_NAME": "bash"}, {}, (1, 1)),
    ],
)
def test_the_launcher_decides_unless_told(
    monkeypatch, environment: dict, options: dict, layout: tuple
):
    for name in (
        "LOCAL_WORLD_SIZE",
        "WORLD_SIZE",
        "SLURM_NTASKS",
        "SLURM_NNODES",
        "SLURM_JOB_NAME",
    ):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert process_layout(RunOptions(**options)) == layout


def test_a_layout_other_than_the_launchers_is_refused(monkeypatch):
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(
        InputError, match=r"--devices 3 --nodes 1, but the launcher started 2 processes on 1 nodes"
    ):
        process_layout(RunOptions(devices=3))


def test_a_gpu_that_is_not_there_is_said():
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(InputError, match="no CUDA device is visible"):
        make_fabric(RunOptions(accelerator="cuda"))
