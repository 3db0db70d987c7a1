"""Worker processes that make shards: each gets a shard's number on its standard input, and answers
a line an episode.

They are started with ``python -m``, not by multiprocessing: it works from any caller (no
``__main__`` guard, no fork under threads), and a worker whose parent was killed finds its pipes
closed and ends."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.store import EpisodeStore, write_shard
from pixelpush.errors import InputError


@dataclass(frozen=True)
class Job:
    """What to make: so many episodes of a laboratory's split at a size, as shards in ``folder``.

    per_shard: episodes of a shard. earlier: a finished store of fewer episodes of the same version
    to copy from, or "". maker: 'module:function' that makes an episode of (laboratory, split,
    number, size).

    >>> Job("working", "sim", "train", size=64, episodes=100, per_shard=32).shards()
    4
    """

    folder: str
    laboratory: str
    split: str
    size: int
    episodes: int
    per_shard: int
    earlier: str = ""
    maker: str = "pixelpush.datasets.sim.generate:generate_episode"

    def shards(self) -> int:
        """How many shards the episodes make; the last one may be shorter.

        >>> Job("working", "sim", "train", size=64, episodes=64, per_shard=32).shards()
        2
        """
        return -(-self.episodes // self.per_shard)


def make_shard(job: Job, index: int, done: Callable[[], object]) -> None:
    """Make shard ``index`` of a job in this process; ``done`` is called after each episode.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     make_shard(Job(folder, "sim", "train", 64, episodes=0, per_shard=4), 0, lambda: None)
    Traceback (most recent call last):
    pixelpush.errors.InputError: shard 0 of split 'train' has no episodes.
    """
    earlier = EpisodeStore(job.earlier, job.split) if job.earlier else []
    start = index * job.per_shard
    stop = min(job.episodes, (index + 1) * job.per_shard)

    def episodes() -> Iterator[Episode]:
        module, _, function = job.maker.partition(":")
        make = getattr(importlib.import_module(module), function)
        for number in range(start, stop):
            yield (
                earlier[number]
                if number < len(earlier)
                else make(job.laboratory, job.split, number, job.size)
            )

    write_shard(Path(job.folder), job.split, index, episodes(), written=lambda _: done())


def make_shards(job: Job, indices: Iterable[int], workers: int, done: Callable[[], object]) -> None:
    """Make shards with up to ``workers`` processes; with one, in this process.

    ``done`` is called after each episode. Raises InputError with a worker's own words. Whatever
    ends it early (Ctrl-C, an error) ends the workers at once; unfinished shards leave no file.

    >>> make_shards(Job("working", "sim", "train", 64, 8, 4), [], workers=2, done=lambda: None)
    """
    waiting = deque(indices)
    workers = min(workers, len(waiting))
    if workers <= 1:
        for index in waiting:
            make_shard(job, index, done)
        return
    crew = _Crew(job, waiting, done)
    try:
        crew.work(workers)
    finally:
        crew.stop()


class _Crew:
    """The workers of one job, each with a thread that feeds it."""

    def __init__(self, job: Job, waiting: deque[int], done: Callable[[], object]):
        self._job = job
        self._waiting = waiting
        self._done = done
        self._lock = threading.Lock()
        self._processes: list[subprocess.Popen[str]] = []
        self._threads: list[threading.Thread] = []
        self._errors: list[str] = []
        self._stopped = False

    def work(self, workers: int) -> None:
        """Make everything that waits; raises InputError with the first error."""
        self._threads = [threading.Thread(target=self._feed) for _ in range(workers)]
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join()
        if self._errors:
            raise InputError(self._errors[0])

    def stop(self) -> None:
        """End what still runs, and remove what it leaves; nothing to do after a full job."""
        with self._lock:
            self._stopped = True
            self._waiting.clear()
            running = [process for process in self._processes if process.poll() is None]
        # Killed, not told to end: on a busy machine a worker took seconds to unwind.
        for process in running:
            process.kill()
        for process in running:
            process.wait()
        for thread in self._threads:
            thread.join()
        if running or self._errors:
            for stray in Path(self._job.folder).glob(".*.partial*"):
                stray.unlink(missing_ok=True)

    def _start(self) -> subprocess.Popen[str] | None:
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        }
        job = json.dumps(asdict(self._job))
        with self._lock:
            if self._stopped:
                return None
            process = subprocess.Popen(
                [sys.executable, "-m", "pixelpush.datasets.sim.workers", job],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=environment,
            )
            self._processes.append(process)
        return process

    def _feed(self) -> None:
        """Run one worker until nothing waits; keeps what went wrong, if anything did."""
        process = self._start()
        if process is None:
            return
        assert process.stdin is not None
        assert process.stderr is not None
        # Closing the pipes flushes what a dead worker no longer reads.
        with contextlib.suppress(BrokenPipeError), process:
            while self._make_one(process):
                pass
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            words = process.stderr.read().strip().splitlines()
            if process.wait() != 0:
                fallback = f"sim: a worker ended with exit code {process.returncode}."
                with self._lock:
                    self._errors.append(words[-1] if words else fallback)
                    self._waiting.clear()

    def _make_one(self, process: subprocess.Popen[str]) -> bool:
        """Have a worker make the next shard; False where nothing waits or the worker ended."""
        assert process.stdin is not None
        assert process.stdout is not None
        with self._lock:
            if not self._waiting:
                return False
            index = self._waiting.popleft()
        try:
            process.stdin.write(f"{index}\n")
            process.stdin.flush()
        except BrokenPipeError:
            return False
        for line in process.stdout:
            if line.strip() == "shard":
                return True
            with self._lock:
                self._done()
        return False


def main() -> int:
    """A worker: see the module's first lines.

    Returns exit code 2 and prints one line for a user's error.

    >>> import io
    >>> from unittest import mock
    >>> job = json.dumps(asdict(Job("working", "sim", "train", 64, 8, 4)))
    >>> nothing = mock.patch.object(sys, "stdin", io.StringIO())
    >>> with nothing, mock.patch.object(sys, "argv", ["worker", job]), mock.patch("signal.signal"):
    ...     main()
    0
    """
    # Ctrl-C reaches the whole group; it is the parent that decides, and that removes what the
    # workers leave.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
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
