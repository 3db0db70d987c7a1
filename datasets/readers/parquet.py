"""Columns of a parquet file as arrays; a file or column that is not there is a clear error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet

from pixelpush.datasets.arrays import first_bytes
from pixelpush.datasets.sniff import foreign
from pixelpush.datasets.tables import rows_of_array
from pixelpush.errors import InputError


def open_parquet(path: Path) -> Any:
    """pyarrow's ParquetFile of a file; one that is not readable is an InputError.

    >>> open_parquet(Path("nowhere.parquet"))
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere.parquet: no such file.
    """
    try:
        return pyarrow.parquet.ParquetFile(path)
    except (OSError, pyarrow.ArrowException) as error:
        known = foreign(first_bytes(path)) if path.is_file() else "no such file"
        reason = known or f"not a readable parquet file ({str(error).splitlines()[0][:120]})"
        raise InputError(f"{path}: {reason}.") from None


def read_columns(
    path: Path, names: Iterable[str], rows: tuple[int, int] | None = None
) -> Mapping[str, Any]:
    """Columns by name: numbers as arrays (N,) or (N, D), pictures as a list of bytes.

    rows: the first and the one after the last. Only the row groups that hold them are read, so
    that memory stays bounded by an episode. Raises InputError naming what is missing or damaged.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.parquet"
    ...     pyarrow.parquet.write_table(pyarrow.table({"index": [0, 1, 2], "x": [5, 6, 7]}), path)
    ...     read_columns(path, ["x"], rows=(1, 3))["x"].tolist()
    [6, 7]
    """
    names = list(dict.fromkeys(names))
    with open_parquet(path) as file:
        there = file.schema_arrow.names
        for name in names:
            if name not in there:
                raise InputError(
                    f"{path}: no column {name!r}; it has {', '.join(there)}. Fetch it again, or "
                    "choose others by --state-key and --action-key."
                )
        first, last = rows or (0, file.metadata.num_rows)
        if not 0 <= first < last <= file.metadata.num_rows:
            raise InputError(
                f"{path}: rows {first} to {last} are wanted of {file.metadata.num_rows}; the file "
                "does not belong to its meta/episodes; fetch both again."
            )
        groups, before = _groups(file, first, last)
        try:
            table = file.read_row_groups(groups, columns=names)
        except (OSError, pyarrow.ArrowException) as error:
            raise InputError(
                f"{path}: damaged ({str(error).splitlines()[0][:120]}); fetch it again."
            ) from None
    part = table.slice(first - before, last - first)
    return {name: _array(part.column(name), f"{path}, column {name!r}") for name in names}


def _groups(file: Any, first: int, last: int) -> tuple[list[int], int]:
    """The row groups that hold the rows, and how many rows come before them."""
    chosen = []
    before = 0
    start = 0
    for group in range(file.metadata.num_row_groups):
        end = start + file.metadata.row_group(group).num_rows
        if end > first and start < last:
            before = start if not chosen else before
            chosen.append(group)
        start = end
    return chosen, before


def _array(column: Any, what: str) -> Any:
    kind = column.type
    if pyarrow.types.is_struct(kind) or pyarrow.types.is_binary(kind):
        # A picture is bytes, or a struct {"bytes", "path"}.
        values = column.to_pylist()
        return [value["bytes"] if isinstance(value, dict) else value for value in values]
    if column.null_count:
        raise InputError(
            f"{what}: {column.null_count} values are missing; fill them, or leave the episode out."
        )
    if _is_list(kind):
        try:
            return np.array(column.to_pylist())
        except ValueError:
            raise InputError(
                f"{what}: its rows differ in length; choose another feature, or write it with "
                "rows of one length."
            ) from None
    return column.to_numpy()


def _is_list(kind: Any) -> bool:
    types = pyarrow.types
    nested = types.is_list(kind) or types.is_fixed_size_list(kind) or types.is_large_list(kind)
    return nested or isinstance(kind, pyarrow.BaseExtensionType)


def column_rows(table: Mapping[str, Any], names: Iterable[str]) -> np.ndarray:
    """float32 (N, D): columns of numbers side by side, each flattened.

    Raises InputError for values that are no finite numbers.

    >>> column_rows({"a": np.zeros((2, 2)), "b": np.ones(2)}, ["a", "b"]).tolist()
    [[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]
    """
    parts = []
    for name in names:
        array = np.asarray(table[name])
        if array.dtype.kind not in "iufb":
            raise InputError(
                f"feature {name!r}: {array.dtype} values; numbers are needed: choose another by "
                "--state-key or --action-key."
            )
        array = array.astype(np.float64) if array.dtype.kind == "b" else array
        parts.append(rows_of_array(array.reshape(len(array), -1), f"feature {name!r}"))
    return np.concatenate(parts, axis=1)
