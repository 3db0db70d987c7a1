"""Plain-text tables and numbers: the one way that every command prints them."""

from __future__ import annotations

from collections.abc import Sequence

MISSING = "-"


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
