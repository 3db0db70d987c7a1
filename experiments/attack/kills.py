"""Carry out a command again and again, each time killed a little later, until it ends by itself. A
script:

python kills.py FOLDER RESULT WORD [WORD ...]
python kills.py --random COUNT SEED FOLDER RESULT WORD [WORD ...]

Each try is a child that kills itself with SIGKILL at its n-th file operation under FOLDER (open,
flush, rename, remove, new folder), n = 1, 2, ...; with --random, it is killed COUNT times at random
moments. After each kill RESULT, a JSON file or a store of episodes, must be whole, absent or
refused. Prints the number of kills."""

from __future__ import annotations

import importlib
import json
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from pixelpush import cli
from pixelpush.errors import InputError
from pixelpush.files import is_complete, leftovers

OPERATIONS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree"}


def kill_at(number: int, folder: str) -> None:
    """Kill this process at its ``number``-th file operation under ``folder``."""
    seen = 0

    def hook(event: str, arguments: tuple) -> None:
        nonlocal seen
        if event not in OPERATIONS:
            return
        # A whole tree is removed through handles; its names are then relative, without the folder.
        by_handle = event in ("os.remove", "os.rmdir") and arguments[-1] != -1
        if by_handle or os.fspath(
            arguments[0] if not isinstance(arguments[0], int) else ""
        ).startswith(folder):
            seen += 1
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def check(result: Path) -> None:
    """Fail if ``result`` is taken for whole and is not."""
    from pixelpush.datasets.store import EpisodeStore, read_description, store_splits

    if result.suffix == ".json":
        if result.exists():
            json.loads(result.read_text())
        return
    if is_complete(result):
        for split in store_splits(result):
            store = EpisodeStore(result, split)
            assert all(len(store[index].frames) for index in range(len(store)))
        return
    try:
        read_description(result)
    except InputError:
        return
    raise AssertionError(f"{result} is taken for a store without its marker")


def in_child(work: Callable[[], object]) -> int:
    """Do it in a forked child, so that this process stays without threads; the status with which
    the child ended."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def killed_until_done(folder: str, result: Path, words: list[str]) -> int:
    """The number of kills before a child ended by itself."""

    def attempt() -> None:
        kill_at(number, folder)
        cli.main(words)

    number = 0
    while True:
        number += 1
        status = in_child(attempt)
        assert in_child(lambda: check(result)) == 0, (
            f"after kill {number}: {result} is not what it seems"
        )
        if not os.WIFSIGNALED(status):
            assert status == 0, f"the child ended with status {status}"
            return number - 1
        assert os.WTERMSIG(status) == signal.SIGKILL, (
            f"the child was ended by signal {os.WTERMSIG(status)}"
        )


def killed_at_random(count: int, seed: int, result: Path, words: list[str]) -> int:
    """Kill the command ``count`` times, each at a random moment of the time that it takes."""
    draw = random.Random(seed)
    start = time.monotonic()
    assert in_child(lambda: cli.main(words)) == 0, "the command fails undisturbed"
    usual = time.monotonic() - start
    kills = 0
    while kills < count:
        child = os.fork()
        if child == 0:
            cli.main(words)
            os._exit(0)
        time.sleep(draw.uniform(0, usual))
        os.kill(child, signal.SIGKILL)
        kills += os.WIFSIGNALED(os.waitpid(child, 0)[1])
        assert in_child(lambda: check(result)) == 0, f"after kill {kills}: {result} is broken"
    assert in_child(lambda: cli.main(words)) == 0, "the command fails after the last kill"
    left = leftovers(result.parent)
    assert not left, f"left behind: {left[0]}"
    return kills


# What the killed commands load.
_USED = (
    "array_record.python.array_record_module",
    "tensorflow_datasets",
    "pixelpush.cli.sources",
    "pixelpush.datasets.inspection.run",
    "pixelpush.datasets.readers.folder",
    "pixelpush.eval.likelihood.tables",
    "pixelpush.vpn",
)


def main() -> None:
    if sys.argv[1] == "--random":
        count, seed = (int(word) for word in sys.argv[2:4])
        folder, result, *words = sys.argv[4:]
    else:
        folder, result, *words = sys.argv[1:]
    # Imported once, before the forks; none of them starts a thread.
    for name in _USED:
        importlib.import_module(name)
    import torch

    torch.set_num_threads(1)
    if sys.argv[1] == "--random":
        kills = killed_at_random(count, seed, Path(result), words)
    else:
        kills = killed_until_done(folder, Path(result), words)
    print("kills", kills)


if __name__ == "__main__":
    main()
