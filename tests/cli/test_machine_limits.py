"""Commands under real limits of the machine: on files, as a user who may not write, without a home,
with the run's folder taken away. Each is one line on stderr and exit code 2."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from experiments.attack.__main__ import commands
from tests.training.tiny_training import MODEL

SCRIPT = Path(__file__).with_name("refusals.py")
NOBODY, UNKNOWN = 65534, 54321


def tried(trials: dict[str, dict[str, Any]]) -> dict[str, tuple[int, str]]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(SCRIPT)],
        input=json.dumps(list(trials.values())),
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {name: (line[0], line[1]) for name, line in zip(trials, lines, strict=True)}


def all_trials(work: Path) -> dict[str, dict[str, Any]]:
    """Commands on tiny files in ``work``, by the name of their test."""
    commands(work)
    (work / "file").write_text("")
    home = work / "home"
    home.mkdir(mode=0o755)
    for folder in (work, *work.parents):
        if folder.stat().st_uid == os.getuid() and not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o055)  # pytest's folders are private
    store, model = str(work / "store"), str(work / "model")
    given = ["--model", model, "--data", store, "--split", "test", "--quiet"]
    nll = ["nll", *given, "--no-reference", "--json"]
    raw = ["prepare", "folder", "--raw", str(work / "raw"), "--size", "8", "--split", "2/1/0"]
    sizes = [word for name, size in MODEL.items() for word in ("--set", f"{name}={size}")]
    train = ["train", "push-ot-small", "--data", store, "--validation-split", "test", "--quiet"]
    train += ["--clip-frames", "3", "--save-examples", "2", "--accelerator", "cpu", *sizes, "--run"]
    small = {"limits": {"FSIZE": 1000}}
    away = {"environment": {"HOME": None, "PIXELPUSH_DATA": None}}
    locked = {"environment": {"HOME": str(home), "PIXELPUSH_DATA": None}, "uid": NOBODY}
    long = "x" * 300
    return {
        "ulimit -f, nll": {"words": [*nll, str(work / "a.json")], **small},
        "ulimit -f, prepare": {"words": [*raw, "--out", str(work / "a")], **small},
        "ulimit -f, train": {"words": [*train, str(work / "b")], **small},
        "ulimit -n, rollout": {
            "words": ["rollout", *given, "--samples", "1", "--out", str(work / "c")],
            "limits": {"NOFILE": 12},
        },
        "read-only home, sim": {"words": ["prepare", "sim", "--episodes", "1"], **locked},
        "read-only home, folder": {"words": raw, **locked},
        "read-only home, nll": {"words": [*nll, str(home / "a.json")], **locked},
        "read-only home, train": {"words": [*train, str(home / "run")], **locked},
        "no home, sim": {"words": ["prepare", "sim"], "uid": UNKNOWN, **away},
        "no home, train": {"words": [*train, "~/run"], "uid": UNKNOWN, **away},
        "run folder removed": {
            "words": [*train, str(work / "d"), "--examples", "100000"],
            "doomed": str(work / "d"),
        },
        "below a file, nll": {"words": [*nll, str(work / "file" / "a.json")]},
        "below a file, rollout": {"words": ["rollout", *given, "--out", str(work / "file" / "a")]},
        "below a file, prepare": {"words": [*raw, "--out", str(work / "file" / "a")]},
        "below a file, train": {"words": [*train, str(work / "file" / "a")]},
        "long name, nll": {"words": [*nll, f"{long}.json"]},
        "long name, rollout": {"words": ["rollout", *given, "--out", long]},
        "long name, train": {"words": [*train, long]},
        "no such user, out": {"words": [*raw, "--out=~no-such-user/a"]},
        "no such user, run": {"words": [*train, "~no-such-user/a"]},
        "workers, train": {"words": [*train, str(work / "e"), "--workers", "100000"]},
    }


SAID = {
    "ulimit -f, nll": "a.json: the file would be larger than is allowed here",
    "ulimit -f, prepare": "train-00000.array_record: the file would be larger",
    "ulimit -f, train": "Raise the limit (ulimit -f) and run again",
    "ulimit -n, rollout": "raise the limit on open files (ulimit -n)",
    "read-only home, sim": "home/.cache: Permission denied; check its permissions",
    "read-only home, folder": "choose another place by the data root $PIXELPUSH_DATA",
    "read-only home, nll": "Permission denied; check its permissions",
    "read-only home, train": "home/run: cannot be created (permission denied); use another --run",
    "no home, sim": "~/.cache/pixelpush: no such user's home folder; write the path out",
    "no home, train": "~/run: no such user's home folder; write the path out",
    "run folder removed": "the run's folder was removed while it trained",
    "below a file, nll": "file is a file and no folder; choose another place",
    "below a file, rollout": "a part of the path is a file",
    "below a file, prepare": "choose another place by --out",
    "below a file, train": "is a file; --run names the folder of the run",
    "long name, nll": "File name too long; choose a shorter name",
    "long name, rollout": "File name too long; choose a shorter name",
    "long name, train": "File name too long; choose a shorter name",
    "no such user, out": "~no-such-user/a: no such user's home folder",
    "no such user, run": "~no-such-user/a: no such user's home folder",
    "workers, train": "workers must be at most 1024, got 100000",
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory) -> dict[str, tuple[int, str]]:
    """Status and stderr of every trial; one process imports everything and forks for each."""
    work = tmp_path_factory.mktemp("limits")
    trials = all_trials(work)
    assert list(trials) == list(SAID)
    if os.getuid():
        trials = {name: trial for name, trial in trials.items() if "uid" not in trial}
    return tried(trials)


@pytest.mark.parametrize("name", SAID)
def test_a_limit_is_one_line(name, outcomes):
    if name not in outcomes:
        pytest.skip("only root can become another user")
    status, said = outcomes[name]
    assert (status, said.count("\n")) == (2, 1), said
    assert said.startswith("pixelpush: ")
    assert SAID[name] in said


def test_a_home_behind_an_equals_sign_is_found(monkeypatch):
    from pixelpush.cli import _at_home

    monkeypatch.setenv("HOME", "/home/me")
    assert [
        _at_home(word) for word in ("--out=~/films", "~/a", "~", "a~", "~ a mug", "--x=~a b")
    ] == [
        "--out=/home/me/films",
        "/home/me/a",
        "/home/me",
        "a~",
        "~ a mug",
        "--x=~a b",
    ]
