"""The Google push schema, written with protobuf messages and real JPEG bytes, through the whole
command."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from tfrecord_writer import frame_record

from pixelpush.datasets.examples import example_class
from pixelpush.datasets.prepare import prepare
from pixelpush.datasets.readers.google_push import find_shards, square
from pixelpush.datasets.store import EpisodeStore, store_splits
from pixelpush.errors import InputError


def write(folder, part, index, total, records):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"push_{part}.tfrecord-{index:05d}-of-{total:05d}"
    path.write_bytes(b"".join(map(frame_record, records)))
    return path


@pytest.fixture
def raw(tmp_path, google_example):
    raw = tmp_path / "raw"
    for index in range(3):
        records = [google_example(offset=100.0 * index + 10.0 * i) for i in range(2)]
        write(raw / "push_train", "train", index, 3, records)
    write(raw / "push_testseen", "testseen", 0, 1, [google_example(moves=15)])
    write(raw / "push_testnovel", "testnovel", 0, 1, [google_example(imaged=range(3, 9))])
    return raw


def test_the_whole_command(raw, tmp_path, pictures, capsys):
    prepare("google-push", raw, tmp_path / "store")
    assert store_splits(tmp_path / "store") == ["test-novel", "test-seen", "train", "val"]
    train = EpisodeStore(tmp_path / "store", "train")
    val = EpisodeStore(tmp_path / "store", "val")
    assert [train[i].id for i in range(len(train))] == [
        f"push_train.tfrecord-0000{shard}-of-00003:{record}"
        for shard in (0, 1)
        for record in (0, 1)
    ]
    assert {val[i].id.split(":")[0] for i in range(len(val))} == {
        "push_train.tfrecord-00002-of-00003"
    }
    episode = train[3]
    assert episode.frames.shape == (12, 3, 64, 64)
    # Numeric order of the moves: the pose of move t is t + 0..4 (+ 110), as text 10 and 11 would
    # come before 2.
    expected = np.arange(12)[:, None] + np.arange(5) + 110
    np.testing.assert_array_equal(episode.states, expected.astype(np.float32))
    np.testing.assert_array_equal(episode.actions, (expected + 0.5).astype(np.float32))
    for t in range(
        12
    ):  # the crop of the enlarged picture, brought back: near the picture, and nearest to its own
        small = cv2.resize(
            cv2.resize(pictures[t], (640, 512), interpolation=cv2.INTER_CUBIC)[:, 64:576], (64, 64)
        )
        assert np.abs(episode.frames[t].transpose(1, 2, 0).astype(int) - small).mean() < 6
    assert train.metadata["preprocess"] == "crop, area filter to 64x64"
    assert "train: 4 episodes" in capsys.readouterr().out


def test_moves_without_an_image(raw, tmp_path):
    prepare("google-push", raw, tmp_path / "store")
    seen, novel = (EpisodeStore(tmp_path / "store", split) for split in ("test-seen", "test-novel"))
    assert seen[0].frames.shape[0] == 12  # of 15 moves
    np.testing.assert_array_equal(novel[0].states[:, 0], np.arange(3, 9))
    assert novel.metadata["moves_without_image"] == {
        "train": 0,
        "test-seen": 3,
        "test-novel": 6,
        "val": 0,
    }


def test_a_gap_ends_the_episode(tmp_path, google_example):
    write(tmp_path / "raw", "train", 0, 1, [google_example(imaged=[1, 2, 3, 4, 6, 7, 8, 9, 10])])
    prepare("google-push", tmp_path / "raw", tmp_path / "store")
    (episode,) = EpisodeStore(tmp_path / "store", "train")
    np.testing.assert_array_equal(episode.states[:, 0], [1, 2, 3, 4])


def area(image):
    """8x8 block means of a 512x512 picture, computed here."""
    return image.reshape(64, 8, 64, 8, 3).mean(axis=(1, 3))


def test_crop_and_area_filter_against_plain_means(raw, tmp_path, google_example):
    prepare("google-push", raw, tmp_path / "crop")
    prepare("google-push", raw, tmp_path / "squash", preprocess="squash")
    message = example_class().FromString(google_example())
    jpeg = message.features.feature["move/5/image/encoded"].bytes_list.value[0]
    full = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)[..., ::-1].astype(
        np.float64
    )
    cropped = EpisodeStore(tmp_path / "crop", "train")[0].frames[5].transpose(1, 2, 0)
    assert np.abs(cropped - area(full[:, 64:576])).max() <= 0.5 + 1e-6
    squashed = EpisodeStore(tmp_path / "squash", "train")[0].frames[5].transpose(1, 2, 0)
    assert np.abs(squashed - full.reshape(64, 8, 64, 10, 3).mean(axis=(1, 3))).max() <= 0.5 + 1e-4


def test_validation_is_the_last_five_per_cent_by_name(tmp_path):
    for index in reversed(range(264)):
        (tmp_path / f"push_train.tfrecord-{index:05d}-of-00264").touch()
    shards = find_shards(tmp_path)
    assert [path.name[20:25] for path in shards["val"]] == [
        f"{index:05d}" for index in range(251, 264)
    ]
    assert len(shards["train"]) == 251


def test_an_incomplete_evaluation_split_is_refused(tmp_path, google_example):
    write(tmp_path / "raw", "testseen", 1, 5, [google_example()])
    with pytest.raises(InputError, match=r"push_testseen is incomplete: files \[0, 2, 3, 4\] of 5"):
        prepare("google-push", tmp_path / "raw", tmp_path / "store")
    prepare("google-push", tmp_path / "raw", tmp_path / "store", allow_missing=True)
    assert store_splits(tmp_path / "store") == ["test-seen"]


@pytest.mark.parametrize(
    "how", ["bit flip", "no jpeg", "nan", "wrong count", "other kind", "foreign"]
)
def test_damaged_records_are_counted_named_and_skipped(tmp_path, google_example, how, capsys):
    message = example_class().FromString(google_example())
    feature = message.features.feature
    if how == "no jpeg":
        feature["move/2/image/encoded"].bytes_list.value[0] = b"\xff\xd8 nothing \xff\xd9"
    elif how == "nan":
        feature["move/4/endeffector/vec_pitch_yaw"].float_list.value[1] = float("nan")
    elif how == "wrong count":
        feature["move/4/commanded_pose/vec_pitch_yaw"].float_list.value.append(1.0)
    elif how == "other kind":
        feature["move/4/endeffector/vec_pitch_yaw"].int64_list.value.append(1)
    elif how == "foreign":
        feature.clear()
        feature["steps/image"].bytes_list.value.append(b"x")
    path = write(
        tmp_path / "raw",
        "train",
        0,
        1,
        [google_example(), message.SerializeToString(), google_example()],
    )
    if how == "bit flip":
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 16
        path.write_bytes(data)
    prepare("google-push", tmp_path / "raw", tmp_path / "store")
    train = EpisodeStore(tmp_path / "store", "train")
    assert [episode.id[-1] for episode in train] == ["0", "2"]
    (damage,) = train.metadata["damaged_records"]
    assert f"{path}, record 1" in damage
    assert f"{path}, record 1" in capsys.readouterr().err
    with pytest.raises(InputError, match="record 1"):
        prepare("google-push", tmp_path / "raw", tmp_path / "strict", damage_limit=0)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["raw", "store"]


def test_short_episodes_are_counted(tmp_path, google_example):
    records = [google_example(), google_example(imaged=[0, 1]), google_example(imaged=[])]
    write(tmp_path / "raw", "train", 0, 1, records)
    prepare("google-push", tmp_path / "raw", tmp_path / "store", min_frames=3)
    train = EpisodeStore(tmp_path / "store", "train")
    assert len(train) == 1
    assert train.metadata["episodes_too_short"] == [
        "push_train.tfrecord-00000-of-00001:1",
        "push_train.tfrecord-00000-of-00001:2",
    ]


def test_folders_that_hold_nothing(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        prepare("google-push", tmp_path / "none", tmp_path / "store")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no files called push_train"):
        prepare("google-push", tmp_path / "empty", tmp_path / "store")
    with pytest.raises(InputError, match="--size 3"):
        prepare("google-push", tmp_path / "empty", tmp_path / "store", size=3)


# --- as public readers do
# --------------------------------------------------------------------------------------------------


def one_jpeg(google_example):
    message = example_class().FromString(google_example())
    jpeg = message.features.feature["move/5/image/encoded"].bytes_list.value[0]
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


def test_named_preprocessing_is_the_public_readers(raw, tmp_path, google_example):
    """To one level: alexlee-gk averages the cropped picture; Finn's bicubic without antialiasing or
    half-pixel centres takes every eighth pixel of it; tensor2tensor's is Pillow's bilinear."""
    full = one_jpeg(google_example)
    cropped = full[:, 64:576]
    from PIL import Image

    expected = {
        "alexlee-gk": area(cropped.astype(np.float64)),
        "finn": cropped[::8, ::8],
        "tensor2tensor": Image.fromarray(full).resize((64, 64), Image.Resampling.BILINEAR),
    }
    for name, frame in expected.items():
        prepare("google-push", raw, tmp_path / name, preprocess=name)
        found = EpisodeStore(tmp_path / name, "train")[0].frames[5].transpose(1, 2, 0)
        assert np.abs(found - np.asarray(frame, np.float64)).max() <= 1
    distinct = {EpisodeStore(tmp_path / n, "train").content_sha256 for n in expected}
    assert len(distinct) == 3


def test_finns_bicubic_at_other_sizes(google_example):
    """Against TensorFlow 1's formula, pixel by pixel."""
    image = one_jpeg(google_example)[:, 64:576][::8, ::8].astype(np.float64)  # 64x64
    size = 40
    found = square(image.astype(np.uint8), size, "finn")

    def weight(x, a=-0.75):
        x = abs(x)
        if x <= 1:
            return (a + 2) * x**3 - (a + 3) * x**2 + 1
        return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.0

    for row, column in ((0, 0), (3, 17), (39, 39), (20, 1)):
        y, x = row * 64 / size, column * 64 / size
        total = np.zeros(3)
        for j in range(int(y) - 1, int(y) + 3):
            for i in range(int(x) - 1, int(x) + 3):
                pixel = image[np.clip(j, 0, 63), np.clip(i, 0, 63)]
                total += weight(y - j) * weight(x - i) * pixel
        assert np.abs(found[row, column] - np.clip(total, 0, 255)).max() <= 1


def test_finns_250_files_are_for_training(tmp_path):
    for index in range(264):
        (tmp_path / f"push_train.tfrecord-{index:05d}-of-00264").touch()
    shards = find_shards(tmp_path, preprocess="finn")
    assert (len(shards["train"]), len(shards["val"])) == (250, 14)


def without_last_command(message, how):
    """The record with no command of the last move that carries an image, in one of the ways that
    writers have; and how many frames it then has."""
    feature = message.features.feature
    last = 1 if how == "two frames" else 11
    command = f"move/{last}/commanded_pose/vec_pitch_yaw"
    if how == "feature of no kind":
        feature[command].Clear()
    elif how == "empty list":
        del feature[command].float_list.value[:]
    elif how == "moves without images and commands behind it":
        for move in range(11, 15):
            del feature[f"move/{move}/commanded_pose/vec_pitch_yaw"]
    else:  # feature absent
        del feature[command]
    if how == "two frames":
        for move in range(2, 12):
            del feature[f"move/{move}/image/encoded"]
    return last + 1


@pytest.mark.parametrize(
    "how",
    [
        "feature absent",
        "feature of no kind",
        "empty list",
        "moves without images behind it",
        "moves without images and commands behind it",
        "two frames",
    ],
)
def test_a_last_move_without_a_command_keeps_its_frame(tmp_path, google_example, how):
    moves = 15 if "behind it" in how else 12
    message = example_class().FromString(google_example(moves=moves))
    frames = without_last_command(message, how)
    write(tmp_path / "raw", "train", 0, 1, [google_example(), message.SerializeToString()])
    prepare("google-push", tmp_path / "raw", tmp_path / "store")
    whole, short = EpisodeStore(tmp_path / "store", "train")
    assert EpisodeStore(tmp_path / "store", "train").metadata["last_moves_without_command"] == {
        "train": 1
    }
    assert len(short.frames) == frames
    np.testing.assert_array_equal(short.actions[:-1], whole.actions[: frames - 1])
    np.testing.assert_array_equal(short.actions[-1], whole.actions[frames - 2])
    np.testing.assert_array_equal(short.states, whole.states[:frames])


@pytest.mark.parametrize(
    ("missing", "first"), [([10, 11], 10), ([4], 4), ([0], 0), ([3, 4, 5], 3), (range(12), 0)]
)
def test_a_move_in_between_without_a_command_is_damage(tmp_path, google_example, missing, first):
    message = example_class().FromString(google_example())
    for move in missing:
        del message.features.feature[f"move/{move}/commanded_pose/vec_pitch_yaw"]
    write(tmp_path / "raw", "train", 0, 1, [google_example(), message.SerializeToString()])
    prepare("google-push", tmp_path / "raw", tmp_path / "store")
    train = EpisodeStore(tmp_path / "store", "train")
    assert len(train) == 1
    (damage,) = train.metadata["damaged_records"]
    assert f"record 1: no feature 'move/{first}/commanded_pose/vec_pitch_yaw'" in damage


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\x1f\x8b\x08\0rest", "compressed with gzip"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"PK\x03\x04", "zip archive"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied", "XML"),
    ],
)
def test_files_that_are_no_tfrecords(tmp_path, content, what):
    (tmp_path / "push_train.tfrecord-00000-of-00001").write_bytes(content)
    with pytest.raises(InputError, match=f"push_train.*{what}") as caught:
        prepare("google-push", tmp_path, tmp_path / "store")
    assert "checksum" not in str(caught.value)
