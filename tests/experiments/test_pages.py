"""Tables between their marks in a page."""

from __future__ import annotations

import pytest

from experiments.pages import fenced, fill, replaced
from pixelpush.errors import InputError

MARKS = "a <!-- t: begin --> old <!-- t: end --> b"


def test_what_stands_between_the_marks_is_replaced_and_nothing_else(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"{MARKS}\n" + MARKS.replace("t:", "u:"))
    fill(page, {"t": fenced("one", "two"), "u": "three"})
    first = "a <!-- t: begin -->\n```\none\n\ntwo\n```\n<!-- t: end --> b\n"
    assert page.read_text() == f"{first}a <!-- u: begin -->\nthree\n<!-- u: end --> b"


@pytest.mark.parametrize(
    "text",
    ["nothing", MARKS * 2, "a <!-- t: begin -->", "<!-- t: end --> <!-- t: begin -->"],
)
def test_marks_are_needed_once_each_in_order(text, tmp_path):
    with pytest.raises(InputError, match=r"page.md: needs the marks <!-- t: begin -->"):
        replaced(text, "t", "new", "page.md")
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(InputError, match=f"{page}: needs the marks"):
        fill(page, {"t": "new"})
    assert page.read_text() == text
