"""Order of names: whole numbers, decimal numbers, times; what is junk; gaps."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelpush.datasets.natural import (
    decimal_times,
    in_order,
    is_junk,
    missing_numbers,
    natural_key,
    template,
)


def shuffled(names):
    return random.Random(0).sample(names, len(names))


@pytest.mark.parametrize(
    "times",
    [
        [1700000000 + 0.05 * i for i in range(2000)],
        [0.1 * i for i in range(300)],
        [1e-4 * i for i in range(1, 500)],
        [10.5 + i for i in range(40)],
        [1700000000.0 + i / 30 for i in range(900)],
    ],
)
@pytest.mark.parametrize("form", ["{}.png", "camera/{}.jpg", "left_{}.webp"])
def test_names_made_of_str_of_a_time(times, form):
    """Python drops trailing zeros, so the number of decimals differs from name to name."""
    times = [round(time, 7) for time in times]
    names = [form.format(time) for time in times]
    assert in_order(shuffled(names)) == names
    assert list(decimal_times(names).values()) == pytest.approx(times)


def test_whole_seconds_among_decimals():
    names = ["5.png", "5.05.png", "5.1.png", "6.png"]
    assert in_order(shuffled(names)) == names


@given(st.lists(st.integers(0, 10**6), unique=True, min_size=1, max_size=50))
def test_whole_numbers(numbers):
    names = [f"frame_{number}.png" for number in sorted(numbers)]
    assert in_order(shuffled(names)) == names
    assert sorted(shuffled(names), key=natural_key) == names
    assert decimal_times(names) is None


def test_versions_are_no_decimal_numbers():
    names = ["v1.2.3_1.png", "v1.2.3_2.png", "v1.2.3_10.png"]
    assert decimal_times(names) is None
    assert in_order(shuffled(names)) == names


@pytest.mark.parametrize(
    ("numbers", "gap"),
    [
        ([0, 1, 2, 3, 4], None),
        ([0, 1, 2, 4, 5], ("f2.png", "f4.png")),
        ([10, 20, 30, 50], ("f30.png", "f50.png")),
        ([1000, 1033, 1067, 1100, 1133], None),  # milliseconds at 30 Hz
        ([7], None),
        ([3, 1003, 1004, 1005], ("f3.png", "f1003.png")),
    ],
)
def test_missing_numbers(numbers, gap):
    assert missing_numbers([f"f{number}.png" for number in numbers]) == gap


def test_junk_and_series():
    assert all(map(is_junk, [".DS_Store", "._frame_0.png", "__MACOSX", "@eaDir", "Thumbs.db"]))
    assert not any(map(is_junk, ["frame_0.png", "run.1", "camera"]))
    assert template("a_12.png") == template("a_3.png") == "a_#.png"
    assert template("1.25.png") == template("1.3.png")
