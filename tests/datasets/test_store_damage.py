"""Every kind of damage to a store is a clear error."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pixelpush.datasets.store import (
    EpisodeStore,
    write_store,
)
from pixelpush.errors import InputError


def edit(path, change):
    description = json.loads((path / "store.json").read_text())
    change(description)
    (path / "store.json").write_text(json.dumps(description))


def test_unknown_split_names_those_there_are(written):
    with pytest.raises(InputError, match="no split 'test'; it has test-novel, train"):
        EpisodeStore(written, "test")


def test_unfinished_or_foreign_folders(copy, tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        EpisodeStore(tmp_path / "nowhere", "train")
    edit(copy, lambda store: store.update(format_version=99))
    with pytest.raises(InputError, match="format version 99, this program reads 1"):
        EpisodeStore(copy, "train")
    edit(copy, lambda store: store.update(format="other"))
    with pytest.raises(InputError, match="not the description of a store"):
        EpisodeStore(copy, "train")
    (copy / "COMPLETE").unlink()
    with pytest.raises(InputError, match="not finished"):
        EpisodeStore(copy, "train")
    (copy / "store.json").unlink()
    with pytest.raises(InputError, match="not a store"):
        EpisodeStore(copy, "train")


def test_empty_split(copy):
    edit(copy, lambda store: store["splits"]["train"].update(episodes=0, shards=[], lengths=[]))
    with pytest.raises(InputError, match="split 'train' is empty"):
        EpisodeStore(copy, "train")


def test_incomplete_split_is_refused_at_open(copy):
    edit(copy, lambda store: store["splits"]["train"]["shards"].pop())
    with pytest.raises(InputError, match="disagrees about its number of episodes"):
        EpisodeStore(copy, "train")


def test_wrong_record_count_is_refused_at_open(copy):
    edit(copy, lambda store: store["splits"]["train"]["shards"][0].update(episodes=1))
    edit(copy, lambda store: store["splits"]["train"]["shards"][1].update(episodes=3))
    with pytest.raises(
        InputError, match=r"train-00000.array_record: the shard holds 2 records, expected 1"
    ):
        EpisodeStore(copy, "train")


def test_missing_and_truncated_shards(copy):
    shard = copy / "train-00001.array_record"
    data = shard.read_bytes()
    shard.write_bytes(data[:-1000])
    with pytest.raises(
        InputError, match=r"train-00001.array_record: the shard is truncated or changed"
    ):
        EpisodeStore(copy, "train")
    shard.unlink()
    with pytest.raises(InputError, match=r"train-00001.array_record: the shard is missing"):
        EpisodeStore(copy, "train")


def test_damaged_record_names_shard_and_record(copy, episodes):
    shard = copy / "train-00000.array_record"
    data = bytearray(shard.read_bytes())
    # The first record's id stands readable in neither chunk (zstd), so flip a byte early in the
    # first chunk's data.
    data[300] ^= 0x55
    shard.write_bytes(data)
    split = EpisodeStore(copy, "train")
    with pytest.raises(InputError, match=r"train-00000.array_record, record 0: damaged"):
        split[0]
    np.testing.assert_array_equal(split[1].frames, episodes[1].frames)


@pytest.mark.parametrize("key", ["splits", "schema", "metadata"])
@pytest.mark.parametrize("value", [None, [], {"train": 1}, "text", 7])
def test_damaged_description(copy, key, value):
    edit(copy, lambda store: store.update({key: value}))
    if key == "metadata" and isinstance(value, dict):
        assert EpisodeStore(copy, "train").metadata == value
        return
    with pytest.raises(InputError):
        EpisodeStore(copy, "train")


@pytest.mark.parametrize("mirror", [7, [], [[0]], [[0], "text"], [[9], []], [[0], [-1]]])
def test_damaged_mirror(copy, mirror):
    edit(copy, lambda store: store.update(metadata={"mirror": mirror}))
    with pytest.raises(InputError, match=str(copy)):
        EpisodeStore(copy, "train")


def test_a_shard_name_cannot_leave_the_folder(copy):
    file = "../copy/train-00000.array_record"
    edit(copy, lambda store: store["splits"]["train"]["shards"][0].update(file=file))
    with pytest.raises(InputError, match="is no file name"):
        EpisodeStore(copy, "train")


def swap(path, one, other):
    """Exchange two shards of equal size and equal number of episodes."""
    spare = path / "spare"
    (path / one).rename(spare)
    (path / other).rename(path / one)
    spare.rename(path / other)


@pytest.mark.parametrize("with_shards", [True, False])
def test_a_swapped_shard_is_found_when_its_split_has_been_read(tmp_path, make_episode, with_shards):
    splits = {
        "train": [make_episode(number, length=3) for number in (1, 2, 3)],
        "test": [make_episode(number, length=3) for number in (4, 5, 6)],
    }
    path = write_store(tmp_path / "store", splits, {}, episodes_per_shard=1)
    swap(path, "train-00001.array_record", "test-00001.array_record")

    def as_it_would_be_unnoticed(description):
        for split in description["splits"].values():
            for shard in split["shards"]:
                shard["bytes"] = (path / shard["file"]).stat().st_size
                if not with_shards:  # as older stores are
                    del shard["content_sha256"]

    edit(path, as_it_would_be_unnoticed)
    store = EpisodeStore(path, "test")
    found = "test-00001.array_record: the shard" if with_shards else "split 'test' is not what was"
    with pytest.raises(InputError, match=found):
        _ = [store[index] for index in (1, 0, 2)]


def test_parts_and_repeated_reads_are_not_compared(written):
    store = EpisodeStore(written, "train")
    for index in range(len(store)):
        store.read(index, 0, 1)
    assert not store._contents.done
    for index in (*range(len(store)), 0):
        store[index]
    assert store._contents.done


@pytest.mark.parametrize("value", [-1, 2.5, True, "3", 10**400])
def test_a_count_that_is_none_is_refused(copy, value):
    def change(description):
        description["splits"]["train"]["shards"][0]["bytes"] = value

    edit(copy, change)
    with pytest.raises(InputError, match="no count"):
        EpisodeStore(copy, "train")


@pytest.mark.parametrize("value", ["x", -1, None, [8], 1e400])
def test_a_schema_of_other_things_than_sizes_is_refused(copy, value):
    edit(copy, lambda description: description["schema"].update(height=value))
    with pytest.raises(InputError, match=r"store\.json"):
        EpisodeStore(copy, "train")


@pytest.mark.parametrize(
    "name", [int("9" * 300), "9" * 300, "a/b", "..", "a\0b", "\udcff", None, ["a"]]
)
def test_a_shard_of_no_possible_name_is_damage(copy, name):
    edit(copy, lambda store: store["splits"]["train"]["shards"][0].update(file=name))
    with pytest.raises(InputError, match=r"store.json: damaged \(.*prepare the data again\.$"):
        EpisodeStore(copy, "train")
