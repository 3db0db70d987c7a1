"""BAIR in both its forms gives the same episodes."""

from __future__ import annotations

import numpy as np
import pytest
from tfrecord_writer import frame_record

from pixelpush.datasets.examples import example_class
from pixelpush.datasets.images import encode_png
from pixelpush.datasets.prepare import prepare
from pixelpush.datasets.readers import bair
from pixelpush.datasets.store import EpisodeStore, store_splits
from pixelpush.errors import InputError


def recording(pictures, seed):
    """One episode as plain arrays: two views, positions, actions."""
    rng = np.random.default_rng(seed)
    aux, main = np.roll(pictures, seed, axis=2), np.roll(pictures, -seed - 1, axis=1)
    return (
        aux,
        main,
        rng.normal(size=(30, 3)).astype(np.float32),
        rng.normal(size=(30, 4)).astype(np.float32),
    )


def original_record(recorded):
    aux, main, positions, actions = recorded
    example = example_class()()
    feature = example.features.feature
    for t in range(30):
        feature[f"{t}/image_aux1/encoded"].bytes_list.value.append(aux[t].tobytes())
        feature[f"{t}/image_main/encoded"].bytes_list.value.append(main[t].tobytes())
        feature[f"{t}/endeffector_pos"].float_list.value.extend(positions[t].tolist())
        feature[f"{t}/action"].float_list.value.extend(actions[t].tolist())
    return example.SerializeToString()


@pytest.fixture
def original(tmp_path, pictures):
    raw = tmp_path / "softmotion30_44k"
    for folder, name, seeds in (
        ("train", "traj_0_to_255", (0, 1)),
        ("train", "traj_256_to_511", (2,)),
        ("train", "traj_1024_to_1279", (3,)),
        ("test", "traj_0_to_255", (4,)),
    ):
        (raw / folder).mkdir(parents=True, exist_ok=True)
        records = (frame_record(original_record(recording(pictures, seed))) for seed in seeds)
        (raw / folder / f"{name}.tfrecords").write_bytes(b"".join(records))
    return raw


def test_original_files(original, tmp_path, pictures):
    prepare("bair", original, tmp_path / "store")
    seeds = {"train": [0, 1, 3], "val": [2], "test": [4]}
    assert store_splits(tmp_path / "store") == sorted(seeds)
    for split, expected in seeds.items():
        store = EpisodeStore(tmp_path / "store", split)
        assert len(store) == len(expected)
        for episode, seed in zip(store, expected, strict=True):
            aux, _, positions, actions = recording(pictures, seed)
            np.testing.assert_array_equal(episode.frames, aux.transpose(0, 3, 1, 2))
            np.testing.assert_array_equal(episode.states, positions)
            np.testing.assert_array_equal(episode.actions, actions)
    assert EpisodeStore(tmp_path / "store", "test")[0].id == "test/traj_0_to_255.tfrecords:0"


def test_the_other_view_and_no_validation(original, tmp_path, pictures):
    prepare("bair", original, tmp_path / "store", view="main", validation="none")
    assert store_splits(tmp_path / "store") == ["test", "train"]
    episode = EpisodeStore(tmp_path / "store", "train")[2]
    np.testing.assert_array_equal(episode.frames, recording(pictures, 2)[1].transpose(0, 3, 1, 2))


@pytest.mark.parametrize("form", ["tfrecord", "array_record"])
def test_prepared_by_tfds(form, tmp_path, pictures, monkeypatch):
    """Records serialised by TFDS itself, with its builder's own features."""
    import tensorflow_datasets as tfds
    from array_record.python.array_record_module import ArrayRecordWriter
    from tensorflow_datasets.core.example_serializer import ExampleSerializer

    image = tfds.features.Image(shape=(64, 64, 3))
    vector = {
        name: tfds.features.Tensor(shape=(size,), dtype=np.float32)
        for name, size in (("action", 4), ("endeffector_pos", 3))
    }
    features = tfds.features.Sequence(
        {"image_main": image, "image_aux1": image, **vector}, length=30
    )
    serializer = ExampleSerializer(features.get_serialized_info())
    raw = tmp_path / "bair_robot_pushing_small" / "2.0.0"
    raw.mkdir(parents=True)

    def write(split, index, total, seeds):
        records = []
        for seed in seeds:
            aux, main, positions, actions = recording(pictures, seed)
            example = {"image_main": [encode_png(frame) for frame in main], "action": actions}
            example |= {
                "image_aux1": [encode_png(frame) for frame in aux],
                "endeffector_pos": positions,
            }
            records.append(serializer.serialize_example(example))
        path = raw / f"bair_robot_pushing_small-{split}.{form}-{index:05d}-of-{total:05d}"
        if form == "tfrecord":
            path.write_bytes(b"".join(map(frame_record, records)))
        else:
            writer = ArrayRecordWriter(str(path), "group_size:1")
            for record in records:
                writer.write(record)
            writer.close()

    write("train", 0, 2, (0, 1))
    write("train", 1, 2, (2,))
    write("test", 0, 1, (3,))
    monkeypatch.setattr(bair, "HELD_OUT_EPISODES", 1)
    prepare("bair", tmp_path, tmp_path / "store")
    for split, seeds in {"val": [0], "train": [1, 2], "test": [3]}.items():
        store = EpisodeStore(tmp_path / "store", split)
        assert len(store) == len(seeds)
        for episode, seed in zip(store, seeds, strict=True):
            aux, _, positions, actions = recording(pictures, seed)
            np.testing.assert_array_equal(episode.frames, aux.transpose(0, 3, 1, 2))
            np.testing.assert_array_equal(episode.states, positions)
            np.testing.assert_array_equal(episode.actions, actions)
    (raw / f"bair_robot_pushing_small-train.{form}-00001-of-00002").unlink()
    with pytest.raises(InputError, match="2 TFDS files in it, their names announce 3; fetch"):
        prepare("bair", tmp_path, tmp_path / "again")


def test_nothing_there(tmp_path, original):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="neither train/traj"):
        prepare("bair", tmp_path / "empty", tmp_path / "store")
    (original / "train" / "traj_256_to_511.tfrecords").unlink()
    with pytest.raises(InputError, match="traj_256_to_511"):
        prepare("bair", original, tmp_path / "store")


def test_damage(original, tmp_path, pictures):
    path = original / "train" / "traj_0_to_255.tfrecords"
    example = example_class().FromString(original_record(recording(pictures, 9)))
    example.features.feature["7/image_aux1/encoded"].bytes_list.value[0] = b"short"
    path.write_bytes(path.read_bytes() + frame_record(example.SerializeToString()))
    prepare("bair", original, tmp_path / "store")
    (damage,) = EpisodeStore(tmp_path / "store", "train").metadata["damaged_records"]
    assert f"{path}, record 2" in damage
    assert "expected 64x64x3" in damage
