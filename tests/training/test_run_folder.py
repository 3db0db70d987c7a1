"""What a run's folder says about the code that trains it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

import pixelpush
from pixelpush.errors import InputError
from pixelpush.training.config import DataConfig, TrainConfig
from pixelpush.training.run_folder import _commit, begin_or_resume


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.org")
    done = subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_commit_is_read_and_git_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A training that starts must not take the index's lock from somebody who commits."""
    module = tmp_path / "pixelpush" / "__init__.py"
    module.parent.mkdir()
    module.write_text("")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    monkeypatch.setattr(pixelpush, "__file__", str(module))
    os.utime(module, (1e9, 1e9))  # git would note in its index that only the time differs
    before = (tmp_path / ".git" / "index").read_bytes()
    assert _commit() == git(tmp_path, "rev-parse", "HEAD")
    assert (tmp_path / ".git" / "index").read_bytes() == before
    module.write_text("changed = True")
    assert _commit() == git(tmp_path, "rev-parse", "HEAD") + "-modified"


def test_a_run_of_before_a_setting_goes_on_at_its_default(tmp_path: Path):
    begin_or_resume(tmp_path, TrainConfig(8, 100), {}, {})
    path = tmp_path / "config.json"
    about = json.loads(path.read_text())
    del about["train"]["data"]["object_labels"]
    path.write_text(json.dumps(about))
    begin_or_resume(tmp_path, TrainConfig(8, 100), {}, {})
    labelled = TrainConfig(8, 100, data=DataConfig(own_samples=0.5, object_labels=True))
    with pytest.raises(InputError, match=r"own_samples = 0\.0, the command asks for 0\.5"):
        begin_or_resume(tmp_path, labelled, {}, {})
