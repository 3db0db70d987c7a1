"""A user's own recordings: every accepted layout, every refusal names file and row or frame."""

from __future__ import annotations

import json
import shutil
import tracemalloc
import zipfile
import zlib
from dataclasses import replace

import cv2
import numpy as np
import pytest
from folder_recordings import HEADER, csv_text, rows, write_images

from pixelpush.datasets.arrays import read_bytes
from pixelpush.datasets.frames import fit
from pixelpush.datasets.images import decode_image
from pixelpush.datasets.readers.folder import Options, read_episode
from pixelpush.errors import InputError


def test_plain_layout(episode, frames):
    read = read_episode(episode, Options())
    np.testing.assert_array_equal(
        read.frames, frames.transpose(0, 3, 1, 2)
    )  # frame_10 after frame_9
    np.testing.assert_array_equal(read.states, np.array(rows(12), np.float32)[:, 1:3])
    np.testing.assert_array_equal(read.actions, np.array(rows(12), np.float32)[:, 3:])
    assert read.id == "run1"


def test_chosen_columns_and_next_state(episode):
    options = Options(state_columns="state_y,time", actions="next-state")
    read = read_episode(episode, options)
    expected = np.array(rows(12), np.float32)[:, [2, 0]]
    np.testing.assert_array_equal(read.states, expected)
    np.testing.assert_array_equal(read.actions, np.concatenate([expected[1:], expected[-1:]]))


def test_zip_holds_the_same(episode, tmp_path, assert_same):
    path = tmp_path / "run1.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for item in episode.rglob("*.*"):
            archive.write(item, item.relative_to(episode))
    assert_same(read_episode(path, Options()), read_episode(episode, Options()))


@pytest.mark.parametrize("ending", ["jpg", "webp"])
def test_lossy_images(episode, frames, ending):
    shutil.rmtree(episode / "camera")
    write_images(episode, frames, ending)
    read = read_episode(episode, Options()).frames.transpose(0, 2, 3, 1).astype(int)
    assert np.abs(read - frames).mean() < 8
    assert np.abs(read - frames).mean() < np.abs(read - frames[..., ::-1]).mean()  # red is red


def test_npz_with_whole_numbers_and_no_states(tmp_path, frames):
    actions = np.arange(48.0).reshape(12, 4)
    np.savez(tmp_path / "a.npz", view=frames.astype(np.int64), commands=actions, other=np.zeros(3))
    options = Options(frames_key="view", actions_key="commands", states="none")
    read = read_episode(tmp_path / "a.npz", options)
    np.testing.assert_array_equal(read.frames, frames.transpose(0, 3, 1, 2))
    assert read.states.shape == (12, 0)
    np.testing.assert_array_equal(read.actions, actions.astype(np.float32))


def test_npy_in_bgr(episode, frames):
    shutil.rmtree(episode / "camera")
    np.save(episode / "frames.npy", frames[..., ::-1])
    read = read_episode(episode, Options(bgr=True))
    np.testing.assert_array_equal(read.frames, frames.transpose(0, 3, 1, 2))


def test_json_and_npz_tables(episode, assert_same):
    expected = read_episode(episode, Options())
    (episode / "robot.csv").unlink()
    (episode / "robot.json").write_text(
        json.dumps({"columns": HEADER.split(","), "data": rows(12)})
    )
    assert_same(read_episode(episode, Options()), expected)
    expected = replace(expected, extra={})  # arrays have no column of times
    (episode / "robot.json").unlink()
    np.savez(
        episode / "robot.npz",
        states=expected.states.astype(np.float64),
        actions=expected.actions[:, 0],
    )
    assert_same(read_episode(episode, Options()), expected)
    (episode / "robot.npz").unlink()
    np.save(episode / "pose.npy", expected.states)
    options = Options(table="pose.npy", actions="none", frames_key="*.png")
    np.testing.assert_array_equal(read_episode(episode, options).states, expected.states)


@pytest.fixture
def video(tmp_path, frames):
    import imageio_ffmpeg

    path = tmp_path / "raw" / "run2" / "camera.mp4"
    path.parent.mkdir(parents=True)
    writer = imageio_ffmpeg.write_frames(path, (64, 64), fps=10, quality=9, macro_block_size=1)
    writer.send(None)
    for frame in frames:
        writer.send(np.ascontiguousarray(frame))
    writer.close()
    (path.parent / "robot.csv").write_text(csv_text(12))
    return path


def test_video(video, frames):
    read = read_episode(video.parent, Options())
    assert read.frames.shape == (12, 3, 64, 64)
    assert np.abs(read.frames.transpose(0, 2, 3, 1).astype(int) - frames).mean() < 8


def test_damaged_video(video):
    data = video.read_bytes()
    for cut in (0, 10, len(data) // 2, len(data) - 200):
        video.write_bytes(data[:cut])
        with pytest.raises(InputError, match=r"camera.mp4|12 rows"):
            read_episode(video.parent, Options())


def test_crop_and_resize(frames):
    wide = np.concatenate(
        [np.zeros_like(frames[0]), frames[0], np.full_like(frames[0], 255)], axis=1
    )
    np.testing.assert_array_equal(fit(wide, 64), frames[0])
    small = fit(frames[0], 16)
    means = frames[0].reshape(16, 4, 16, 4, 3).mean(axis=(1, 3))
    assert np.abs(small - means).max() <= 0.5 + 1e-6
    large = fit(frames[0], 96)
    assert large.shape == (96, 96, 3)
    np.testing.assert_array_equal(
        large, cv2.resize(frames[0], (96, 96), interpolation=cv2.INTER_CUBIC)
    )
    assert fit(wide, 32, crop="none").shape == (32, 32, 3)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e39", "", "abc", "1,2"])
def test_bad_number_names_file_row_and_column(episode, value):
    lines = csv_text(12).splitlines()
    lines[4] = f"0.3,{value},1.0,0.5"
    (episode / "robot.csv").write_text("\n".join(lines))
    expected = (
        r"robot\.csv, row 4: 5 values for 4"
        if "," in value
        else r"robot\.csv, row 4, column 'state_x'"
    )
    with pytest.raises(InputError, match=expected):
        read_episode(episode, Options())


def test_nan_in_arrays_names_the_row(episode):
    (episode / "robot.csv").unlink()
    states = np.zeros((12, 3))
    states[7, 1] = np.nan
    np.savez(episode / "robot.npz", states=states, actions=np.zeros((12, 1)))
    with pytest.raises(InputError, match=r"robot.npz: array 'states', row 8: not a finite number"):
        read_episode(episode, Options())


@pytest.mark.parametrize("kind", ["png", "jpg", "webp"])
def test_an_image_that_does_not_decode_is_named(episode, frames, kind):
    shutil.rmtree(episode / "camera")
    write_images(episode, frames, kind)
    path = episode / f"frame_7.{kind}"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match=rf"run1/frame_7\.{kind}: the \w+ "):
        read_episode(episode, Options())


def test_refusals(episode, frames, tmp_path):
    def refuse(message, **options):
        with pytest.raises(InputError, match=message):
            read_episode(episode, Options(**options))

    refuse("no column 'z'; its columns are time, state_x", state_columns="z")
    refuse(r"no table called \*\.json", table="*.json")
    refuse("no frames called left_", frames_key="left_*")
    (episode / "more.csv").write_text(csv_text(12))
    refuse(r"more than one table \(more.csv, robot.csv\); choose by --table")
    (episode / "more.csv").unlink()
    write_images(episode / "wrist", frames)
    refuse("images of 2 series .*choose one by --camera or --frames-key")
    shutil.rmtree(episode / "wrist")
    (episode / "robot.csv").write_text(csv_text(11))
    refuse("run1: 12 frames but 11 rows of states")
    (episode / "robot.csv").write_text("0,1,2,3\n")
    refuse("first line holds numbers")
    (episode / "robot.csv").write_text("time,x,y\n1,2,3\n")
    refuse(
        r"no columns called state_\*; choose by --state-columns from time, x, y, or give --states "
        r"none"
    )
    (episode / "robot.csv").unlink()
    refuse("no table of states and actions")
    shutil.rmtree(episode / "camera")
    np.save(episode / "frames.npy", np.zeros((12, 8, 8, 3), np.float32))
    refuse("float32 .* whole numbers", states="none", actions="none")
    np.save(episode / "frames.npy", np.full((12, 8, 8, 3), 256))
    refuse("values from 256 to 256", states="none", actions="none")
    with pytest.raises(InputError, match="next-state needs states"):
        Options(states="none", actions="next-state")


def test_no_pickle_is_loaded(tmp_path, frames):
    np.savez(tmp_path / "a.npz", frames=np.array([{}], dtype=object), states=frames, actions=frames)
    with pytest.raises(InputError, match="only plain numbers are read"):
        read_episode(tmp_path / "a.npz", Options())


@pytest.mark.parametrize(
    "name", ["../evil.png", "/etc/evil.png", "a/../../evil.png", "..\\evil.png", "C:/evil.png"]
)
def test_zip_members_cannot_leave_their_archive(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(InputError, match="points outside the archive"):
        read_episode(tmp_path / "a.zip", Options())


def test_a_zip_bomb_is_refused_by_the_kind_of_its_member(tmp_path):
    """An image of 65 MB, where a stack of frames may have more."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("frame_0.png", bytes((64 << 20) + 1))
    tracemalloc.start()
    with pytest.raises(InputError, match="unfolds to: 67108865 bytes, too many for a file of its"):
        read_episode(tmp_path / "a.zip", Options(states="none", actions="none"))
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("name", ["states.csv", "info.json", "frames.npy", "a.png"])
def test_a_sparse_terabyte_is_refused_unread(tmp_path, name):
    with (tmp_path / name).open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(InputError, match="too many for a file of its kind"):
        read_bytes(tmp_path / name)


def test_a_second_header_is_refused(episode):
    """Decoders take the size of the second one, which nobody has looked at."""
    data = (episode / "camera" / "frame_3.png").read_bytes()
    header = data[8:33]
    at = data.rindex(b"IEND") - 4
    huge = bytearray(header)
    huge[8:16] = (60_000).to_bytes(4, "big") * 2
    huge[21:25] = zlib.crc32(bytes(huge[4:21])).to_bytes(4, "big")
    with pytest.raises(InputError, match="two headers"):
        decode_image(data[:at] + bytes(huge) + data[at:], "a.png")


def test_an_image_bomb_is_refused(episode):
    path = episode / "camera" / "frame_3.png"
    data = bytearray(path.read_bytes())
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"frame_3.png: the image claims 60000x60000 pixels"):
        read_episode(episode, Options())
