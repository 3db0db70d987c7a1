"""Making what is missing: one store per laboratory, size and split under the data root, grown when
more episodes are asked for."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from pixelpush.datasets.root import data_root
from pixelpush.datasets.sim.generate import identity
from pixelpush.datasets.sim.names import SOURCE, check_laboratory
from pixelpush.datasets.sim.splits import (
    FIRST_TRAINING,
    check_episodes,
    check_size,
    first_episodes,
)
from pixelpush.datasets.sim.versions import refuse_another_version
from pixelpush.datasets.sim.workers import Job, make_shards
from pixelpush.datasets.store import finished_shards, read_description, seal_store, summary
from pixelpush.errors import InputError
from pixelpush.files import (
    behind_links,
    expanded,
    full_disk_is_a_clear_error,
    is_complete,
    read_json,
    write_json,
)
from pixelpush.progress import progress_kept
from pixelpush.settings import MOST_WORKERS
from pixelpush.words import counted


def store_path(laboratory: str, split: str, size: int, root: Path | None = None) -> Path:
    """Where the store of a split lies: DATA/sim/64/train.

    >>> store_path("sim", "train", 64, Path("data")).as_posix()
    'data/sim/64/train'
    """
    root = data_root() if root is None else expanded(root)
    return root / laboratory / str(size) / split


def ensure_split(
    laboratory: str,
    split: str,
    size: int = 64,
    episodes: int | None = None,
    *,
    workers: int = 1,
    root: Path | None = None,
    rebuild: bool = False,
) -> Path:
    """The path of a finished store with at least this many episodes; the missing ones are made.

    A line on stderr says so. Without ``episodes``, what is there will do; where nothing is,
    ``first_episodes`` are made. May be repeated after a kill at any moment, and called by several
    processes at once: one works, the others wait. What was begun of a larger store stays for
    a later call that asks for that many again. Raises InputError for bad values, a store of another
    version of the scene (unless ``rebuild``), an unfinished larger one where no number is given, a
    full disk.

    >>> ensure_split("sim", "train", size=100)
    Traceback (most recent call last):
    pixelpush.errors.InputError: sim: frames are 64, 128, 256 pixels high and wide, not 100.
    """
    check_laboratory(laboratory)
    least = 1 if episodes is None else episodes
    check_episodes(split, least)
    check_size(size)
    if not 1 <= workers <= MOST_WORKERS:
        raise InputError(f"sim: workers must be 1 to {MOST_WORKERS}, not {workers}.")
    path = behind_links(store_path(laboratory, split, size, root))
    if not rebuild and _finished(path, laboratory, split, size) >= least:
        return path
    with full_disk_is_a_clear_error(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with only_one(path):
            if rebuild:
                for old in (path, *_begun(path, {})):
                    shutil.rmtree(old, ignore_errors=True)
            # Perhaps made by the process that this one waited for.
            finished = _finished(path, laboratory, split, size)
            if finished < least:
                count = _first(path, laboratory, split, size) if episodes is None else episodes
                _make(path, laboratory, split, size, count, finished, workers)
    return path


def prepare_splits(
    laboratory: str,
    counts: Mapping[str, int],
    size: int,
    *,
    workers: int = 1,
    root: Path | None = None,
    rebuild: bool = False,
) -> None:
    """Make this many episodes of each split, and print a summary of each store.

    All values are checked before anything is made. Raises InputError as ``ensure_split`` does.

    >>> prepare_splits("sim", {"train": 0}, 64)
    Traceback (most recent call last):
    pixelpush.errors.InputError: sim/train: episodes must be 1 to 10000000, not 0.
    """
    check_size(size)
    for split, count in counts.items():
        check_episodes(split, count)
    for split, count in counts.items():
        path = ensure_split(
            laboratory, split, size, count, workers=workers, root=root, rebuild=rebuild
        )
        print(summary(path))


def _first(path: Path, laboratory: str, split: str, size: int) -> int:
    """How many episodes to make where no number is given.

    Raises InputError where more were begun on request: those must be finished first."""
    count = first_episodes(split)
    begun = max(_begun(path, identity(laboratory, size)).values(), default=0)
    if begun > count:
        raise InputError(
            f"{laboratory}/{split}: {begun} episodes of {size}x{size} were begun and "
            f"not finished; run 'pixelpush prepare {laboratory}' again with the options it had, or "
            f"use fewer with '{laboratory}:{FIRST_TRAINING}' as the data."
        )
    return count


def _working(path: Path, episodes: int) -> Path:
    """Where a store of so many episodes grows. A smaller one has a folder of its own, so that an
    unfinished larger one is not lost to it."""
    return path.with_name(f".{path.name}.{episodes}.working")


def _begun(path: Path, of: Mapping[str, object]) -> dict[Path, int]:
    """The working folders of a store, and how many episodes each is for: 0 for another version's
    than ``of``."""
    found = {}
    for folder in path.parent.glob(f".{path.name}*.working"):
        plan = folder / "plan.json"
        fields = read_json(plan) if plan.is_file() else {}
        found[folder] = fields["episodes"] if fields.get("identity") == of else 0
    return found


def _finished(path: Path, laboratory: str, split: str, size: int) -> int:
    """How many episodes the store at ``path`` holds, 0 if there is none; another version's is
    refused."""
    if not is_complete(path):
        return 0
    description = read_description(path)
    refuse_another_version(path, description.metadata, laboratory, size)
    return description.splits[split].episodes


@contextlib.contextmanager
def only_one(path: Path) -> Iterator[None]:
    """One process at a time makes the store ``path``; others wait, and say so on stderr.

    The lock goes with the process, however that ends.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, only_one(Path(folder) / "train"):
    ...     (Path(folder) / ".train.lock").exists()
    True
    """
    with open(path.with_name(f".{path.name}.lock"), "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"sim: another process is preparing {path}; waiting for it.", file=sys.stderr)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _make(
    path: Path,
    laboratory: str,
    split: str,
    size: int,
    episodes: int,
    finished: int,
    workers: int,
) -> None:
    """Make the missing shards in a working folder beside ``path``, then turn it into the store."""
    working = _working(path, episodes)
    earlier = str(path) if finished else ""
    job = Job(str(working), laboratory, split, size, episodes, per_shard(episodes), earlier)
    take_up(working, {"identity": identity(laboratory, size), "episodes": episodes})
    done = finished_shards(working)
    missing = [index for index in range(job.shards()) if (split, index) not in done]
    made = sum(len(shard.ids) for shard in done.values())
    name = f"{laboratory}/{split}"
    print(
        f"{name}: making {counted(episodes - made, 'episode')} of {size}x{size} in {path}",
        file=sys.stderr,
        flush=True,
    )
    with progress_kept(episodes, name, made) as advance:
        make_shards(job, missing, workers, lambda: advance(1))
    (working / "plan.json").unlink(missing_ok=True)
    metadata = {
        "source": SOURCE,
        "identity": identity(laboratory, size),
        "noise": "none; added on reading",
        # Mirrored left to right, a scene is the one reflected through the robot's x-z plane: y and
        # yaw change sign.
        "mirror": [[1, 4], [1, 4]],
    }
    seal_store(working, path, metadata, overwrite=path.exists())
    for folder, begun in _begun(path, identity(laboratory, size)).items():
        if begun <= episodes:
            shutil.rmtree(folder, ignore_errors=True)


def per_shard(episodes: int) -> int:
    """Episodes of a shard: few where there are few, so that all workers have something to do.

    >>> per_shard(16), per_shard(160), per_shard(5000)
    (4, 10, 32)
    """
    return max(4, min(32, episodes // 16))


def take_up(working: Path, plan: Mapping[str, object]) -> None:
    """Go on in a working folder of the same plan; one of another plan is emptied.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     working = Path(folder) / "working"
    ...     take_up(working, {"episodes": 64})
    ...     (working / "shard").touch()
    ...     take_up(working, {"episodes": 64})
    ...     same = (working / "shard").exists()
    ...     take_up(working, {"episodes": 65})
    ...     same, (working / "shard").exists()
    (True, False)
    """
    file = working / "plan.json"
    if working.exists() and (not file.is_file() or read_json(file) != plan):
        # Out of the way first: a worker that outlives its killed parent may still be writing there.
        old = working.with_name(f"{working.name}.{os.getpid()}.old")
        os.rename(working, old)
        shutil.rmtree(old, ignore_errors=True)
    working.mkdir(parents=True, exist_ok=True)
    if not file.is_file():
        write_json(file, plan)
