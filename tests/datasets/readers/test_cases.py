"""Inputs after public reports of trouble: each gives the right data, or one line that names the
place. The inputs lie outside the repository; the tests beside this one make variants of each."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pixelpush.datasets.prepare import prepare
from pixelpush.datasets.readers import recognise
from pixelpush.datasets.store import EpisodeStore, store_splits
from pixelpush.errors import InputError


def episodes(path):
    return {e.id: e for split in store_splits(path) for e in EpisodeStore(path, split)}


def table(path, separator=","):
    return np.genfromtxt(path, delimiter=separator, skip_header=1)


NO_VECTORS = {"states": "none", "actions": "none"}
READ = {
    "01_csv_semicolon": ({}, 2, 12),
    "07_hidden_files": ({}, 2, 12),
    "08_macos_zip": ({}, 2, 12),
    "09_stray_folder": ({}, 2, 12),
    "11_depth16": ({"levels": "660,1420"}, 2, 12),
    "14_gap_same_rows": ({"gaps": "keep"}, None, 11),
    "15_mp4_one_less": ({"trim": 1}, 2, 11),
    "16_mp4_10hz_table_30hz": ({"join": "time"}, 2, 12),
    "17_video_hevc10": ({}, 1, 12),
    "17_video_mkv": ({}, 1, 12),
    "22_exif": ({}, None, 12),
    "36_constant_dim": ({}, 2, 12),
    "39_time_names": ({}, 2, 12),
    "40_jpeg_trailer_ipcam": ({}, 1, 12),
    "52_svg_bair_layout": (NO_VECTORS, 3, 12),
}


@pytest.mark.parametrize("case", READ)
def test_read(shared_data, tmp_path, case):
    settings, count, frames = READ[case]
    raw = shared_data / "cases" / case
    assert recognise(raw)[0].name == "folder"
    prepare("folder", raw, tmp_path / "store", **settings)
    found = episodes(tmp_path / "store")
    assert count is None or len(found) == count
    for episode in found.values():
        assert len(episode.frames) == frames
        assert episode.frames.std() > 10  # pictures, not four levels of grey
    if (raw / "run0" / "robot.csv").is_file():
        rows = table(raw / "run0" / "robot.csv", ";" if "semicolon" in case else ",")
        # Of case 16 too: its rows are more than its frames, but their times are ten a second.
        states = rows[:frames, 1:4].astype(np.float32)
        np.testing.assert_allclose(found["run0"].states, states, atol=1e-6)


REFUSED = {
    "11_depth16": r"depth_0\.png: an image of 16 bits, with values from 660 to 1420",
    "14_gap_same_rows": r"run0: a frame is missing: camera/frame_6\.png comes right after",
    "15_mp4_one_less": "run0: 11 frames but 12 rows .*--trim 1",
    "16_mp4_10hz_table_30hz": "run0: 12 frames but 36 rows .*--join time",
    "21_lfs_pointer": r"run0/cam\.mp4: a Git LFS pointer.*git lfs pull",
    "33_float": r"run0\.npz: array 'frames': float32 .* whole numbers",
    "34_chw": r"run0\.npz: array 'frames': uint8 \(12, 3, 64, 64\)",
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(shared_data, tmp_path, case):
    with pytest.raises(InputError, match=REFUSED[case]) as caught:
        prepare("folder", shared_data / "cases" / case, tmp_path / "store")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_frames_named_by_time_are_in_order(shared_data, tmp_path):
    raw = shared_data / "cases" / "39_time_names"
    prepare("folder", raw, tmp_path / "store")
    names = sorted((raw / "run0" / "camera").iterdir(), key=lambda path: float(path.stem))
    expected = [cv2.imread(str(path))[..., ::-1].transpose(2, 0, 1) for path in names]
    np.testing.assert_array_equal(episodes(tmp_path / "store")["run0"].frames, expected)


def test_a_last_move_without_a_command(shared_data, tmp_path):
    prepare("google-push", shared_data / "cases" / "82_push_missing_last_command", tmp_path / "s")
    store = EpisodeStore(tmp_path / "s", "train")
    assert store.metadata["last_moves_without_command"] == {"train": 1}
    assert store.metadata["damaged_records"] == []
    assert len(store) == 2
    assert any(np.array_equal(e.actions[-1], e.actions[-2]) for e in store)


def test_a_gzipped_tfrecord(shared_data, tmp_path):
    with pytest.raises(InputError, match=r"push_train.*: compressed with gzip; unpack it"):
        prepare("google-push", shared_data / "cases" / "84_push_gzip", tmp_path / "store")
