"""The sequence of examples does not depend on processes, pieces, threads or on where the run was
resumed."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelpush.errors import InputError
from pixelpush.training.data import Share, example_at, read_ahead, read_batch


class Numbers:
    """A task whose examples say which they are. Only what reading needs."""

    def __init__(self, count: int):
        self.examples_per_epoch = count
        self.reads = 0
        self.lock = threading.Lock()

    def example(self, seed: int, epoch: int, index: int):
        with self.lock:
            self.reads += 1
        return f"{epoch}/{index}", {"x": np.array([seed, epoch, index])}


def names(task, batches: int, first: int, batch_size: int, **options) -> list[str]:
    with contextlib.closing(read_ahead(task, 5, first, batch_size, **options)) as feed:
        taken = itertools.islice(feed, batches)
        return [name for pieces in taken for piece in pieces for name in piece.names]


@given(st.integers(1, 30), st.integers(0, 3))
def test_every_epoch_holds_every_example_once(count: int, seed: int):
    found = [example_at(seed, count, position) for position in range(3 * count)]
    assert Counter(found) == Counter((epoch, index) for epoch in range(3) for index in range(count))
    assert [epoch for epoch, _ in found] == sorted(epoch for epoch, _ in found)


@given(st.integers(1, 6), st.integers(1, 4), st.integers(0, 20), st.integers(0, 1000))
def test_pieces_tile_the_batch(world: int, accumulate: int, extra: int, first: int):
    batch_size = world * accumulate + extra
    pieces = [
        piece
        for rank in range(world)
        for piece in Share(rank, world, accumulate).pieces(first, batch_size)
    ]
    assert [position for piece in pieces for position in piece] == list(
        range(first, first + batch_size)
    )
    assert min(map(len, pieces)) >= 1


def test_too_small_a_batch_is_refused():
    with pytest.raises(
        InputError, match="a batch of 5 cannot be shared by 3 processes in 2 pieces"
    ):
        Share(0, 3, 2).pieces(0, 5)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 3), st.integers(1, 2), st.integers(1, 3), st.integers(0, 4), st.integers(0, 4)
)
def test_sequence_is_the_same_for_every_layout(
    world: int, accumulate: int, workers: int, extra: int, skip: int
):
    size, task = world * accumulate + extra, Numbers(7)
    whole = names(task, 6, 0, size)
    parts = [
        names(
            task,
            6 - skip,
            skip * size,
            size,
            share=Share(rank, world, accumulate),
            workers=workers,
        )
        for rank in range(world)
    ]
    for batch in range(6 - skip):
        wanted = whole[(batch + skip) * size : (batch + skip + 1) * size]
        bounds = [(size * rank // world, size * (rank + 1) // world) for rank in range(world)]
        shares = [
            parts[rank][batch * (end - begin) : (batch + 1) * (end - begin)]
            for rank, (begin, end) in enumerate(bounds)
        ]
        assert [name for share in shares for name in share] == wanted


def test_reading_ahead_is_bounded_and_ends():
    task, before = Numbers(100), threading.active_count()
    with contextlib.closing(read_ahead(task, 0, 0, 4, workers=2)) as feed:
        for _ in range(5):
            next(feed)
        threading.Event().wait(0.1)
        assert task.reads <= (5 + 2 + 1) * 4
    assert threading.active_count() == before


def test_an_error_is_raised_where_its_batch_is_due():
    task = Numbers(100)
    bad = example_at(0, 100, 9)

    def example(seed, epoch, index):
        if (epoch, index) == bad:
            raise InputError("record 9 is damaged")
        return Numbers.example(task, seed, epoch, index)

    task.example = example
    with contextlib.closing(read_ahead(task, 0, 0, 4)) as feed:
        assert len(next(feed)[0].names) == len(next(feed)[0].names) == 4
        with pytest.raises(InputError, match="record 9"):
            next(feed)


def test_examples_of_different_shapes_are_refused_by_name():
    task = Numbers(3)
    task.example = lambda seed, epoch, index: (f"e{index}", {"frames": np.zeros(2 + index)})
    with pytest.raises(InputError, match=r"frames of e\d .* and of e\d .* differ in shape"):
        read_batch(task, 0, range(3))  # type: ignore[arg-type]
