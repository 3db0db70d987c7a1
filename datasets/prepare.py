"""Turn recordings into a store, the same way for every reader.

The store appears only when whole; an existing one is refused before the work, or replaced at the
very end with ``overwrite``. Every import prints what was left out and ends with a page about the
data."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tqdm import tqdm

from pixelpush.datasets.arrays import read_bytes
from pixelpush.datasets.damage import DamageLog, Unreadable
from pixelpush.datasets.episodes import Episode, Metadata
from pixelpush.datasets.inspection import Measurement, inspect_store
from pixelpush.datasets.readers import find_reader
from pixelpush.datasets.recording import UNSPLIT, Entry, Recording
from pixelpush.datasets.root import data_root
from pixelpush.datasets.splits import default_split, divide_names, listed_splits
from pixelpush.datasets.store import refuse_existing, write_store
from pixelpush.datasets.tables import parse_json
from pixelpush.errors import InputError
from pixelpush.files import expanded
from pixelpush.settings import check_seed
from pixelpush.words import counted


@dataclass(frozen=True)
class StoreOptions:
    """Options of 'pixelpush prepare' that every reader has.

    >>> StoreOptions(split="48/8/8").min_frames
    2
    """

    out: Path | None = None
    """Folder of the new store. Left out: a folder under the data root ($PIXELPUSH_DATA)."""
    split: str | None = None
    """Episodes of train/val/test, as counts like 48/8/8 or shares. Left out: the source's own
    splits, a splits.json beside the recordings, or 0.8/0.1/0.1."""
    split_seed: int | None = None
    """Draw the order of episodes from this seed before splitting. Left out: the order of names."""
    min_frames: int = 2
    """Episodes with fewer frames are left out, and counted."""
    damage_limit: int | None = None
    """Number of damaged records or episodes that are named and skipped; one more is an error. Left
    out: 20 for published sets, 0 for your own."""
    action_kind: Literal["measured", "pose", "delta", "other"] = "measured"
    """What actions are: pose (like the state, where to go), delta (a change of the state), other.
    Left out: what the source says, or what the data show."""
    overwrite: bool = False
    """Replace an existing store."""

    def __post_init__(self):
        if self.split_seed is not None:
            check_seed(self.split_seed, "--split-seed")


def prepare(name: str, raw: str | Path, out: str | Path | None = None, **settings: Any) -> Path:
    """Read the recordings in ``raw`` by the reader ``name`` and write them into a store.

    settings: what 'pixelpush prepare NAME' takes, dashes as underscores. Returns the store's
    folder. Raises InputError for everything that a user can mend, and leaves nothing half-written.

    >>> prepare("folder", "nowhere", size=3)
    Traceback (most recent call last):
    pixelpush.errors.InputError: --size 3: frames of 8 to 1024 pixels are made.
    """
    own = find_reader(name).load().Options
    unknown = (
        settings.keys() - own.__dataclass_fields__.keys() - StoreOptions.__dataclass_fields__.keys()
    )
    if unknown:
        raise InputError(f"prepare {name} takes no setting {sorted(unknown)[0]!r}.")
    common = {key: settings[key] for key in settings.keys() & StoreOptions.__dataclass_fields__}
    common["out"] = None if out is None else Path(out)
    options = own(**{key: settings[key] for key in settings.keys() & own.__dataclass_fields__})
    return write_recording(name, Path(raw), options, StoreOptions(**common))


def write_recording(name: str, raw: Path, options: Any, store: StoreOptions) -> Path:
    """What ``prepare`` does, with options made: the reader's own ``Options``, and the store's.

    Returns the store's folder; raises InputError as ``prepare`` does.

    >>> write_recording("folder", Path("nowhere"), None, StoreOptions(out=Path("new")))
    Traceback (most recent call last):
    pixelpush.errors.InputError: nowhere: no such folder; ...
    """
    reader = find_reader(name)
    raw = expanded(raw)
    out = _output(store, name if reader.public else raw.resolve().stem)
    limit = reader.damage_limit if store.damage_limit is None else store.damage_limit
    log = DamageLog(limit, report=lambda line: tqdm.write(line, file=sys.stderr))
    recording = reader.load().read(raw, options, log)
    division = _divide(recording, raw, store)
    measured = Measurement(recording.metadata)
    too_short: list[str] = []

    def left_out() -> Metadata:
        return {
            **recording.left_out(),
            "episodes_too_short": too_short,
            "episodes_in_no_split": division.unused,
            "damaged_records": [str(damage) for damage in log.found],
        }

    def closing() -> Metadata:
        kind = _action_kind(store, recording, measured)
        return {**left_out(), **kind, "splits": division.how, "min_frames": store.min_frames}

    with tqdm(total=recording.total, unit="episode", disable=None) as bar:

        def take(episode: Episode) -> None:
            measured.add(episode)
            bar.update()

        write_store(
            out,
            {
                split: _episodes(entries, store.min_frames, too_short, log)
                for split, entries in division.splits.items()
            },
            recording.metadata,
            left_out=closing,
            overwrite=store.overwrite,
            written=take,
        )
    print(inspect_store(out, measured))
    return out


def _output(store: StoreOptions, name: str) -> Path:
    path = data_root() / name if store.out is None else expanded(store.out)
    refuse_existing(path, store.overwrite)  # before the work, not after it
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        where = "the data root $PIXELPUSH_DATA" if store.out is None else "--out"
        raise InputError(
            f"{path.parent}: cannot be made ({error.strerror or error}); choose another place by "
            f"{where}."
        ) from None
    return path


def _episodes(
    entries: Iterable[Entry], min_frames: int, too_short: list[str], log: DamageLog
) -> Iterator[Episode]:
    """The readable, long enough episodes; the others are counted."""
    for entry in entries:
        try:
            episode = entry.read()
        except InputError as error:
            named = entry.where in str(error)
            log.add(Unreadable(str(error) if named else f"{entry.where}: {error}"))
            continue
        if episode is None or len(episode.frames) < min_frames:
            too_short.append(entry.id)
        else:
            yield episode


@dataclass(frozen=True)
class _Division:
    """Entries by split, in words how they came about, and how many entries are in none."""

    splits: Mapping[str, Iterable[Entry]]
    how: str
    unused: int = 0


def _divide(recording: Recording, raw: Path, store: StoreOptions) -> _Division:
    """The source's own splits, or those that the options or a splits.json say."""
    has_splits = UNSPLIT not in recording.splits
    if has_splits and store.split is None:
        return _Division(recording.splits, "the source's own")
    if not all(isinstance(entries, Sequence) for entries in recording.splits.values()):
        raise InputError(f"--split {store.split}: this set has splits of its own; leave --split.")
    found = {entry.id: entry for entries in recording.splits.values() for entry in entries}
    names = list(found)
    manifest = raw / "splits.json"
    if store.split is None and manifest.is_file():
        value = parse_json(read_bytes(manifest), str(manifest))
        chosen = listed_splits(value, names, str(manifest))
        how = "splits.json"
    else:
        chosen, how = _drawn_splits(names, store)
    unused = len(names) - sum(len(members) for members in chosen.values())
    splits = {split: [found[name] for name in members] for split, members in chosen.items()}
    return _Division(splits, how, unused)


def _drawn_splits(names: list[str], store: StoreOptions) -> tuple[Mapping[str, list[str]], str]:
    """Names by split as the options say, and how in words; a lack of validation is told."""
    split = store.split or default_split(len(names))
    order = "in name order" if store.split_seed is None else f"seed {store.split_seed}"
    chosen = divide_names(names, split, store.split_seed)
    if "val" not in chosen:
        print(
            f"{counted(len(names), 'episode')}: no validation split; train with --validation-split "
            "none.",
            file=sys.stderr,
        )
    return chosen, f"{split}, {order}"


def _action_kind(
    store: StoreOptions, recording: Recording, measured: Measurement
) -> dict[str, str]:
    if store.action_kind != "measured":
        return {"action_kind": store.action_kind, "action_kind_from": "declared by --action-kind"}
    if "action_kind" in recording.metadata:
        source = recording.metadata.get("action_kind_from", "declared by the source")
        return {"action_kind_from": source}
    return {"action_kind": measured.action_kind(), "action_kind_from": "measured"}
