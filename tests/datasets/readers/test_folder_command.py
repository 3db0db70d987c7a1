"""``prepare folder``: splits, what it says, mirrors, names in their natural order."""

from __future__ import annotations

import json
from itertools import chain

import numpy as np
import pytest
from folder_recordings import csv_text, write_images
from hypothesis import given
from hypothesis import strategies as st

from pixelpush.datasets.augment import Mirror, Reflection, mirror
from pixelpush.datasets.natural import natural_key
from pixelpush.datasets.prepare import prepare
from pixelpush.datasets.readers.folder import Options, read_episode
from pixelpush.datasets.splits import divide_names
from pixelpush.datasets.store import EpisodeStore, store_splits
from pixelpush.errors import InputError


@pytest.fixture
def ten(tmp_path, frames):
    raw = tmp_path / "ten"
    for index in range(10):
        write_images(raw / f"run{index}", frames[: 2 + index])
        (raw / f"run{index}" / "robot.csv").write_text(csv_text(2 + index, start=100.0 * index))
    return raw


def ids(path, split):
    return [episode.id for episode in EpisodeStore(path, split)]


def test_command_with_counts(ten, tmp_path, capsys):
    prepare("folder", ten, tmp_path / "store", split="6/2/2", size=32)
    assert ids(tmp_path / "store", "train") == [f"run{i}" for i in range(6)]
    assert ids(tmp_path / "store", "val") == ["run6", "run7"]
    assert ids(tmp_path / "store", "test") == ["run8", "run9"]
    assert "frames 3x32x32, state 2, action 1" in capsys.readouterr().out


def test_command_with_seed_and_shares(ten, tmp_path):
    for name in ("a", "b"):
        prepare("folder", ten, tmp_path / name, split_seed=3)
    parts = {split: ids(tmp_path / "a", split) for split in store_splits(tmp_path / "a")}
    assert {split: len(names) for split, names in parts.items()} == {
        "train": 8,
        "val": 1,
        "test": 1,
    }
    assert sorted(chain(*parts.values())) == [f"run{i}" for i in range(10)]
    assert parts["train"] != sorted(parts["train"])
    assert parts == {split: ids(tmp_path / "b", split) for split in parts}


def test_command_with_a_list_and_min_frames(ten, tmp_path, capsys):
    (ten / "splits.json").write_text(
        json.dumps({"train": ["run9", "run0", "run4"], "test-novel": ["run7"]})
    )
    prepare("folder", ten, tmp_path / "store", min_frames=5)
    assert ids(tmp_path / "store", "train") == ["run9", "run4"]
    assert ids(tmp_path / "store", "test-novel") == ["run7"]
    metadata = EpisodeStore(tmp_path / "store", "train").metadata
    assert metadata["episodes_too_short"] == ["run0"]
    assert metadata["episodes_in_no_split"] == 6
    assert "left out, episodes too short: 1 (run0)" in capsys.readouterr().out


def test_next_state_is_said_in_the_metadata_and_on_the_page(ten, tmp_path, capsys):
    prepare("folder", ten, tmp_path / "store", actions="next-state")
    assert "next frame's state" in EpisodeStore(tmp_path / "store", "val").metadata["actions"]
    assert "(pose, --actions next-state, the next frame's state: none" in capsys.readouterr().out


def test_a_table_without_actions_is_told_of_next_state(episode):
    (episode / "robot.csv").write_text("state_x\n" + "1\n" * 12)
    with pytest.raises(InputError, match=r"no columns called action_\*; .*--actions next-state"):
        read_episode(episode, Options())


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("[]", "must be an object"),
        ("{", "not valid JSON"),
        ('{"train": ["run1", "run1"]}', "'run1' is named twice"),
        ('{"train": ["run77"]}', "names episode 'run77', which is not there"),
        ('{"train": []}', "not empty"),
        ('{"Train Set": ["run1"]}', "split name"),
        ('{"train": "run1"}', "must be a list"),
    ],
)
def test_bad_split_lists(ten, tmp_path, value, message):
    (ten / "splits.json").write_text(value)
    with pytest.raises(InputError, match=message):
        prepare("folder", ten, tmp_path / "store")
    assert sorted(item.name for item in tmp_path.iterdir()) == ["ten"]


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("6/2/3", "adds up to 11, but there are 10"),
        ("0.5/0.1/0.1", "shares must add up to 1"),
        ("6/4", "three counts"),
        ("a/b/c", "three counts"),
        ("-1/1/10", "three counts"),
        ("nan/0/1", "three counts"),
        ("0/0/0", "three counts"),
        ("0.98/0.01/0.01", "of 10 episodes none falls to val"),
    ],
)
def test_bad_splits(ten, tmp_path, split, message):
    with pytest.raises(InputError, match=message):
        prepare("folder", ten, tmp_path / "store", split=split)


@given(
    st.integers(1, 200),
    st.integers(0, 100),
    st.integers(0, 100),
    st.one_of(st.none(), st.integers(0, 99)),
)
def test_splits_are_a_partition(total, a, b, seed):
    a, b = min(a, total), min(b, max(0, total - a))
    names = [f"e{i}" for i in range(total)]
    parts = divide_names(names, f"{a}/{b}/{total - a - b}", seed)
    assert sorted(chain(*parts.values())) == sorted(names)
    assert [len(parts.get(name, [])) for name in ("train", "val", "test")] == [a, b, total - a - b]


def test_nothing_there_and_twice_there(tmp_path, ten):
    with pytest.raises(InputError, match="no such folder"):
        prepare("folder", tmp_path / "none", tmp_path / "store")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no episodes"):
        prepare("folder", tmp_path / "empty", tmp_path / "store")
    (ten / "run1.zip").write_bytes(b"")
    with pytest.raises(InputError, match="more than one episode is called 'run1'"):
        prepare("folder", ten, tmp_path / "store")


@given(st.lists(st.integers(0, 10**6), unique=True))
def test_natural_order(numbers):
    names = [f"a{number}.png" for number in numbers]
    assert sorted(names, key=natural_key) == [f"a{number}.png" for number in sorted(numbers)]
    sorted([*names, "", "5", "x", "²", "5x"], key=natural_key)  # any mixture can be ordered


def test_a_store_knows_its_mirror(ten, tmp_path):
    prepare("folder", ten, tmp_path / "plain", split="8/1/1")
    assert EpisodeStore(tmp_path / "plain", "train").mirror is None
    prepare(
        "folder", ten, tmp_path / "store", split="8/1/1", mirror_states="1", mirror_actions="none"
    )
    store = EpisodeStore(tmp_path / "store", "train")
    assert store.mirror == Mirror(Reflection((0, 1), (1, -1)), Reflection((0,), (1,)))
    seen = mirror(store[0], store.mirror)
    np.testing.assert_array_equal(seen.frames, store[0].frames[..., ::-1])
    np.testing.assert_array_equal(seen.states, store[0].states * [1, -1])
    np.testing.assert_array_equal(seen.actions, store[0].actions)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mirror_states": "1"}, "give both --mirror-states and --mirror-actions"),
        (
            {"mirror_states": "y", "mirror_actions": "none"},
            "--mirror-states y: give numbers of entries",
        ),
        (
            {"mirror_states": "-1", "mirror_actions": "none"},
            "--mirror-states -1: give numbers of entries",
        ),
        (
            {"mirror_states": "2", "mirror_actions": "none"},
            "entry 2 is to change sign, but the state of .* 0 to 1",
        ),
        (
            {"mirror_states": "0", "mirror_actions": "1"},
            "entry 1 is to change sign, but the action of .* 0 to 0",
        ),
    ],
)
def test_a_mirror_that_cannot_be_is_refused(ten, tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        prepare("folder", ten, tmp_path / "store", split="8/1/1", **options)
    assert not (tmp_path / "store").exists()
