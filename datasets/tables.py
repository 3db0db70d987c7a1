"""Tables of numbers beside frames: CSV, JSON {columns, data} or an array. Errors name file, row and
column."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pixelpush.datasets.sniff import foreign
from pixelpush.errors import InputError

_DECIMAL_COMMA = re.compile(r"\s*[-+]?\d*,\d+([eE][-+]?\d+)?\s*")


@dataclass(frozen=True)
class Table:
    """Named columns of a table that has been read but not yet turned into numbers.

    ``rows`` exclude the header; ``source`` names the table in errors.

    >>> Table("a.csv", ("x", "y"), [["1", "2"]]).select(["y"]).tolist()
    [[2.0]]
    """

    source: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]

    def select(self, names: Sequence[str]) -> np.ndarray:
        """float32 (rows, len(names)) of the named columns.

        Raises InputError, naming row and column, for a cell that is not a finite number.

        >>> Table("poses.csv", ("x", "y"), [["0.5", "abc"]]).select(["x", "y"])
        Traceback (most recent call last):
        pixelpush.errors.InputError: poses.csv, row 1, column 'y': 'abc' is not a number; ...
        """
        indices = [self._index(name) for name in names]
        out = np.empty((len(self.rows), len(names)), dtype=np.float32)
        for number, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise InputError(
                    f"{self.source}, row {number + 1}: {len(row)} values for {len(self.columns)} "
                    "columns; correct that row."
                )
            for position, index in enumerate(indices):
                out[number, position] = _number(
                    row[index], self.source, number + 1, names[position]
                )
        return out

    def _index(self, name: str) -> int:
        places = [index for index, column in enumerate(self.columns) if column == name]
        if len(places) != 1:
            fault = "no column" if not places else f"{len(places)} columns called"
            raise InputError(
                f"{self.source}: {fault} {name!r}; its columns are {', '.join(self.columns)}."
            )
        return places[0]

    def with_prefix(self, prefix: str) -> list[str]:
        """The columns whose names begin with ``prefix``, in stored order.

        >>> Table("poses.csv", ("state_x", "action_x", "state_y"), []).with_prefix("state_")
        ['state_x', 'state_y']
        """
        return [column for column in self.columns if column.startswith(prefix)]


def _number(cell: Any, source: str, row: int, column: str) -> float:
    where = f"{source}, row {row}, column {column!r}"
    if isinstance(cell, bool) or not isinstance(cell, (int, float, str)):
        raise InputError(
            f"{where}: {str(cell)[:40]!r} is not a number; correct it, or choose other columns."
        )
    try:
        value = float(cell)
    except (ValueError, OverflowError):
        raise InputError(
            f"{where}: {str(cell)[:40]!r} is not a number; correct it, or choose other columns."
        ) from None
    # The store holds float32, so what overflows there is not finite either.
    if not math.isfinite(value) or abs(value) > float(np.finfo(np.float32).max):
        raise InputError(
            f"{where}: {str(cell)[:40]!r} is not a finite number; correct it, or choose other "
            "columns."
        )
    return value


def read_csv(data: bytes, source: str) -> Table:
    r"""A table with a header line, UTF-8: separated by commas, semicolons, tabs or bars.

    Between semicolons and tabs a number may have a decimal comma.

    >>> read_csv(b"x;y\n0,5;2", "a.csv").select(["x"]).tolist()
    [[0.5]]
    """
    text = _text(data, source)
    separator = _separator(text)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator)
        lines = [line for line in reader if line]
    except csv.Error as error:
        raise InputError(f"{source}: not a readable CSV file ({error}); save it again.") from None
    if not lines:
        raise InputError(f"{source}: it is empty; the first line must name the columns.")
    columns = tuple(cell.strip() for cell in lines[0])
    if all(_is_number(cell) for cell in columns):
        raise InputError(f"{source}: its first line holds numbers; it must name the columns.")
    if separator != ",":
        lines = [[_decimal_point(cell) for cell in line] for line in lines]
    return Table(source, columns, lines[1:])


def _separator(text: str) -> str:
    """The separator of the first line: a comma unless it has none and another one more often."""
    first = text.split("\n", 1)[0]
    if "," in first:
        return ","
    return max((",", ";", "\t", "|"), key=first.count)


def _decimal_point(cell: str) -> str:
    return cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def read_json_table(data: bytes, source: str) -> Table:
    """A table from a JSON object {"columns": [names], "data": [rows]}.

    Raises InputError for anything else.

    >>> read_json_table(b'{"columns": ["x"], "data": [[1]]}', "a.json").columns
    ('x',)
    """
    value = parse_json(data, source)
    columns, rows = (
        (value.get("columns"), value.get("data")) if isinstance(value, dict) else (None, None)
    )
    if not isinstance(columns, list) or not all(isinstance(name, str) for name in columns):
        raise InputError(
            f"{source}: it must be an object with 'columns', a list of names, and 'data', a list "
            "of rows."
        )
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise InputError(f"{source}: 'data' must be a list of rows.")
    return Table(source, tuple(columns), rows)


def parse_json(data: bytes, source: str) -> Any:
    """JSON from untrusted bytes; anything else is an InputError.

    >>> parse_json(b"[1, 2]", "a.json")
    [1, 2]
    """
    text = _text(data, source)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{source}: not valid JSON ({type(error).__name__}: {error}); save it again."
        ) from None


def _text(data: bytes, source: str) -> str:
    known = foreign(data)
    if known:
        raise InputError(f"{source}: {known}.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{source}: not UTF-8 text (byte {error.start}); save it as UTF-8."
        ) from None


def rows_of_array(array: np.ndarray, source: str) -> np.ndarray:
    """float32 (T, D) of a numeric array (T, D) or (T,).

    Raises InputError, naming the row, for a value that is not finite.

    >>> rows_of_array(np.arange(2), "a.npy").tolist()
    [[0.0], [1.0]]
    """
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2:
        raise InputError(f"{source}: shape {array.shape}; one row per frame is needed, (T, D).")
    largest = np.finfo(np.float32).max
    good = np.isfinite(array) & (np.abs(array.astype(np.float64)) <= largest)
    if not good.all():
        row = int(np.flatnonzero(~good.all(axis=1))[0])
        raise InputError(
            f"{source}, row {row + 1}: not a finite number ({array[row][~good[row]][0]}); "
            "correct it."
        )
    return array.astype(np.float32)
