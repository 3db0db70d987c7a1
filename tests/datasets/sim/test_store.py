"""Opening makes what is missing, survives kills and company, and refuses what it cannot read."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from pixelpush import progress
from pixelpush.datasets import open_dataset
from pixelpush.datasets.sim import prepare, workers
from pixelpush.datasets.sim.commands import SimOptions, prepare_sim
from pixelpush.datasets.sim.names import default_others
from pixelpush.datasets.sim.noise import noise_floor
from pixelpush.datasets.sim.opening import open_sim
from pixelpush.datasets.sim.prepare import ensure_split, store_path
from pixelpush.datasets.store import EpisodeStore
from pixelpush.errors import InputError
from pixelpush.files import read_json, write_json
from pixelpush.words import counted


@pytest.fixture
def quick(monkeypatch, episode):
    """Episodes of val in no time (physics and frames are others' tests), two to a shard."""
    from dataclasses import replace

    from pixelpush.datasets.sim import generate

    base = episode("val", 0)

    def fake(laboratory, split, number, size):
        frames = base.frames.copy()
        frames[:, 0, 0, 0] = number
        return replace(base, frames=frames, id=f"{split}-{number:07d}")

    monkeypatch.setattr(generate, "generate_episode", fake)
    monkeypatch.setattr(prepare, "per_shard", lambda episodes: 2)


def test_reads_the_clean_render_without_noise(small_root, episode, assert_same):
    clean = open_sim("sim", "val", episodes=3, noise=False, root=small_root)
    for number in range(3):
        assert_same(clean[number], episode("val", number))


def test_noise_is_small_the_same_each_time_and_comes_with_its_floor(small_root, assert_same):
    noisy, clean = (
        open_sim("sim", "val", episodes=3, noise=noise, root=small_root) for noise in (True, False)
    )
    a, b = noisy[1], clean[1]
    assert_same(a, noisy[1])
    difference = a.frames.astype(int) - b.frames
    assert np.abs(difference).max() <= 8
    assert difference.std() == pytest.approx(0.3805, abs=0.003)
    np.testing.assert_array_equal(a.extra["noise_floor"], noise_floor(b.frames))
    np.testing.assert_array_equal(a.states, b.states)


def test_part_of_an_episode_is_as_in_the_whole(small_root):
    noisy = open_sim("sim", "val", episodes=3, root=small_root)
    part, whole = noisy.read(2, 4, 9), noisy[2]
    np.testing.assert_array_equal(part.frames, whole.frames[4:9])
    np.testing.assert_array_equal(part.extra["noise_floor"], whole.extra["noise_floor"][4:9])


def test_a_short_split_is_a_prefix_and_nothing_is_made_twice(small_root, capsys, monkeypatch):
    monkeypatch.setattr(prepare, "make_shards", None)  # a call would fail
    short = open_dataset("sim", "val", episodes=2, root=small_root)
    assert len(short) == len(short.lengths) == 2
    assert capsys.readouterr().err == ""
    with pytest.raises(IndexError):
        short[2]
    np.testing.assert_array_equal(
        short[-1].frames, open_sim("sim", "val", episodes=3, root=small_root)[1].frames
    )


def test_content_hash_tells_prefix_and_noise_apart(small_root):
    kinds = [(3, True), (2, True), (3, False)]
    digests = {
        open_sim("sim", "val", episodes=n, noise=noise, root=small_root).content_sha256
        for n, noise in kinds
    }
    assert len(digests) == 3


def test_growing_copies_what_is_there(tmp_path, quick, capsys):
    ensure_split("sim", "val", 64, 3, root=tmp_path)
    assert "making 3 episodes" in capsys.readouterr().err
    ensure_split("sim", "val", 64, 7, root=tmp_path)
    store = EpisodeStore(store_path("sim", "val", 64, tmp_path), "val")
    assert [int(store[i].frames[0, 0, 0, 0]) for i in range(len(store))] == list(range(7))
    assert [
        p.name
        for p in store_path("sim", "val", 64, tmp_path).parent.iterdir()
        if "working" in p.name
    ] == []


def test_a_broken_run_goes_on_where_it_was(tmp_path, quick, monkeypatch):
    made = []
    make = workers.make_shard

    def breaks(job, index, done):
        if index == 2 and not made.count("broke"):
            made.append("broke")
            raise KeyboardInterrupt
        made.append(index)
        make(job, index, done)

    monkeypatch.setattr(workers, "make_shard", breaks)
    with pytest.raises(KeyboardInterrupt):
        ensure_split("sim", "val", 64, 7, root=tmp_path)
    assert not store_path("sim", "val", 64, tmp_path).exists()
    ensure_split("sim", "val", 64, 7, root=tmp_path)
    assert made == [0, 1, "broke", 2, 3]
    assert len(EpisodeStore(store_path("sim", "val", 64, tmp_path), "val")) == 7


def test_two_processes_at_once_make_one_store(tmp_path, small_root, assert_same):
    code = (
        f"from pixelpush.datasets.sim.opening import open_sim; open_sim('sim', 'val', episodes=2, "
        f"root={str(tmp_path)!r})"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    words = [process.communicate(timeout=120)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], words
    assert sum("making 2 episodes" in text for text in words) == 1
    assert_same(
        open_sim("sim", "val", episodes=2, root=tmp_path)[0],
        open_sim("sim", "val", episodes=2, root=small_root)[0],
    )


def test_workers_make_the_same_store(tmp_path):
    job = workers.Job(str(tmp_path), "sim", "val", 64, episodes=2, per_shard=1)
    count = []
    workers.make_shards(job, [0, 1], 2, lambda: count.append(1))
    assert len(count) == 2
    made = json.loads((tmp_path / "val-00000.shard.json").read_text())
    ensure_split("sim", "val", 64, 1, root=tmp_path / "here")
    assert made["hashes"] == [_hash(tmp_path / "here")]


def _hash(root):
    from pixelpush.datasets.records import content_hash

    return content_hash(EpisodeStore(store_path("sim", "val", 64, root), "val")[0])


def test_a_store_of_another_version_is_refused(tmp_path, quick):
    path = ensure_split("sim", "val", 64, 2, root=tmp_path)
    description = read_json(path / "store.json")
    description["metadata"]["identity"] |= {"scene": 0, "hash": "0"}
    write_json(path / "store.json", description)
    said = (
        rf"another version.*scene 0.*'pixelpush prepare sim --size 64 --root {tmp_path} --rebuild'"
    )
    with pytest.raises(InputError, match=said):
        open_sim("sim", "val", episodes=1, root=tmp_path)
    with pytest.raises(InputError, match=said):
        open_dataset(path, "val")
    # The third version named no laboratory; a folder elsewhere may be anyone's.
    identity = {"scene": 3, "mujoco": "4.0.1", "renderer": "4 samples", "size": 128, "hash": "3"}
    write_json(
        path / "store.json",
        description | {"metadata": description["metadata"] | {"identity": identity}},
    )
    moved = path.rename(tmp_path / "old")
    with pytest.raises(InputError, match=r"scene 3 .*'pixelpush prepare sim --size 128 --rebuild'"):
        open_dataset(moved, "val")
    moved.rename(path)
    ensure_split("sim", "val", 64, 2, root=tmp_path, rebuild=True)
    assert len(open_sim("sim", "val", episodes=2, root=tmp_path)) == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"split": "test"}, "no split 'test'; it has train, val, test-seen, test-novel"),
        ({"split": "val", "size": 100}, "64, 128, 256 pixels"),
        ({"split": "val", "episodes": 0}, "episodes must be 1 to"),
        ({"split": "val", "workers": 0}, "workers must be 1 to 1024"),
    ],
)
def test_bad_values_are_refused(tmp_path, options, words):
    with pytest.raises(InputError, match=words):
        open_sim("sim", root=tmp_path, **options)
    assert list(tmp_path.iterdir()) == []


def test_what_is_prepared_is_used_and_counted(tmp_path, quick, capsys, monkeypatch):
    monkeypatch.setenv("PIXELPUSH_DATA", str(tmp_path))
    ensure_split("sim", "val", 64, 3)
    ensure_split("sim", "train", 64, 5)
    capsys.readouterr()
    monkeypatch.setattr(prepare, "make_shards", None)  # a call would fail
    for split, count in (("val", 3), ("train", 5)):
        assert len(open_dataset("sim", split)) == count
        path = store_path("sim", split, 64)
        line = f"sim/{split}: {count} episodes, as prepared in {path}\n"
        assert capsys.readouterr().err == line
    assert len(open_dataset("sim:4", "train")) == 4
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("name", "counts"), [("sim", (64, 16)), ("sim-cameras:20", (20, 16))])
def test_where_nothing_is_prepared_a_small_number_is_made(
    name, counts, tmp_path, quick, capsys, monkeypatch
):
    monkeypatch.setenv("PIXELPUSH_DATA", str(tmp_path))
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    for split, count in zip(("train", "test-novel"), counts, strict=True):
        assert len(open_dataset(name, split)) == count
        laboratory = name.partition(":")[0]
        assert f"{laboratory}/{split}: making {count} episodes of 64x64" in capsys.readouterr().err
        assert store_path(laboratory, split, 64).is_dir()


def test_a_number_in_the_name_makes_more_of_all_splits(tmp_path, quick, monkeypatch):
    monkeypatch.setenv("PIXELPUSH_DATA", str(tmp_path))
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    ensure_split("sim", "val", 64, 3)
    assert len(open_dataset("sim:200", "val")) == default_others(200) == 20
    assert len(open_dataset("sim:20", "val")) == 20  # more are there
    assert len(open_dataset("sim", "val", episodes=2)) == 2


def test_what_was_begun_on_request_is_not_thrown_away_unasked(tmp_path, quick, monkeypatch):
    monkeypatch.setenv("PIXELPUSH_DATA", str(tmp_path))

    def breaks(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(prepare, "make_shards", breaks)
        with pytest.raises(KeyboardInterrupt):
            ensure_split("sim", "train", 64, 100)
    with pytest.raises(
        InputError, match=r"sim/train: 100 episodes .*'pixelpush prepare sim' again"
    ):
        open_dataset("sim", "train")
    begun = store_path("sim", "train", 64).with_name(".train.100.working")
    assert len(open_dataset("sim", "train", episodes=6, workers=1)) == 6
    assert begun.is_dir()  # a smaller store does not cost what was made of the larger one
    ensure_split("sim", "train", 64, 100)
    assert not begun.exists()


def test_a_smaller_store_leaves_the_shards_of_an_unfinished_larger_one(
    tmp_path, quick, monkeypatch
):
    make = workers.make_shard
    made = []

    def breaks(job, index, done):
        if index == 2 and "broke" not in made:
            made.append("broke")
            raise KeyboardInterrupt
        made.append(index)
        make(job, index, done)

    monkeypatch.setattr(workers, "make_shard", breaks)
    with pytest.raises(KeyboardInterrupt):
        ensure_split("sim", "val", 64, 8, root=tmp_path)
    ensure_split("sim", "val", 64, 2, root=tmp_path)
    ensure_split("sim", "val", 64, 8, root=tmp_path)
    assert made == [0, 1, "broke", 0, 2, 3]
    path = store_path("sim", "val", 64, tmp_path)
    store = EpisodeStore(path, "val")
    assert [int(store[i].frames[0, 0, 0, 0]) for i in range(8)] == list(range(8))
    assert list(path.parent.glob(".*.working")) == []


def test_progress_is_lines_where_there_is_no_terminal(tmp_path, quick, capsys, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_A_LINE", 0.0)
    ensure_split("sim", "val", 64, 3, root=tmp_path)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("sim/val: making 3 episodes")
    assert [line.split(" episodes")[0] for line in lines[1:]] == [
        "sim/val: 1 of 3",
        "sim/val: 2 of 3",
        "sim/val: 3 of 3",
    ]
    assert lines[-1].endswith(" 0 s left")


def test_the_last_episode_is_told_however_fast(capsys):
    with progress.progress_kept(1000, "sim/val", 990) as advance:
        for _ in range(10):
            advance(1)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("sim/val: 1000 of 1000 episodes")


def test_a_full_disk_is_one_clear_line(tmp_path, quick, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(workers, "make_shard", full)
    with pytest.raises(InputError, match="disk is full"):
        ensure_split("sim", "val", 64, 2, root=tmp_path)


def test_prepare_makes_all_splits(tmp_path, quick, capsys):
    prepare_sim(SimOptions(3, workers=1, val_episodes=2, test_episodes=1, root=tmp_path))
    out = capsys.readouterr().out
    for split, count in {"train": 3, "val": 2, "test-seen": 1, "test-novel": 1}.items():
        assert len(EpisodeStore(store_path("sim", split, 64, tmp_path), split)) == count
        assert f"{split}: {counted(count, 'episode')}, {20 * count} frames" in out


def test_a_mirrored_episode_is_one_of_its_kind(small_root):
    """A model that never saw a mirrored scene foresees it better with its states and actions
    mirrored than without."""
    from dataclasses import replace

    import torch

    from pixelpush import load_model
    from pixelpush.datasets.augment import mirror

    episodes = open_sim("sim", "val", episodes=3, root=small_root)
    assert episodes.mirror is not None
    model = load_model("push-ot-small")

    def nats(given):
        batch = [
            torch.from_numpy(np.stack([getattr(e, n) for e in given]))
            for n in ("frames", "states", "actions")
        ]
        with torch.no_grad():
            return -model.log_prob(*batch).mean(dim=(1, 2, 3))

    mirrored = [mirror(e, episodes.mirror) for e in episodes]
    as_they_were = [
        replace(m, states=e.states, actions=e.actions)
        for m, e in zip(mirrored, episodes, strict=True)
    ]
    assert (nats(mirrored) < nats(as_they_were)).all()
