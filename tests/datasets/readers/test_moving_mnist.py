"""Moving MNIST: pure, in bounds, bouncing, from digits that never mix between splits."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelpush.datasets.prepare import prepare
from pixelpush.datasets.readers import moving_mnist
from pixelpush.datasets.readers.moving_mnist import read_idx_images, sequence
from pixelpush.datasets.store import EpisodeStore
from pixelpush.errors import InputError


def write_idx(path, images):
    data = struct.pack(">IIII", 2051, *images.shape) + images.tobytes()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


@pytest.fixture
def raw(tmp_path, monkeypatch):
    """Digits that are squares of one grey value each: value i for image i, 200 and up for the test
    digits."""
    monkeypatch.setattr(moving_mnist, "VALIDATION_DIGITS", 20)
    folder = tmp_path / "mnist"
    folder.mkdir()
    train = np.zeros((100, 28, 28), np.uint8)
    train[:, 4:24, 4:24] = (1 + np.arange(100))[:, None, None]
    test = np.zeros((10, 28, 28), np.uint8)
    test[:, 4:24, 4:24] = (200 + np.arange(10))[:, None, None]
    write_idx(folder / "train-images-idx3-ubyte.gz", train)
    write_idx(folder / "t10k-images-idx3-ubyte", test)
    return folder


def test_command(raw, tmp_path):
    for name in ("a", "b"):
        prepare("moving-mnist", raw, tmp_path / name, train=30, val=20, test=25, seed=4)
    stores = {split: EpisodeStore(tmp_path / "a", split) for split in ("train", "val", "test")}
    assert {split: len(store) for split, store in stores.items()} == {
        "train": 30,
        "val": 20,
        "test": 25,
    }
    values = {
        split: set(np.concatenate([np.unique(e.frames) for e in store])) - {0}
        for split, store in stores.items()
    }
    assert max(values["train"]) <= 80 < min(values["val"])
    assert max(values["val"]) <= 100
    assert min(values["test"]) >= 200
    for split, store in stores.items():
        assert store[0].frames.shape == (20, 1, 64, 64)
        assert store[0].states.shape == store[0].actions.shape == (20, 0)
        assert store.content_sha256 == EpisodeStore(tmp_path / "b", split).content_sha256


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_digit_moves_straight_and_bounces(index, seed):
    digits = np.full((1, 28, 28), 255, np.uint8)
    frames = sequence(digits, index, seed, "test", digits_per_sequence=1).frames[:, 0]
    rows, columns = frames.any(axis=2), frames.any(axis=1)
    assert (frames.sum(axis=(1, 2)) == 255 * 28 * 28).all()  # never outside, not even in part
    for extent in (rows, columns):
        corner = extent.argmax(axis=1)
        steps = np.diff(corner)
        assert np.abs(steps).max() <= 4  # 0.1 of 36 pixels
        inner = (corner[1:-1] > 0) & (corner[1:-1] < 35) & (corner[:-2] > 0) & (corner[:-2] < 35)
        inner &= (corner[2:] > 0) & (corner[2:] < 35)
        assert (
            np.abs(np.diff(steps))[inner] <= 1
        ).all()  # constant speed away from the walls, rounded down


def test_overlap_takes_the_larger_value():
    one = sequence(np.full((1, 28, 28), 90, np.uint8), 0, 0, "a").frames
    assert set(np.unique(one)) == {0, 90}


@pytest.mark.parametrize("damage", ["magic", "short", "long", "gzip", "missing", "empty"])
def test_damaged_idx_files(raw, damage):
    path = raw / "t10k-images-idx3-ubyte"
    data = path.read_bytes()
    changed = {
        "magic": b"\1" + data[1:],
        "short": data[:-1],
        "long": data + b"x",
        "empty": b"",
    }
    if damage in changed:
        path.write_bytes(changed[damage])
    else:
        path.unlink()
    if damage == "gzip":
        path.with_suffix(".gz").write_bytes(gzip.compress(data)[:-30])
    with pytest.raises(InputError, match="t10k-images"):
        read_idx_images(raw, path.name)


def test_bad_counts(raw, tmp_path):
    for counts in ({"train": -1}, {"train": 0, "val": 0, "test": 0}):
        with pytest.raises(InputError, match="numbers of sequences"):
            prepare("moving-mnist", raw, tmp_path / "s", **counts)


def test_real_digits(shared_data):
    images = read_idx_images(shared_data / "mnist", "t10k-images-idx3-ubyte")
    assert images.shape == (10_000, 28, 28)
    assert sequence(images, 0, 0, "test").frames.max() == 255
