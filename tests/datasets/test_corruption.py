"""Faulty pasts: pure, of the frames after the context only, of many kinds."""

from __future__ import annotations

import numpy as np

from pixelpush.datasets.corruption import corrupt


def frames(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (6, 3, 16, 16), np.uint8)


def test_it_is_a_pure_function_and_leaves_the_original_alone():
    clean = frames()
    kept = clean.copy()
    first = corrupt(clean, 2, 1, 2, 3)
    assert np.array_equal(first, corrupt(clean, 2, 1, 2, 3))
    assert np.array_equal(clean, kept)
    assert not np.array_equal(first, corrupt(clean, 2, 1, 2, 4))


def test_the_context_stays_clean_and_so_does_a_third_of_the_rest():
    clean, changed = frames(), []
    for index in range(200):
        shown = corrupt(clean, 2, 0, index, 0)
        assert np.array_equal(shown[:2], clean[:2])
        changed += (shown[2:] != clean[2:]).any(axis=(1, 2, 3)).tolist()
    # Half have a fault of their own, some of the others debris; either may miss a small region.
    assert 0.5 < np.mean(changed) < 0.8


def test_debris_stays_at_its_place_with_its_colours():
    """Of still frames, what two faulty frames share and the clean one does not has stayed."""
    clean = np.repeat(frames()[:1], 8, axis=0)
    stayed = 0
    for index in range(100):
        shown = corrupt(clean, 2, 0, index, 0)
        same = (shown[3:] == shown[2:-1]).all(axis=1) & (shown[3:] != clean[3:]).any(axis=1)
        stayed += int(same.sum() > 0)
    assert stayed > 5


def test_every_kind_of_fault_occurs():
    smooth = np.tile(np.arange(0, 160, 10, dtype=np.uint8), (6, 3, 16, 1))
    largest = [np.abs(corrupt(smooth, 0, 0, i, 0).astype(int) - smooth).max() for i in range(60)]
    assert max(largest) > 60  # noise, strays
    assert np.median(largest) > 0
