"""A seed that no generator takes is refused by every command that has one, before any work."""

from __future__ import annotations

from dataclasses import fields
from typing import get_type_hints

import pytest
from flat_options import nested

from pixelpush import cli
from pixelpush.cli.sources import sources
from pixelpush.settings import MOST_SEED

# Every command with a seed: its option, and what else it must be given.
LINES = {
    "demo": ("--seed", []),
    "drive": ("--seed", []),
    "plan": ("--seed", ["--out", "new"]),
    "rollout": ("--seed", ["--model", "push-ot-small", "--out", "new"]),
    "sample": ("--seed", ["--model", "objects-multiscale", "--out", "new.png"]),
    "train": ("--seed", ["push-ot-small", "--data", "sim", "--run", "new"]),
    "prepare moving-mnist": ("--seed", ["--raw", "."]),
    "prepare folder": ("--split-seed", ["--raw", "."]),
}


def seeds(options: type) -> set[str]:
    inner = [name for part in nested(options).values() for name in seeds(part)]
    return {f.name for f in fields(options) if f.name.endswith("seed")} | set(inner)


def found() -> set[str]:
    """The commands whose options hold a seed; of readers, those of their own."""
    commands = {**cli.COMMANDS, **{f"prepare {name}": run for name, run in sources().items()}}
    named = set()
    for name, command in commands.items():
        parts = get_type_hints(command)
        own = [part for key, part in parts.items() if key in ("options", "recordings")]
        if any(seeds(part) for part in own):
            named.add(name)
    return named


def test_every_command_with_a_seed_is_tried():
    assert found() == set(LINES) - {"prepare folder"}  # whose seed is the one of all readers


@pytest.mark.parametrize("value", [-1, MOST_SEED + 1])
@pytest.mark.parametrize("command", LINES)
def test_an_impossible_seed_is_refused_at_once(command, value, tmp_path, monkeypatch, capsys):
    option, more = LINES[command]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        cli.main([*command.split(), *more, option, str(value)])
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.err == f"pixelpush: {option} must be between 0 and {MOST_SEED}, got {value}.\n"
    assert said.out == ""
    assert not list(tmp_path.iterdir())
