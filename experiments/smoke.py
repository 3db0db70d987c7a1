"""A minute's use of an installation: store own recordings, simulate, score, roll out, draw a film.

python experiments/smoke.py

Run by ``make ranges`` with the lowest and the newest versions of everything. Where MuJoCo has no
build for a Python, the recordings do, and the simulated bin must say so."""

from __future__ import annotations

import importlib.util
import json
import os
import tempfile
from pathlib import Path

import numpy as np

from pixelpush import cli
from pixelpush.errors import InputError


def main() -> None:
    """Run commands in an empty folder, and look at what they wrote."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        os.environ["PIXELPUSH_DATA"] = str(out / "data")
        store_recording(out / "raw", out / "data" / "mine")
        use("mine", "test", out / "of-mine")
        few = ["--episodes", "1", "--val-episodes", "1", "--test-episodes", "1", "--workers", "1"]
        if importlib.util.find_spec("mujoco"):
            cli.run(["prepare", "sim", *few])
            use("sim", "test-novel", out / "of-sim")
        else:
            refused(["prepare", "sim", *few])
    print("smoke test passed")


def store_recording(raw: Path, store: Path) -> None:
    """One episode of eight frames of noise, of the shapes that the shipped models take."""
    raw.mkdir(parents=True)
    draw = np.random.default_rng(0)
    frames = draw.integers(0, 256, (8, 64, 64, 3), dtype=np.uint8)
    poses = draw.normal(size=(8, 5)).astype(np.float32)
    np.savez(raw / "run.npz", frames=frames, states=poses, actions=poses)
    cli.run(["prepare", "folder", "--raw", str(raw), "--out", str(store), "--split", "0/0/1"])


def use(data: str, split: str, out: Path) -> None:
    """Score a shipped model on an episode, and sample a film of it."""
    given = ["--model", "push-ot-small", "--data", data, "--split", split, "--quiet"]
    cli.run(["nll", *given, "--no-reference", "--json", str(out.with_suffix(".json"))])
    assert json.loads(out.with_suffix(".json").read_text())
    cli.run(["rollout", *given, "--out", str(out), "--steps", "2", "--samples", "1"])
    assert list(out.glob("*.mp4"))


def refused(command: list[str]) -> None:
    """Run a command that must say that MuJoCo is missing."""
    try:
        cli.run(command)
    except InputError as error:
        said = str(error)
    else:
        raise AssertionError(f"{command} went on without MuJoCo")
    assert "Python 3.11 or newer" in said, said


if __name__ == "__main__":
    main()
