"""The store: what goes in comes out, TFDS reads it too, and a write that fails leaves nothing."""

from __future__ import annotations

import multiprocessing
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest

from pixelpush.datasets import store_reader, store_writer
from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.store import (
    EpisodeStore,
    finished_shards,
    seal_store,
    write_shard,
    write_store,
)
from pixelpush.errors import InputError


def test_what_goes_in_comes_out(written, episodes, assert_same):
    train = EpisodeStore(written, "train")
    assert train.name == "example/train"
    assert len(train) == 5
    assert train.lengths.tolist() == [7, 2, 30, 1, 5]
    assert train.metadata == {"source": "test"}
    for index, episode in enumerate(episodes):
        assert_same(train[index], episode)
    assert_same(train[-1], episodes[-1])
    assert_same(EpisodeStore(written, "test-novel")[1], episodes[1])
    with pytest.raises(IndexError):
        train[5]


@pytest.mark.parametrize(
    ("channels", "state", "action"), [(1, 5, 4), (3, 0, 4), (3, 5, 0), (1, 0, 0)]
)
def test_any_dimensions(tmp_path, make_episode, assert_same, channels, state, action):
    episode = make_episode(9, channels=channels, state=state, action=action)
    path = write_store(tmp_path / "s", {"val": [episode]}, {})
    assert_same(EpisodeStore(path, "val")[0], episode)


def test_part_of_an_episode(written, episodes):
    part = EpisodeStore(written, "train").read(2, 4, 11)
    np.testing.assert_array_equal(part.frames, episodes[2].frames[4:11])
    np.testing.assert_array_equal(part.states, episodes[2].states[4:11])
    np.testing.assert_array_equal(part.actions, episodes[2].actions[4:11])
    with pytest.raises(InputError, match=r"frames 4\.\.31 asked of an episode of 30"):
        EpisodeStore(written, "train").read(2, 4, 31)


def test_tfds_reads_it(written, episodes):
    import tensorflow_datasets as tfds

    builder = tfds.builder_from_directory(written)
    assert {name: info.num_examples for name, info in builder.info.splits.items()} == {
        "train": 5,
        "test-novel": 2,
    }
    source = builder.as_data_source("train")
    assert len(source) == 5
    for item, episode in zip(source, episodes, strict=True):
        np.testing.assert_array_equal(
            np.stack(item["frames"]), episode.frames.transpose(0, 2, 3, 1)
        )
        np.testing.assert_array_equal(item["states"], episode.states)
        np.testing.assert_array_equal(item["actions"], episode.actions)
        assert item["id"].decode() == episode.id


def test_no_tensorflow_and_light_import(written, tmp_path):
    """Writing and reading in a fresh process in which importing TensorFlow would fail."""
    code = f"""
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        assert name.split(".")[0] != "tensorflow", "TensorFlow was asked for"
sys.meta_path.insert(0, Refuse())
import pixelpush.datasets
heavy = {{"cv2", "tensorflow_datasets", "array_record", "torch", "google.protobuf"}}
heavy &= set(sys.modules)
assert not heavy, heavy
from pixelpush.datasets import open_dataset
from pixelpush.datasets.store import write_store
split = open_dataset({str(written)!r}, "train")
assert "tensorflow_datasets" not in sys.modules
write_store({str(tmp_path / "again")!r}, {{"train": [split[i] for i in range(len(split))]}}, {{}})
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    again, first = EpisodeStore(tmp_path / "again", "train"), EpisodeStore(written, "train")
    assert again.content_sha256 == first.content_sha256  # of the content: the shards differ


def test_content_hash_sees_every_array(tmp_path, make_episode):
    base = make_episode(0, poses=np.zeros(3, np.float32))
    variants = [base]
    for name in ("frames", "states", "actions"):
        changed = getattr(base, name).copy()
        changed.flat[-1] += 1
        variants.append(Episode(**{**base.__dict__, name: changed}))
    variants.append(Episode(**{**base.__dict__, "id": "other"}))
    variants.append(Episode(**{**base.__dict__, "extra": {"poses": np.ones(3, np.float32)}}))
    hashes = {
        EpisodeStore(write_store(tmp_path / str(i), {"a": [e]}, {}), "a").content_sha256
        for i, e in enumerate(variants)
    }
    assert len(hashes) == len(variants)


def read_in_child(split, index, queue):
    queue.put(split[index].frames)


def test_survives_pickling_and_forking(written, episodes):
    split = EpisodeStore(written, "train")
    np.testing.assert_array_equal(split[0].frames, episodes[0].frames)  # now a reader is open
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(split))[2].frames, episodes[2].frames)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=read_in_child, args=(split, 2, queue))
    child.start()
    np.testing.assert_array_equal(queue.get(timeout=20), episodes[2].frames)
    child.join()
    np.testing.assert_array_equal(split[1].frames, episodes[1].frames)


def test_few_shards_stay_open(tmp_path, make_episode, monkeypatch):
    monkeypatch.setattr(store_reader, "_MAX_OPEN_SHARDS", 2)
    episodes = [make_episode(i) for i in range(5)]
    split = EpisodeStore(
        write_store(tmp_path / "s", {"a": episodes}, {}, episodes_per_shard=1), "a"
    )
    for index in (0, 1, 2, 3, 4, 0):
        np.testing.assert_array_equal(split[index].frames, episodes[index].frames)
        assert len(split._readers) <= 2


def test_kept_records_are_bounded_and_right(tmp_path, make_episode, monkeypatch):
    episodes = [make_episode(i, length=6) for i in range(5)]
    split = EpisodeStore(write_store(tmp_path / "s", {"a": episodes}, {}), "a")
    for index in range(5):
        split.read(index)
    assert split._kept_bytes == 0  # whole episodes are not kept
    split.read(0, 1, 3)
    one = split._kept_bytes
    monkeypatch.setattr(store_reader, "_MAX_KEPT_BYTES", 3 * one)
    for index in (0, 1, 0, 2, 3, 0, 4, 1, 1):
        np.testing.assert_array_equal(split.read(index, 1, 3).frames, episodes[index].frames[1:3])
        assert split._kept_bytes == sum(map(len, split._kept.values())) <= 3 * one
    assert [position for _, position in split._kept] == [0, 4, 1]
    assert pickle.loads(pickle.dumps(split))._kept_bytes == 0


def failing(episodes):
    yield from episodes
    raise InputError("the source broke")


def test_nothing_is_left_of_a_failed_write(tmp_path, episodes):
    with pytest.raises(InputError, match="the source broke"):
        write_store(tmp_path / "s", {"train": failing(episodes)}, {})
    with pytest.raises(InputError, match="split 'val' has no episodes"):
        write_store(tmp_path / "s", {"train": episodes, "val": []}, {})
    assert list(tmp_path.iterdir()) == []


def test_existing_output(tmp_path, written, copy, episodes, make_episode):
    with pytest.raises(InputError, match="already exists"):
        write_store(copy, {"train": episodes}, {})
    with pytest.raises(InputError, match="the source broke"):
        write_store(copy, {"train": failing(episodes)}, {}, overwrite=True)
    assert len(EpisodeStore(copy, "train")) == 5  # the old one stands
    write_store(copy, {"train": [make_episode(7)]}, {}, overwrite=True)
    assert len(EpisodeStore(copy, "train")) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]
    (tmp_path / "thesis").mkdir()
    with pytest.raises(InputError, match="not a store"):
        write_store(tmp_path / "thesis", {"train": episodes}, {}, overwrite=True)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"size": 8}, "but the episodes before it have frames 3x16x16, state 5, action 4"),
        ({"state": 3}, "but the episodes before it have frames 3x16x16, state 5, action 4"),
        ({"length": 0}, "no frames"),
        ({"channels": 2}, "but the episodes before"),
    ],
)
def test_bad_episodes(tmp_path, make_episode, bad, message):
    with pytest.raises(InputError, match=message):
        write_store(tmp_path / "s", {"a": [make_episode(0), make_episode(1, **bad)]}, {})
    assert list(tmp_path.iterdir()) == []


def test_channels_ids_and_split_names(tmp_path, make_episode):
    with pytest.raises(InputError, match="2 channels; 1 or 3"):
        write_store(tmp_path / "s", {"a": [make_episode(1, channels=2)]}, {})
    with pytest.raises(InputError, match="more than one episode 'episode-1'"):
        write_store(tmp_path / "s", {"a": [make_episode(1), make_episode(1)]}, {})
    for name in ("Train", "a/b", "../a", "", "a_b", "a-"):
        with pytest.raises(InputError, match="split name"):
            write_store(tmp_path / "s", {name: [make_episode(1)]}, {})


def test_a_limit_of_file_size_while_writing(tmp_path, make_episode):
    """A file-size limit stands in for a full disk: the write fails part-way, is an error, and
    leaves nothing."""
    code = f"""
import resource, signal
import numpy as np
from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.store import write_store
from pixelpush.errors import InputError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
frames = np.random.default_rng(0).integers(0, 256, (20, 3, 64, 64), dtype=np.uint8)
none = np.zeros((20, 0), np.float32)
try:
    episodes = [Episode(frames, none, none, str(i)) for i in range(5)]
    write_store({str(tmp_path / "s")!r}, {{"a": episodes}}, {{}})
except InputError as error:
    print("refused:", error)
"""
    result = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert "larger than is allowed here" in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_shards_one_by_one_with_resume(tmp_path, make_episode, assert_same):
    """A job killed between and inside shards goes on where it was, and sealing may be repeated."""
    folder, path = tmp_path / "work", tmp_path / "store"
    assert finished_shards(folder) == {}
    episodes = [make_episode(i) for i in range(6)]
    write_shard(folder, "train", 0, episodes[:2])
    write_shard(folder, "train", 2, episodes[4:])
    with pytest.raises(RuntimeError):
        write_shard(folder, "train", 1, raising(episodes[2:4]))
    assert set(finished_shards(folder)) == {("train", 0), ("train", 2)}
    with pytest.raises(InputError, match=re.escape("lacks shards [1]")):
        seal_store(folder, path, {})
    assert not path.exists()
    write_shard(folder, "train", 1, episodes[2:4])
    write_shard(folder, "val", 0, episodes[:1])
    (folder / ".train-00001.0a1b.partial.array_record").write_bytes(b"left by a kill")
    seal_store(folder, path, {"source": "test"})
    assert not folder.exists()
    assert not [name for name in path.iterdir() if "partial" in name.name or "shard" in name.name]
    for index, episode in enumerate(episodes):
        assert_same(EpisodeStore(path, "train")[index], episode)


def test_a_kill_during_sealing(tmp_path, make_episode, monkeypatch):
    folder, path = tmp_path / "work", tmp_path / "store"
    write_shard(folder, "train", 0, [make_episode(0)])
    for step in ("write_tfds_files", "_drop_sidecars", "_replace"):
        with monkeypatch.context() as patch:
            patch.setattr(store_writer, step, interrupt)
            with pytest.raises(KeyboardInterrupt):
                seal_store(folder, path, {})
        assert not path.exists()
    seal_store(folder, path, {})
    assert len(EpisodeStore(path, "train")) == 1


def raising(episodes):
    yield from episodes
    raise RuntimeError("killed")


def interrupt(*args):
    raise KeyboardInterrupt


def test_objects_are_never_stored(tmp_path, make_episode):
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        write_store(
            tmp_path / "s", {"a": [make_episode(0, thing=np.array([{}], dtype=object))]}, {}
        )
    assert list(tmp_path.iterdir()) == []


def test_a_linked_store_is_replaced_where_it_lies(tmp_path, episodes):
    there = write_store(tmp_path / "there" / "store", {"train": episodes[:1]}, {})
    link = tmp_path / "link"
    link.symlink_to(there)
    write_store(link, {"train": episodes[:2]}, {}, overwrite=True)
    assert link.is_symlink()
    assert len(EpisodeStore(there, "train")) == 2
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["store"]
