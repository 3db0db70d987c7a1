"""Three recorded sets go through 'prepare folder' by options alone."""

from __future__ import annotations

import io
import json
import zipfile

import cv2
import numpy as np
import pytest

from pixelpush.datasets import open_dataset
from pixelpush.datasets.prepare import prepare


@pytest.fixture
def few_droid(shared_data, tmp_path):
    """The first, the shortest and two more episodes: the whole set takes seconds."""
    raw = tmp_path / "droid"
    raw.mkdir()
    for number in (0, 61, 79, 86):
        name = f"droid_{number:08d}.zip"
        (raw / name).symlink_to(shared_data / "droid100" / name)
    return raw


DROID = {
    "frames_key": "exterior_image_1_left__image_*.webp",
    "table": "cartesian_position__trajectory.json",
    "state_columns": "x,y,z,pitch,yaw",
    "actions": "next-state",
    "resize": "bicubic",
}


def check_droid(store, raw):
    for episode in store:
        with zipfile.ZipFile(raw / f"{episode.id}.zip") as archive:
            table = json.loads(archive.read("cartesian_position__trajectory.json"))
            webp = archive.read("exterior_image_1_left__image_00000007.webp")
        rows = np.array(table["data"], np.float32)[:, [0, 1, 2, 4, 5]]
        np.testing.assert_array_equal(episode.states, rows)
        np.testing.assert_array_equal(episode.actions, np.concatenate([rows[1:], rows[-1:]]))
        image = cv2.imdecode(np.frombuffer(webp, np.uint8), cv2.IMREAD_COLOR)[:, 19:69]
        assert image.shape == (50, 50, 3)
        expected = cv2.resize(image, (64, 64), interpolation=cv2.INTER_CUBIC)[..., ::-1]
        np.testing.assert_array_equal(episode.frames[7].transpose(1, 2, 0), expected)


def test_droid(few_droid, tmp_path):
    prepare("folder", few_droid, tmp_path / "store", split="2/1/1", **DROID)
    check_droid(open_dataset(tmp_path / "store", "train"), few_droid)
    assert [episode.id for episode in open_dataset(tmp_path / "store", "test")] == [
        "droid_00000086"
    ]
    assert len(open_dataset(tmp_path / "store", "val")[0].frames) == 13


@pytest.mark.slow
def test_all_of_droid(shared_data, tmp_path):
    prepare("folder", shared_data / "droid100", tmp_path / "store", split="48/8/8", **DROID)
    stores = [open_dataset(tmp_path / "store", split) for split in ("train", "val", "test")]
    assert [len(store) for store in stores] == [48, 8, 8]
    assert sum(len(episode.frames) for store in stores for episode in store) == 11_749
    check_droid(stores[0], shared_data / "droid100")


def test_pri_push(shared_data, tmp_path):
    columns = "ee_state_position_x,ee_state_position_y,ee_state_position_z"
    prepare(
        "folder",
        shared_data / "pri_push",
        tmp_path / "store",
        frames_key="color_images.npy",
        table="robot_states.csv",
        state_columns=columns,
        actions="next-state",
        bgr=True,
        split="1/1/1",
    )
    episode = open_dataset(tmp_path / "store", "val")[0]
    assert episode.id == "trial_2"
    raw = np.load(shared_data / "pri_push" / "trial_2" / "color_images.npy", allow_pickle=False)
    means = raw[..., ::-1].reshape(29, 64, 2, 64, 2, 3).mean(axis=(2, 4))
    assert np.abs(episode.frames.transpose(0, 2, 3, 1) - means).max() <= 0.5
    text = (shared_data / "pri_push" / "trial_2" / "robot_states.csv").read_text()
    header = text.splitlines()[0].split(",")
    table = np.loadtxt(io.StringIO(text), delimiter=",", skiprows=1)
    wanted = table[:, [header.index(name) for name in columns.split(",")]].astype(np.float32)
    np.testing.assert_array_equal(episode.states, wanted)


def test_bair_sample(shared_data, tmp_path):
    options = {
        "frames_key": "aux1_image",
        "actions_key": "action",
        "states": "none",
        "split": "0/0/1",
    }
    prepare("folder", shared_data / "bair", tmp_path / "store", **options)
    (episode,) = open_dataset(tmp_path / "store", "test")
    with np.load(shared_data / "bair" / "bair_sample.npz", allow_pickle=False) as arrays:
        np.testing.assert_array_equal(episode.frames.transpose(0, 2, 3, 1), arrays["aux1_image"])
        np.testing.assert_array_equal(episode.actions, arrays["action"].astype(np.float32))
    assert episode.states.shape == (30, 0)
