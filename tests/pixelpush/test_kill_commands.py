"""SIGKILL at every file operation of an evaluation and of a preparation: nothing half-written is
taken for a result."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pixelpush.datasets.prepare import prepare
from pixelpush.datasets.store import EpisodeStore
from pixelpush.vpn import build_model, save_model

SCRIPT = Path(__file__).resolve().parents[2] / "experiments" / "attack" / "kills.py"


def kills(folder: Path, result: Path, *words: object) -> int:
    """How often the command was killed before it ended; whatever the script found wrong fails the
    test."""
    command = [sys.executable, str(SCRIPT), *map(str, (folder, result, *words))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1])


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Two recordings of four frames."""
    folder = tmp_path / "raw"
    folder.mkdir()
    for number in range(2):
        draw = np.random.default_rng(number)
        frames = draw.integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
        vectors = draw.normal(size=(4, 2)).astype(np.float32)
        np.savez(folder / f"run{number}.npz", frames=frames, states=vectors, actions=vectors)
    return folder


def test_a_killed_preparation_leaves_no_half_store(raw: Path, tmp_path: Path):
    root = tmp_path / "root"
    prepare("folder", raw, tmp_path / "undisturbed", size=8, split="2/0/0")
    words = (
        "prepare",
        "folder",
        "--raw",
        raw,
        "--out",
        root / "mine",
        "--size",
        8,
        "--split",
        "2/0/0",
        "--overwrite",
    )
    # the first half of the kills falls before the store is there, the other while it is replaced
    assert kills(root, root / "mine", *words) >= 20
    found, wanted = (
        EpisodeStore(path, "train") for path in (root / "mine", tmp_path / "undisturbed")
    )
    assert found.content_sha256 == wanted.content_sha256
    assert [path.name for path in root.iterdir()] == ["mine"]  # nothing is left of any kill


def test_a_killed_evaluation_leaves_the_old_figures_or_the_new(raw: Path, tmp_path: Path):
    prepare("folder", raw, tmp_path / "store", size=8, split="2/0/0")
    sizes = {
        "channels": 8,
        "encoder_blocks": 1,
        "coarse_scales": 0,
        "lstm_channels": 4,
        "decoder_blocks": 1,
    }
    save_model(
        build_model("ot", frame_size=8, state_dim=2, action_dim=2, components=2, **sizes),
        tmp_path / "model",
    )
    out = tmp_path / "out"
    out.mkdir()
    (out / "nll.json").write_text('{"old": true}')
    words = ("nll", "--model", tmp_path / "model", "--data", tmp_path / "store", "--split", "train")
    assert (
        kills(
            out, out / "nll.json", *words, "--no-reference", "--json", out / "nll.json", "--quiet"
        )
        >= 3
    )
    assert "old" not in json.loads((out / "nll.json").read_text())
