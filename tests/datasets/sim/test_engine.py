"""Without MuJoCo, as on Python 3.10, the simulated bin says what it needs, and the rest works."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pixelpush.datasets.store import EpisodeStore


def without_mujoco(data: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command where MuJoCo cannot be imported, under this data root."""
    code = f"""
import os, sys
os.environ["PIXELPUSH_DATA"] = {str(data)!r}
sys.modules["mujoco"] = None
from pixelpush.cli import main
main({[str(argument) for argument in arguments]!r})
"""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("prepare", "sim", "--episodes", "1"),
        ("prepare", "sim-objects", "--images", "1"),
        ("nll", "--model", "push-ot-small", "--data", "sim"),
    ],
    ids=" ".join,
)
def test_the_bin_says_what_it_needs(arguments: tuple[str, ...], tmp_path: Path):
    done = without_mujoco(tmp_path, *arguments)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "needs MuJoCo" in done.stderr
    assert "Python 3.11" in done.stderr


def test_recordings_are_prepared_without(tmp_path: Path):
    raw = tmp_path / "raw"
    raw.mkdir()
    frames = np.zeros((4, 8, 8, 3), np.uint8)
    poses = np.zeros((4, 2), np.float32)
    np.savez(raw / "run.npz", frames=frames, states=poses, actions=poses)
    sizes = ("--size", 8, "--split", "1/0/0")
    done = without_mujoco(
        tmp_path, "prepare", "folder", "--raw", raw, "--out", tmp_path / "s", *sizes
    )
    assert done.returncode == 0, done.stderr
    assert len(EpisodeStore(tmp_path / "s", "train")) == 1
