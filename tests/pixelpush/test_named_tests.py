"""Every test that the documents name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md", ROOT / "README.md"]
# `file.py`, `file.py::test_name`, `::test_name` of the file before; a name may end in dots.
NAMED = re.compile(r"`((?:[\w/]+/)?test_\w+\.py)?(?:::(test_\w+?)_?(?:\.\.\.)?)?`")


def missing(text: str, tests: dict[str, str]) -> list[str]:
    """References of a page that no file of ``tests``, path to text, answers."""
    found: list[str] = []
    file = ""
    for match in NAMED.finditer(text):
        file = match[1] or file
        if not match[1] and not match[2]:
            continue
        # A bare name is of the page's own folder or of one that the page says.
        places = [text for path, text in tests.items() if path == file or path.endswith("/" + file)]
        if not any(f"def {match[2] or ''}" in text for text in places):
            found.append(match[0])
    return found


@pytest.fixture(scope="module")
def tests() -> dict[str, str]:
    files = (ROOT / "tests").rglob("test_*.py")
    return {path.relative_to(ROOT).as_posix(): path.read_text() for path in files}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_named_test_is_there(page, tests):
    assert missing(page.read_text(), tests) == []


def test_what_is_not_there_is_found():
    tests = {"tests/a/test_one.py": "def test_first_thing():\n    pass\n"}
    page = "`test_one.py::test_first_...`, `::test_second`, `tests/b/test_one.py`, `a/test_one.py`"
    assert missing(page, tests) == ["`::test_second`", "`tests/b/test_one.py`"]
