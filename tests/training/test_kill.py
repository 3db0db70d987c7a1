"""SIGKILL at random moments (steps, saves, validation, start-up) and restart: the same bytes as an
undisturbed run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import tiny_training

SCRIPT = Path(tiny_training.__file__)


def kill_and_compare(
    tmp_path: Path, seeds: range, longest: float, at_least: int, **options
) -> None:
    whole = tmp_path / "whole"
    tiny_training.run_once(whole, **options)
    kills = 0
    for seed in seeds:
        run = tmp_path / f"killed-{seed}"
        extra = [
            f"{name}={json.dumps(value)}" for name, value in {"longest": longest, **options}.items()
        ]
        command = [sys.executable, str(SCRIPT), str(run), "kill", str(seed), *extra]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
        kills += int(done.stdout)
        last = "checkpoints/0000000120"
        for file in ("model.safetensors", "train.safetensors"):
            assert (run / last / file).read_bytes() == (whole / last / file).read_bytes()
        assert sorted(item.name for item in (run / "checkpoints").iterdir()) == sorted(
            item.name for item in (whole / "checkpoints").iterdir()
        )
        assert (run / "best.json").read_bytes() == (whole / "best.json").read_bytes()
    assert kills >= at_least


def test_killed_runs_end_at_the_same_bytes(tmp_path: Path):
    kill_and_compare(tmp_path, range(1), longest=0.4, at_least=3)


@pytest.mark.slow
def test_killed_runs_end_at_the_same_bytes_many_times(tmp_path: Path):
    kill_and_compare(
        tmp_path, range(100, 130), longest=0.3, at_least=100, validate_examples=10, keep=1
    )
