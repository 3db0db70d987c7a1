"""States, actions and times of an episode of a folder: a CSV or JSON table, or arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pixelpush.datasets.actions import ActionMeasure
from pixelpush.datasets.arrays import Archive, decode_array
from pixelpush.datasets.damage import DamageLog
from pixelpush.datasets.rates import compose, nearest_rows, ways
from pixelpush.datasets.readers.common import names_of
from pixelpush.datasets.readers.folder_files import TABLES, Files, FolderFiles, one_of
from pixelpush.datasets.tables import Table, read_csv, read_json_table, rows_of_array
from pixelpush.errors import InputError

if TYPE_CHECKING:
    from pixelpush.datasets.readers.folder import Options

_TIME_COLUMNS = ("time", "timestamp", "t", "time_s", "seconds", "timestamp_s")


@dataclass(frozen=True)
class Poses:
    """States (T, S) and actions (T, A), None where not asked for, and seconds (T,), where known.

    >>> Poses(states=np.zeros((3, 5), np.float32)).actions is None
    True
    """

    states: np.ndarray | None = None
    actions: np.ndarray | None = None
    times: np.ndarray | None = None
    state_names: tuple[str, ...] = ()
    action_names: tuple[str, ...] = ()

    def first(self, count: int) -> Poses:
        """The first ``count`` rows alone.

        >>> Poses(states=np.arange(3.0)[:, None], times=np.arange(3.0)).first(2).times.tolist()
        [0.0, 1.0]
        """
        kept = {
            name: None if rows is None else rows[:count]
            for name, rows in (
                ("states", self.states),
                ("actions", self.actions),
                ("times", self.times),
            )
        }
        return replace(self, **kept)


def read_poses(files: Files, options: Options) -> Poses:
    """What the options ask of an episode's table; InputError where it is not there or is damaged.

    >>> import tempfile
    >>> from pixelpush.datasets.readers.folder import Options
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     lines = ["t,state_x,action_x", "0.5,1,2"]
    ...     size = (Path(folder) / "poses.csv").write_text(chr(10).join(lines))
    ...     poses = read_poses(FolderFiles(Path(folder)), Options())
    >>> poses.states.tolist(), poses.actions.tolist(), poses.times.tolist()
    ([[1.0]], [[2.0]], [0.5])
    """
    if options.states == "none" and options.actions == "none" and options.join == "row":
        return Poses()
    name = _table_name(files, options)
    what = f"{files.path}/{name}"
    ending = Path(name).suffix.lower()
    if ending == ".npz":
        return read_npz(_nested_npz(files, name), options)
    if ending == ".npy":
        if options.states == "none" or options.actions == "table":
            raise InputError(
                f"{what}: a .npy table holds states alone; give --actions next-state or none."
            )
        return Poses(rows_of_array(decode_array(files.read(name), what), what))
    data = files.read(name)
    table = read_json_table(data, what) if ending == ".json" else read_csv(data, what)
    states = None
    state_names = ()
    if options.states == "table":
        state_names = _columns(table, options.state_columns, "state_")
        states = table.select(state_names)
    actions = None
    action_names = ()
    if options.actions == "table":
        action_names = _columns(table, options.action_columns, "action_")
        actions = table.select(action_names)
    return Poses(states, actions, _times(table, options), state_names, action_names)


def read_npz(archive: Archive, options: Options) -> Poses:
    """The arrays of a .npz that the options name.

    >>> import tempfile
    >>> from pixelpush.datasets.readers.folder import Options
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "run_1.npz"
    ...     np.savez(path, states=np.zeros((2, 5)))
    ...     read_npz(Archive(path), Options(actions="none")).states.shape
    (2, 5)
    """

    def rows(kind: str, key: str) -> np.ndarray:
        array = read_named(archive, key, f"--{kind}-key", f", or give --{kind} none")
        return rows_of_array(array, f"{archive.path}: array {key!r}")

    states = rows("states", options.states_key) if options.states == "table" else None
    wanted = options.actions == "table"
    return Poses(states, rows("actions", options.actions_key) if wanted else None)


def read_named(archive: Archive, key: str, option: str, otherwise: str = "") -> np.ndarray:
    """An array of a .npz; where there is none called so, an InputError that names the option.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "run_1.npz"
    ...     np.savez(path, states=np.zeros((2, 5)))
    ...     read_named(Archive(path), "states", "--states-key").shape
    (2, 5)
    """
    there = [name.removesuffix(".npy") for name in archive.names()]
    if key not in there:
        raise InputError(
            f"{archive.path}: no array {key!r}; choose by {option} from "
            f"{', '.join(there[:12]) or 'none'}{otherwise}."
        )
    return archive.read_array(key)


def join_by_time(
    poses: Poses, times: np.ndarray | None, where: str, options: Options, log: DamageLog | None
) -> Poses:
    """For every frame the row nearest in time, its action composed of rows up to the next frame's.

    times: float64 (T,), seconds of the frames. Raises InputError, naming ``where``, if frames or
    rows have no times, or a frame has no row near. Notes on the clocks go to ``log``.

    >>> from pixelpush.datasets.readers.folder import Options
    >>> rows = np.arange(4, dtype=np.float32)[:, None]
    >>> poses = Poses(states=rows, actions=rows, times=np.array([0.0, 0.1, 0.2, 0.3]))
    >>> joined = join_by_time(poses, np.array([0.0, 0.2]), "run_1", Options(compose="sum"), None)
    >>> joined.states.ravel().tolist(), joined.actions.ravel().tolist()
    ([0.0, 2.0], [1.0, 5.0])
    """
    if times is None or poses.times is None:
        lacking = "frames" if times is None else "rows of the table"
        raise InputError(
            f"{where}: --join time, but the {lacking} have no times; give --time-column, or frames "
            "named by seconds, or a video."
        )
    row_times: np.ndarray = poses.times
    frame_times: np.ndarray = times
    if times[0] < row_times[0] - 1e3 or times[0] > row_times[-1] + 1e3:
        # Another clock: a video counts from its first frame, a table often from 1970.
        frame_times = times - times[0] + row_times[0]
        if log is not None:
            log.say(
                f"{where}: frames and rows have clocks of their own; both are taken to begin "
                "together."
            )
    rows = nearest_rows(frame_times, row_times, where)
    covered = float(np.ptp(frame_times))
    whole = float(np.ptp(row_times))
    if log is not None and covered < 0.7 * whole:
        log.say(
            f"{where}: the frames last {covered:.2f} s, the table {whole:.2f} s; is one of their "
            "clocks wrong?"
        )
    states = None if poses.states is None else poses.states[rows]
    actions = (
        None if poses.actions is None else _composed(poses.actions, poses.states, rows, options)
    )
    return replace(poses, states=states, actions=actions, times=frame_times)


def _composed(
    actions: np.ndarray, states: np.ndarray | None, rows: np.ndarray, options: Options
) -> np.ndarray:
    """The actions of the chosen rows, each composed of those up to the next one's."""
    seen = np.zeros((len(actions), 0)) if states is None else states
    measure = ActionMeasure(seen.shape[1], actions.shape[1])
    measure.add(seen, actions)
    return compose(actions, rows, ways(options.compose, measure, actions.shape[1]))


def _table_name(files: Files, options: Options) -> str:
    if options.table is not None:
        name = one_of(files, options.table, TABLES, "table", "--table")
        if name is None:
            raise InputError(f"{files.path}: no table called {options.table}.")
        return name
    for endings in ((".csv", ".tsv"), (".npz",), (".json",)):
        name = one_of(files, None, endings, "table", "--table")
        if name is not None:
            return name
    there = ", ".join(sorted(files.names())[:4]) or "nothing"
    raise InputError(
        f"{files.path}: no table of states and actions (.csv, .npz, .json; name it by --table; it "
        f"holds {there}); if the recordings have none, give --states none --actions none."
    )


def _nested_npz(files: Files, name: str) -> Archive:
    if isinstance(files, FolderFiles):
        return Archive(files.path / name)
    raise InputError(
        f"{files.path}/{name}: a .npz inside a .zip is not read; use a folder, or a CSV table."
    )


def _columns(table: Table, asked: str, prefix: str) -> tuple[str, ...]:
    chosen = names_of(asked) or tuple(table.with_prefix(prefix))
    if not chosen:
        kind = prefix.rstrip("_")
        without = "--states none"
        if kind == "action":
            without = "--actions next-state where none were recorded, or --actions none"
        raise InputError(
            f"{table.source}: no columns called {prefix}*; choose by --{kind}-columns from "
            f"{', '.join(table.columns)}, or give {without}."
        )
    return chosen


def _times(table: Table, options: Options) -> np.ndarray | None:
    """float64 seconds of the rows; float32 would round times of day to minutes."""
    name = options.time_column or next(
        (column for column in table.columns if column.lower() in _TIME_COLUMNS), ""
    )
    if not name:
        return None
    table.select([name])  # refuses what is no number
    index = table.columns.index(name)
    return np.array([float(row[index]) for row in table.rows], dtype=np.float64)
