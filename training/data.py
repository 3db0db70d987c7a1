"""Batches as a function of the position: the k-th holds examples k*B .. (k+1)*B of the concatenated
epochs."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pixelpush.datasets.order import epoch_order
from pixelpush.errors import InputError
from pixelpush.training.task import Task


@dataclass(frozen=True)
class Batch:
    """Consecutive examples.

    first: position of the first one in the run. names: for people. arrays: stacked, by name.

    >>> Batch(0, ("one",), {"x": torch.zeros(1, 2)}).names
    ('one',)
    """

    first: int
    names: tuple[str, ...]
    arrays: dict[str, Tensor]


# Batches of one or two epochs are under way at a time.
_order = functools.lru_cache(maxsize=4)(epoch_order)


def example_at(seed: int, count: int, position: int) -> tuple[int, int]:
    """Return (epoch, index) of the example at a position of the run.

    >>> epoch, index = example_at(seed=0, count=10, position=25)
    >>> epoch, 0 <= index < 10
    (2, True)
    """
    epoch, place = divmod(position, count)
    return epoch, int(_order(seed, epoch, count)[place])


@dataclass(frozen=True)
class Share:
    """Which part of every batch a process takes, and in how many pieces.

    rank, world: this process's number and how many there are. accumulate: pieces.

    >>> Share(rank=1, world=2, accumulate=2).pieces(first=100, batch_size=8)
    [range(104, 106), range(106, 108)]
    """

    rank: int = 0
    world: int = 1
    accumulate: int = 1

    def pieces(self, first: int, batch_size: int) -> list[range]:
        """Return the positions of the batch at ``first`` that this process takes, cut into pieces.

        Together the processes' pieces are the batch, in order; sizes differ by at most one. None
        is empty: InputError for too small a batch."""
        if batch_size < self.world * self.accumulate:
            raise InputError(
                f"a batch of {batch_size} cannot be shared by {self.world} processes in "
                f"{self.accumulate} pieces each; use a larger --batch-size, or less --devices or "
                "--accumulate."
            )
        # Floors of equal fractions: parts differ by at most one example, and none is lost or taken
        # twice.
        begin = batch_size * self.rank // self.world
        end = batch_size * (self.rank + 1) // self.world
        cuts = [
            first + begin + (end - begin) * piece // self.accumulate
            for piece in range(self.accumulate + 1)
        ]
        return [range(cuts[piece], cuts[piece + 1]) for piece in range(self.accumulate)]


def read_batch(task: Task, seed: int, positions: range, pinned: bool = False) -> Batch:
    """Read and stack the examples at these positions.

    pinned: in page-locked memory. Raises InputError where the examples' shapes differ.

    >>> class Numbers:
    ...     examples_per_epoch = 4
    ...     def example(self, seed, epoch, index):
    ...         return str(index), {"x": np.array([index])}
    >>> sorted(read_batch(Numbers(), 0, range(4)).arrays["x"].flatten().tolist())
    [0, 1, 2, 3]
    """
    names = []
    examples = []
    for position in positions:
        name, arrays = task.example(seed, *example_at(seed, task.examples_per_epoch, position))
        for key, array in arrays.items():
            if examples and array.shape != examples[0][key].shape:
                raise InputError(
                    f"{key} of {name} {array.shape} and of {names[0]} {examples[0][key].shape} "
                    "differ in shape;"
                    " the examples of a data set must be alike."
                )
        names.append(name)
        examples.append(arrays)
    stacked = {
        key: torch.from_numpy(np.stack([arrays[key] for arrays in examples])) for key in examples[0]
    }
    if pinned:
        stacked = {key: tensor.pin_memory() for key, tensor in stacked.items()}
    return Batch(positions.start, tuple(names), stacked)


def read_ahead(
    task: Task,
    seed: int,
    first: int,
    batch_size: int,
    share: Share | None = None,
    workers: int = 1,
    pinned: bool = False,
) -> Iterator[list[Batch]]:
    """Yield this process's pieces of every batch from position ``first`` on, without end.

    At most ``workers`` + 1 batches are held or under way, read ahead by threads. An error while
    reading is raised where its batch is due. Close the iterator to end the threads.

    >>> class Numbers:
    ...     examples_per_epoch = 4
    ...     def example(self, seed, epoch, index):
    ...         return str(index), {"x": np.array([index])}
    >>> feed = read_ahead(Numbers(), seed=0, first=0, batch_size=2)
    >>> [piece.first for piece in next(feed)]
    [0]
    >>> feed.close()
    """

    def read(start: int) -> list[Batch]:
        pieces = (share or Share()).pieces(start, batch_size)
        return [read_batch(task, seed, piece, pinned) for piece in pieces]

    pool = ThreadPoolExecutor(workers, thread_name_prefix="reader")
    coming: deque[Future[list[Batch]]] = deque()
    try:
        # One batch for each thread, and one that waits to be taken.
        for ahead in range(workers + 1):
            coming.append(pool.submit(read, first + ahead * batch_size))
        start = first + (workers + 1) * batch_size
        while True:
            yield coming.popleft().result()
            coming.append(pool.submit(read, start))
            start += batch_size
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
