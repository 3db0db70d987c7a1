"""The long attack counts what it does, goes on where it stopped, and notices what slips through."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from experiments.attack import targets
from experiments.attack.__main__ import (
    Options,
    Totals,
    attack_commands,
    attack_inputs,
    main,
    said,
    table,
)


def test_totals_go_on_where_they_stopped_and_nothing_slips_through(tmp_path):
    options = Options(inputs=30, kills=0, work=tmp_path)
    attack_inputs(replace(options, inputs=13), Totals())
    totals = Totals.read(tmp_path / "totals.json")
    assert totals.done == 13
    attack_inputs(options, totals)
    whole = Totals()
    attack_inputs(replace(options, work=tmp_path / "at-once"), whole)
    assert totals.inputs == whole.inputs
    assert totals.done == 30
    assert len(totals.inputs) == 14
    assert not any("slipped" in counts for counts in totals.inputs.values())
    assert "| all | 30 |" in table(totals)
    assert json.loads((tmp_path / "totals.json").read_text())["peak_megabytes"] > 10


def test_inputs_and_kills_take_turns(tmp_path, monkeypatch):
    """An attack that is stopped early has made both."""
    turns: list[tuple[str, int]] = []

    def note(name: str, field: str):
        return lambda options, totals: turns.append((name, getattr(options, field)))

    monkeypatch.setattr("experiments.attack.__main__.attack_inputs", note("input", "inputs"))
    monkeypatch.setattr("experiments.attack.__main__.attack_commands", note("kill", "kills"))
    main(Options(inputs=1_000, kills=200, work=tmp_path))
    assert turns[:4] == [("input", 50), ("kill", 10), ("input", 100), ("kill", 20)]
    assert turns[-2:] == [("input", 1_000), ("kill", 200)]


def test_random_kills_of_a_command_are_counted_and_go_on(tmp_path):
    options = Options(inputs=0, kills=1, work=tmp_path)
    totals = Totals()
    attack_commands(options, totals)
    assert Totals.read(tmp_path / "totals.json").kills == {"prepare folder --overwrite": 1}
    assert "| `prepare folder --overwrite` | 1 | 0 |" in table(totals)


def test_the_page_says_what_remains_of_the_whole(tmp_path, monkeypatch):
    page = tmp_path / "attack.md"
    page.write_text("by hand <!-- attack: begin -->old<!-- attack: end --> by hand")
    part = Totals({"PNG": {"refused": 99_000}}, {"nll --json": 1_000}, peak_megabytes=5)
    monkeypatch.setattr(Totals, "read", lambda path: part)
    main(Options(inputs=99_000, kills=1_000, work=tmp_path, page=page))
    assert page.read_text().startswith("by hand <!-- attack: begin -->\n| attacked")
    assert page.read_text().endswith("<!-- attack: end --> by hand")
    assert "1,000 inputs and 0 kills remain" in page.read_text()
    whole = Totals({"PNG": {"refused": 100_000}}, {"nll --json": 1_000})
    assert "remain" not in said(whole)


def crash() -> bool:
    raise KeyError("a fault")


@pytest.mark.parametrize("read", [crash, lambda: False])
def test_what_slips_through_is_counted_and_kept(tmp_path, monkeypatch, read):
    honest = targets.targets(tmp_path / "files")[:1]
    monkeypatch.setattr(
        "experiments.attack.__main__.targets", lambda folder: [replace(honest[0], read=read)]
    )
    totals = Totals()
    attack_inputs(Options(inputs=2, kills=0, work=tmp_path), totals)
    assert totals.inputs == {"PNG": {"slipped": 2}}
    assert len(list((tmp_path / "slipped").iterdir())) == 2
