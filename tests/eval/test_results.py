"""The README's tables come from the committed JSON."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixelpush.errors import InputError
from pixelpush.eval.results import BEGIN, END, markdown, replace_tables
from pixelpush.files import read_json

ROOT = Path(__file__).resolve().parents[2]


def test_the_readme_shows_the_committed_figures():
    results = ROOT / "docs" / "results"
    tables = markdown(*(read_json(results / f"{name}.json") for name in ("table2", "equal", "speed")))
    readme = (ROOT / "README.md").read_text()
    assert replace_tables(readme, tables) == readme


def test_marks_are_needed_once_each():
    assert replace_tables(f"a {BEGIN} old {END} b", "new") == f"a {BEGIN}\n\nnew\n\n{END} b"
    with pytest.raises(InputError, match="marks"):
        replace_tables("nothing", "new")
