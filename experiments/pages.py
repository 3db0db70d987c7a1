"""Pages whose tables scripts make: what stands between two marks is replaced, the rest is a
person's.

A table NAME stands between '<!-- NAME: begin -->' and '<!-- NAME: end -->'."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pixelpush.errors import InputError
from pixelpush.files import atomic_file


def replaced(text: str, name: str, table: str, page: str = "the page") -> str:
    """A page's text with another table, as it is, between the marks of ``name``.

    Raises InputError, naming the page, unless it has both marks once.

    >>> replaced("a <!-- t: begin --> old <!-- t: end --> b", "t", "new")
    'a <!-- t: begin -->new<!-- t: end --> b'
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(end) < text.index(begin):
        raise InputError(f"{page}: needs the marks {begin} and {end}, in this order, once each.")
    before, rest = text.split(begin)
    return f"{before}{begin}{table}{end}{rest.split(end)[1]}"


def fill(page: Path, tables: Mapping[str, str]) -> None:
    """Replace several tables of a page, each as it is; nothing is written where a mark is
    missing."""
    text = page.read_text()
    for name, table in tables.items():
        text = replaced(text, name, f"\n{table}\n", str(page))
    with atomic_file(page) as partial:
        partial.write_text(text)


def fenced(*tables: str) -> str:
    """Plain-text tables as one block of Markdown.

    >>> fenced("a", "b")
    '```\\na\\n\\nb\\n```'
    """
    return "```\n" + "\n\n".join(tables) + "\n```"
