"""Damage of every kind to every input: it is read correctly or refused with an InputError that
names the place.

Any other exception fails the test. A few hundred cases by default, thousands under ``slow``.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from tfrecord_writer import frame_record

from experiments.attack.damage import damage
from pixelpush.datasets.arrays import Archive, decode_array, encode_array
from pixelpush.datasets.examples import parse_example
from pixelpush.datasets.images import decode_image, encode_png
from pixelpush.datasets.prepare import _episodes
from pixelpush.datasets.readers import google_push
from pixelpush.datasets.readers.folder import Options, read_episode
from pixelpush.datasets.readers.moving_mnist import read_idx_images
from pixelpush.datasets.records import Schema, decode_record, encode_record
from pixelpush.datasets.splits import listed_splits
from pixelpush.datasets.store import EpisodeStore, write_store
from pixelpush.datasets.tables import parse_json, read_csv, read_json_table
from pixelpush.datasets.tfrecord import DamageLog
from pixelpush.errors import InputError


@contextlib.contextmanager
def refused_with(*names: str):
    """Nothing happens, or an InputError that says one of ``names``."""
    try:
        yield
    except InputError as error:
        message = str(error)
        if not any(name in message for name in names):
            raise AssertionError(f"{message!r} names none of {names}") from error


def push_episodes(path: Path, log: DamageLog):
    """The readable episodes of one Google push file."""
    entries = google_push._entries([path], log, google_push.Tally(), google_push.Options())
    return _episodes(entries, 2, [], log)


def assert_each_is_one_of(found: np.ndarray, written: np.ndarray) -> None:
    """Pictures with a checksum are exact, wherever they stand now."""
    for picture in found:
        assert any(np.array_equal(picture, other) for other in written)


SIZES = [pytest.param(60, id="few"), pytest.param(3000, id="many", marks=pytest.mark.slow)]


def cases(count: int, data: bytes):
    """Damaged copies, the number of each case for a failure's message."""
    for case in range(count):
        yield case, damage(data, np.random.default_rng(case))


@pytest.mark.parametrize("count", SIZES)
def test_tfrecord_of_google_push(tmp_path, google_example, count):
    """Whatever survives is one of the records that were written, whole; the rest is in the damage
    log."""
    intact = tmp_path / "push_train.tfrecord-00000-of-00001"
    intact.write_bytes(
        b"".join(
            frame_record(google_example(moves=3, imaged=range(3), offset=10 * i)) for i in range(4)
        )
    )
    data = intact.read_bytes()
    truth = {e.states[0, 0]: e for e in push_episodes(intact, DamageLog(0))}
    assert len(truth) == 4
    for case, changed in cases(count, data):
        intact.write_bytes(changed)
        log = DamageLog(100, report=lambda line: None)
        for episode in push_episodes(intact, log):
            np.testing.assert_array_equal(
                episode.frames, truth[episode.states[0, 0]].frames, f"case {case}"
            )
            np.testing.assert_array_equal(
                episode.states, truth[episode.states[0, 0]].states, f"case {case}"
            )
        assert all(str(intact) in str(found) for found in log.found)


@pytest.mark.parametrize("count", SIZES)
def test_example_messages(google_example, count, pictures):
    """Behind the checksums too: damaged protobuf bytes, re-framed with checksums that hold."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "push_train.tfrecord-00000-of-00001"
        for _, changed in cases(count, google_example(moves=2, imaged=range(2))):
            path.write_bytes(frame_record(changed))
            log = DamageLog(5, report=lambda line: None)
            episodes = list(push_episodes(path, log))
            assert len(episodes) <= 1
            for episode in episodes:  # values that no checksum guards, but of the right form
                assert episode.frames.shape == (2, 3, 64, 64)
                assert episode.states.shape == episode.actions.shape == (2, 5)
            assert all(f"{path}, record 0" in str(found) for found in log.found)


@pytest.mark.parametrize("count", SIZES)
def test_records_of_the_store(make_episode, count):
    episode = make_episode(0, length=3, poses=np.zeros((3, 2), np.float32))
    schema = Schema.of(episode)
    for _, changed in cases(count, encode_record(episode)):
        with refused_with("record 7", "episode "):
            found = decode_record(changed, schema, "shard, record 7")
            assert found.states.shape == (len(found.frames), 2)
            assert_each_is_one_of(found.frames, episode.frames)


@pytest.mark.parametrize("count", SIZES)
def test_shards_of_the_store(make_episode, assert_same, tmp_path, count):
    """The store's checksums let nothing through: each record is exact or refused."""
    episodes = [make_episode(i, length=3, size=32) for i in range(4)]
    path = write_store(tmp_path / "s", {"a": episodes}, {})
    shard = path / "a-00000.array_record"
    intact = shard.read_bytes()
    for _, changed in cases(count, intact):
        shard.write_bytes(
            (changed + bytes(len(intact)))[: len(intact)]
        )  # of the right size, so that it is opened
        with refused_with(str(shard)):
            store = EpisodeStore(path, "a")
            for index, episode in enumerate(episodes):
                with refused_with(f"{shard}, record {index}"):
                    assert_same(store[index], episode)


@pytest.mark.parametrize("count", SIZES)
def test_store_descriptions(make_episode, assert_same, tmp_path, count):
    episodes = [make_episode(i) for i in range(3)]
    path = write_store(tmp_path / "s", {"a": episodes}, {"source": "test"})
    for _, changed in cases(count, (path / "store.json").read_bytes()):
        (path / "store.json").write_bytes(changed)
        with refused_with(str(path)):
            store = EpisodeStore(path, "a")
            for index in range(len(store)):
                assert_same(store[index], episodes[index])


@pytest.mark.parametrize("count", SIZES)
@pytest.mark.parametrize("kind", [".png", ".jpg", ".webp"])
def test_images(pictures, kind, count):
    frame = pictures[0]
    data = (
        encode_png(frame) if kind == ".png" else cv2.imencode(kind, frame[..., ::-1])[1].tobytes()
    )
    for case, changed in cases(count, data):
        with refused_with("frame 3"):
            image = decode_image(changed, "frame 3")
            assert image.dtype == np.uint8
            assert image.ndim == 3
            if (
                kind == ".png" and image.shape == frame.shape
            ):  # checksummed, so what decodes is exact
                np.testing.assert_array_equal(image, frame, f"case {case}")


@pytest.mark.parametrize("count", SIZES)
def test_arrays_and_tables(count):
    array = np.arange(24, dtype=np.float64).reshape(6, 4)
    for _, changed in cases(count, encode_array(array)):
        with refused_with("x.npy"):
            found = decode_array(changed, "x.npy")
            assert found.dtype.kind in "biuf"
            assert found.nbytes <= len(changed)
    csv_data = (
        "time,state_x,state_y\n" + "".join(f'{t},"{t * 0.5}",-{t}e-3\n' for t in range(9))
    ).encode()
    table = json.dumps({"columns": ["a", "b"], "data": [[1, 2.5], [3, -4e3], [5, 6]]}).encode()
    for data, read in ((csv_data, read_csv), (table, read_json_table)):
        for _, changed in cases(count, data):
            with refused_with("robot.x"):
                found = read(changed, "robot.x")
                assert np.isfinite(found.select(found.columns)).all()


def test_json_that_is_deep_or_strange():
    for data in (b"[" * 100_000, b"NaN", b'{"a":' * 50_000, b"\xff\xfe", b"1e999", b"9" * 5000):
        with refused_with("x.json"):
            parse_json(data, "x.json")
    wide = json.dumps({"columns": ["a"], "data": [[10**400]]}).encode()
    with pytest.raises(InputError, match="row 1, column 'a'"):
        read_json_table(wide, "x.json").select(["a"])


@pytest.mark.parametrize("count", SIZES)
def test_archives(tmp_path, pictures, count):
    folder = tmp_path / "run"
    folder.mkdir()
    path = folder / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for index in range(3):
            archive.writestr(f"frame_{index}.png", encode_png(pictures[index]))
        archive.writestr("robot.csv", "state_x,action_x\n1,2\n3,4\n5,6\n")
    truth = read_episode(path, Options())
    for case, changed in cases(count, path.read_bytes()):
        path.write_bytes(changed)
        with refused_with("a.zip", "episode a"):
            episode = read_episode(path, Options())
            np.testing.assert_array_equal(episode.frames, truth.frames, f"case {case}")
            np.testing.assert_array_equal(episode.states, truth.states, f"case {case}")


@pytest.mark.parametrize("count", SIZES)
def test_npz_files(tmp_path, count):
    path = tmp_path / "a.npz"
    np.savez_compressed(
        path,
        frames=np.zeros((4, 8, 8, 3), np.uint8),
        states=np.ones((4, 2)),
        actions=np.ones((4, 2)),
    )
    for _, changed in cases(count, path.read_bytes()):
        path.write_bytes(changed)
        with refused_with("a.npz", "episode a"):
            assert not read_episode(path, Options(size=8)).frames.any()
            assert (Archive(path).read_array("states") == 1).all()


@pytest.mark.parametrize("count", SIZES)
def test_split_lists(tmp_path, count):
    names = [f"run{i}" for i in range(5)]
    intact = json.dumps({"train": names[:3], "val": names[3:4], "test": names[4:]}).encode()
    for _, changed in cases(count, intact):
        (tmp_path / "splits.json").write_bytes(changed)
        with refused_with("splits.json"):
            manifest = tmp_path / "splits.json"
            value = parse_json(manifest.read_bytes(), str(manifest))
            splits = listed_splits(value, names, str(manifest))
            assert {name for members in splits.values() for name in members} <= set(names)


@pytest.mark.parametrize("count", SIZES)
def test_idx_files(tmp_path, count):
    import gzip

    data = bytes.fromhex("00000803000000050000001c0000001c") + bytes(5 * 28 * 28)
    for name, intact in (("plain", data), ("packed.gz", gzip.compress(data))):
        for _, changed in cases(count, intact):
            (tmp_path / name).write_bytes(changed)
            with refused_with(name):
                found = read_idx_images(tmp_path, name)
                assert found.shape[1:] == (28, 28)
                assert name == "plain" or not found.any()  # gzip has a checksum


@pytest.mark.slow
def test_videos(tmp_path, pictures):
    import imageio_ffmpeg

    folder = tmp_path / "run"
    folder.mkdir()
    path = folder / "camera.mp4"
    writer = imageio_ffmpeg.write_frames(path, (64, 64), fps=10, macro_block_size=1)
    writer.send(None)
    for frame in pictures:
        writer.send(np.ascontiguousarray(frame))
    writer.close()
    (folder / "robot.csv").write_text("state_x,action_x\n" + "1,2\n" * len(pictures))
    assert read_episode(folder, Options()).frames.shape == (len(pictures), 3, 64, 64)
    for _, changed in cases(150, path.read_bytes()):
        path.write_bytes(changed)
        with refused_with("run"):
            assert read_episode(folder, Options()).frames.shape == (len(pictures), 3, 64, 64)
    shutil.rmtree(folder)


def test_messages_that_parse_as_nothing():
    assert len(parse_example(b"", "x")) == 0
    with pytest.raises(InputError, match=r"x: not a tf\.train\.Example"):
        parse_example(b"\xff\xff\xff", "x")
