"""Worker processes that make shards: each gets a shard's number on its standard input, and answers
a line an episode.

They are started with ``python -m``, not by multiprocessing: it works from any caller (no
``__main__`` guard, no fork under threads), and a worker whose parent was killed finds its pipes
closed and ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pixelpush.errors import InputError

if TYPE_CHECKING:
    from pixelpush.datasets.episodes import Episode

EPISODES_PER_SHARD = 32


@dataclass(frozen=True)
class Job:
    """What to make: ``episodes`` episodes of a laboratory's split at a size, as shards in
    ``folder``.

    ``earlier``: a finished store of fewer episodes of the same version to copy from, or "".
    """

    folder: str
    laboratory: str
    split: str
    size: int
    episodes: int
    earlier: str = ""

    def shards(self) -> int:
        return -(-self.episodes // EPISODES_PER_SHARD)


def make_shard(job: Job, index: int, done: Callable[[], object]) -> None:
    """Make shard ``index`` of a job in this process; ``done`` is called after each episode."""
    from pixelpush.datasets.store import EpisodeStore, write_shard

    earlier = EpisodeStore(job.earlier, job.split) if job.earlier else []
    start, stop = index * EPISODES_PER_SHARD, min(job.episodes, (index + 1) * EPISODES_PER_SHARD)

    def episodes() -> Iterator[Episode]:
        from pixelpush.datasets.sim.generate import generate_episode

        for number in range(start, stop):
            yield (
                earlier[number]
                if number < len(earlier)
                else generate_episode(job.laboratory, job.split, number, job.size)
            )

    write_shard(Path(job.folder), job.split, index, episodes(), progress=lambda _: done())


def make_shards(job: Job, indices: Iterable[int], workers: int, done: Callable[[], object]) -> None:
    """Make shards with up to ``workers`` processes (one: in this one). Raises InputError with a
    worker's own words."""
    waiting = deque(indices)
    workers = min(workers, len(waiting))
    if workers <= 1:
        for index in waiting:
            make_shard(job, index, done)
        return
    lock, errors = threading.Lock(), []

    def feed() -> None:
        error = _feed(job, waiting, lock, done)
        if error:
            errors.append(error)
            waiting.clear()

    threads = [threading.Thread(target=feed) for _ in range(workers)]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    finally:  # on Ctrl-C: hand out nothing more; the workers end with the shard they are at
        waiting.clear()
    if errors:
        raise InputError(errors[0])


def _feed(
    job: Job, waiting: deque[int], lock: threading.Lock, done: Callable[[], object]
) -> str | None:
    """Run one worker until nothing waits; returns what went wrong, if anything did."""
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    command = [sys.executable, "-m", "pixelpush.datasets.sim.workers", json.dumps(asdict(job))]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        while True:
            with lock:
                index = waiting.popleft() if waiting else None
            if index is None:
                process.stdin.close()
                return None
            try:
                process.stdin.write(f"{index}\n")
                process.stdin.flush()
            except BrokenPipeError:
                break
            answer = ""
            for line in process.stdout:
                answer = line.strip()
                if answer != "episode":
                    break
                with lock:
                    done()
            if answer != "shard":
                break
        lines = process.stderr.read().strip().splitlines()
        return lines[-1] if lines else f"sim: a worker ended with exit code {process.wait()}."


def main() -> int:
    """A worker: see the module's first lines. Exit code 2 and one line for a user's error."""
    job = Job(**json.loads(sys.argv[1]))
    for line in sys.stdin:
        try:
            make_shard(job, int(line), lambda: print("episode", flush=True))
        except InputError as error:
            print(error, file=sys.stderr)
            return 2
        print("shard", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
