"""Plain-text tables and numbers: the one way that every command prints them."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence
from itertools import zip_longest

MISSING = "-"
WIDEST = 100  # columns of a text that is fitted to the terminal, however wide that is


def text_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], rule_before: Sequence[int] = ()
) -> str:
    """Columns of text; the first is left-aligned, the others right-aligned. A rule stands before
    the rows numbered in ``rule_before``. Every row must have the header's length.

    >>> print(text_table(["", "nats"], [["ours", "1.5"]]))
          nats
    ----------
    ours   1.5
    """
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]

    def line(row: Sequence[str]) -> str:
        cells = [
            f"{cell:<{w}}" if i == 0 else f"{cell:>{w}}"
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        return "  ".join(cells).rstrip()

    rule = "-" * len("  ".join("x" * width for width in widths))
    lines = [line(header), rule]
    for number, row in enumerate(rows):
        if number in rule_before:
            lines.append(rule)
        lines.append(line(row))
    return "\n".join(lines)


def terminal_width() -> int:
    """Columns of the terminal, at most ``WIDEST``; as many where the output goes elsewhere.

    >>> terminal_width() <= WIDEST
    True
    """
    return min(WIDEST, shutil.get_terminal_size((WIDEST, 24)).columns)


def fitted_table(header: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> str:
    """Columns of text in at most ``width`` characters: cells with several words continue on the
    next line. Columns of words are left-aligned, others right-aligned. Where single words, or the
    first column, which is kept whole, are too long, the table is wider.

    >>> print(fitted_table(["name", "size", "takes"], [["a", "1M", "an hour or two"]], width=19))
    name  size  takes
    -------------------
    a       1M  an hour
                or two
    """
    columns = list(zip(header, *rows, strict=True))
    worded = [number == 0 or any(" " in cell for cell in c) for number, c in enumerate(columns)]
    widths = _fitted_widths(columns, width)

    def lines(row: Sequence[str]) -> list[str]:
        folded = [_folded(cell, room) for cell, room in zip(row, widths, strict=True)]
        parts = zip_longest(*folded, fillvalue="")
        return [
            "  ".join(
                f"{part:<{room}}" if words else f"{part:>{room}}"
                for part, room, words in zip(line, widths, worded, strict=True)
            ).rstrip()
            for line in parts
        ]

    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    return "\n".join([*lines(header), rule, *(line for row in rows for line in lines(row))])


def _folded(cell: str, room: int) -> list[str]:
    if len(cell) <= room:
        return [cell]
    hyphens = max(map(len, cell.split())) > room  # only where a whole word finds no room
    return textwrap.wrap(cell, room, break_long_words=False, break_on_hyphens=hyphens)


def _parts(cell: str) -> list[str]:
    """What is never broken: words, and of words with hyphens the pieces."""
    return cell.replace("-", "- ").split() or [""]


def _fitted_widths(columns: Sequence[Sequence[str]], width: int) -> list[int]:
    """Step by step the column gives way that costs the fewest lines; none below its longest word,
    the first one not at all."""
    widths = [max(map(len, column)) for column in columns]
    least = [max(len(part) for cell in column for part in _parts(cell)) for column in columns]
    least[0] = widths[0]

    def height(widths: Sequence[int]) -> int:
        rows = zip(*columns, strict=True)
        return sum(
            max(len(_folded(*cell)) for cell in zip(row, widths, strict=True)) for row in rows
        )

    while sum(widths) + 2 * (len(widths) - 1) > width:
        loose = [number for number in range(len(widths)) if widths[number] > least[number]]
        if not loose:
            break
        tried = [[w - (n == number) for n, w in enumerate(widths)] for number in loose]
        widths = min(tried, key=lambda widths: (height(widths), max(widths[1:])))
    return widths


def number(value: float | None, digits: int = 4) -> str:
    """A value with fixed digits, or a dash where there is none.

    >>> number(1.0, 2), number(None)
    ('1.00', '-')
    """
    return MISSING if value is None else f"{value:.{digits}f}"


def with_error(value: float | None, error: float | None, digits: int = 4) -> str:
    """'1.0400 ± 0.0031', without the error where there is none.

    >>> with_error(1.04, 0.0031)
    '1.0400 ± 0.0031'
    """
    return (
        number(value, digits)
        if error is None or value is None
        else f"{value:.{digits}f} ± {error:.{digits}f}"
    )
