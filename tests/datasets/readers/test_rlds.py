"""RLDS records: every layout that Open X publishes, and one real record file."""

from __future__ import annotations

import gzip

import cv2
import numpy as np
import pytest
from tfrecord_writer import frame_record

from pixelpush.datasets.examples import example_class, parse_example
from pixelpush.datasets.prepare import prepare
from pixelpush.datasets.readers import recognise
from pixelpush.datasets.store import EpisodeStore, store_splits
from pixelpush.datasets.tfrecord import find_records, read_record
from pixelpush.errors import InputError


def arrays(seed, length=6):
    rng = np.random.default_rng(seed)
    states = 0.3 + np.cumsum(rng.normal(size=(length, 3)) * 0.01, axis=0)
    deltas = np.concatenate([np.diff(states, axis=0), np.zeros((1, 3))])
    frames = rng.integers(0, 256, (length, 32, 32, 3), dtype=np.uint8)
    return frames, states.astype(np.float32), deltas.astype(np.float32)


def record(seed, length=6, cameras=("image",), state="observation/state", split_action=False):
    frames, states, actions = arrays(seed, length)
    example = example_class()()
    feature = example.features.feature
    for number, camera in enumerate(cameras):
        shown = np.roll(frames, number, axis=2)
        feature[f"steps/observation/{camera}"].bytes_list.value.extend(
            cv2.imencode(".png", frame[..., ::-1])[1].tobytes() for frame in shown
        )
    feature[f"steps/{state}"].float_list.value.extend(states.ravel().tolist())
    if split_action:
        feature["steps/action/world_vector"].float_list.value.extend(
            actions[:, :2].ravel().tolist()
        )
        feature["steps/action/rotation"].float_list.value.extend(actions[:, 2].tolist())
    else:
        feature["steps/action"].float_list.value.extend(actions.ravel().tolist())
    feature["steps/is_last"].int64_list.value.extend([0] * (length - 1) + [1])
    feature["steps/language_instruction"].bytes_list.value.extend([b"push"] * length)
    return example.SerializeToString()


def write(folder, split, index, total, records, name="my_set"):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{split}.tfrecord-{index:05d}-of-{total:05d}"
    path.write_bytes(b"".join(map(frame_record, records)))
    return path


def check(store, seeds):
    assert len(store) == len(seeds)
    for found, seed in zip(store, seeds, strict=True):
        frames, states, actions = arrays(seed, len(found.frames))
        np.testing.assert_array_equal(found.frames, frames.transpose(0, 3, 1, 2))
        np.testing.assert_array_equal(found.states, states)
        np.testing.assert_array_equal(found.actions, actions)


def test_a_tfds_folder_with_its_own_splits(tmp_path):
    raw = tmp_path / "my_set" / "1.0.0"
    write(raw, "train", 0, 2, [record(0), record(1)])
    write(raw, "train", 1, 2, [record(2, length=9)])
    write(raw, "validation", 0, 1, [record(3)])
    assert recognise(raw)[0].name == "rlds"
    prepare("rlds", raw, tmp_path / "store", size=32)
    assert store_splits(tmp_path / "store") == ["train", "val"]
    train = EpisodeStore(tmp_path / "store", "train")
    check(train, [0, 1, 2])
    check(EpisodeStore(tmp_path / "store", "val"), [3])
    assert train.action_kind == "delta"
    assert train.metadata["action_kind_from"] == "measured"
    prepare("rlds", raw, tmp_path / "cut", size=32, split="1/1/2")
    check(EpisodeStore(tmp_path / "cut", "test"), [2, 3])
    (raw / "my_set-train.tfrecord-00001-of-00002").unlink()
    with pytest.raises(InputError, match="1 of the 2 files of split train are here"):
        prepare("rlds", raw, tmp_path / "again")


VARIANTS = {
    "a bare file": ("train.tfrecord", {}, {}),
    "a bare array_record": ("my-train.array_record-00000-of-00001", {}, {}),
    "cameras": ("x.tfrecord", {"cameras": ("image", "wrist")}, {"camera": "image"}),
    "proprio": ("x.tfrecord", {"state": "observation/proprio"}, {}),
    "another state": ("x.tfrecord", {"state": "pose"}, {"state_key": "pose"}),
    "an action in parts": (
        "x.tfrecords",
        {"split_action": True},
        {"action_key": "action/world_vector,steps/action/rotation"},
    ),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_other_layouts(tmp_path, variant):
    name, form, settings = VARIANTS[variant]
    raw = tmp_path / "raw"
    raw.mkdir()
    records = [record(seed, **form) for seed in range(2)]
    if "array_record" in name:
        from array_record.python.array_record_module import ArrayRecordWriter

        writer = ArrayRecordWriter(str(raw / name), "group_size:1")
        for data in records:
            writer.write(data)
        writer.close()
    else:
        (raw / name).write_bytes(b"".join(map(frame_record, records)))
    prepare("rlds", raw, tmp_path / "store", size=32, split="2/0/0", **settings)
    check(EpisodeStore(tmp_path / "store", "train"), [0, 1])


def test_refusals(tmp_path):
    raw = tmp_path / "raw"
    path = write(raw, "train", 0, 1, [record(0, cameras=("image", "wrist")), record(1)])

    def refuse(message, **settings):
        with pytest.raises(InputError, match=message):
            prepare("rlds", raw, tmp_path / "store", split="2/0/0", **settings)
        assert not (tmp_path / "store").exists()

    refuse(r"2 cameras \(observation/image, observation/wrist\); choose one by --camera")
    refuse("no feature 'x'; choose by --state-key from action", camera="image", state_key="x")
    refuse("record 1: no feature 'steps/observation/wrist'", camera="wrist")
    intact = path.read_bytes()
    path.write_bytes(intact[: len(intact) - 9])
    refuse(r"record 1 \(byte \d+\): its length is damaged or the file is cut short")
    damaged = bytearray(intact)
    damaged[200] ^= 1
    path.write_bytes(bytes(damaged))
    refuse("record 0: the checksum of its data is wrong", camera="image")
    path.write_bytes(gzip.compress(intact))
    refuse("compressed with gzip")
    path.write_bytes(b"<html>")
    refuse("web page")


def test_a_damaged_record_can_be_skipped(tmp_path):
    path = write(tmp_path / "raw", "train", 0, 1, [record(0), record(1), record(2)])
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    prepare("rlds", tmp_path / "raw", tmp_path / "store", size=32, split="3/0/0", damage_limit=1)
    check(EpisodeStore(tmp_path / "store", "train"), [0, 2])


def test_real_bridge(shared_data, tmp_path):
    raw = shared_data / "bridge"
    prepare("rlds", raw, tmp_path / "store", camera="image_0", split="20/3/2")
    train = EpisodeStore(tmp_path / "store", "train")
    assert [len(EpisodeStore(tmp_path / "store", split)) for split in ("train", "val", "test")] == [
        20,
        3,
        2,
    ]
    assert train.action_kind == "delta"
    (path,) = raw.glob("*.tfrecord*")
    features = parse_example(read_record(find_records(path)[7]), "x")
    for name, key in (("states", "observation/state"), ("actions", "action")):
        values = np.array(features[f"steps/{key}"].float_list.value, np.float32).reshape(10, 7)
        np.testing.assert_array_equal(getattr(train[7], name), values)
    jpeg = features["steps/observation/image_0"].bytes_list.value[4]
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    np.testing.assert_array_equal(train[7].frames[4].transpose(1, 2, 0), image)
