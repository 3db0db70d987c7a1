"""A user's own recordings: every accepted layout, every refusal names file and row or frame."""

from __future__ import annotations

import json
import shutil
import tracemalloc
import zipfile
import zlib
from dataclasses import replace
from itertools import chain

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelpush.datasets.arrays import read_bytes
from pixelpush.datasets.augment import Mirror, Reflection, mirror
from pixelpush.datasets.frames import fit
from pixelpush.datasets.images import decode_image
from pixelpush.datasets.natural import natural_key
from pixelpush.datasets.prepare import prepare
from pixelpush.datasets.readers.folder import Options, read_episode
from pixelpush.datasets.splits import divide_names
from pixelpush.datasets.store import EpisodeStore, store_splits
from pixelpush.errors import InputError

HEADER = "time,state_x,state_y,action_dx"


def rows(length, start=0.0):
    return [[t / 10, start + t, start - t, t * 0.25] for t in range(length)]


def csv_text(length, start=0.0):
    return "\n".join([HEADER, *(",".join(map(str, row)) for row in rows(length, start))]) + "\n"


def write_images(folder, frames, ending="png", name="frame_{}"):
    folder.mkdir(parents=True, exist_ok=True)
    for index, frame in enumerate(frames):
        cv2.imwrite(str(folder / f"{name.format(index)}.{ending}"), frame[..., ::-1])


@pytest.fixture
def frames(pictures):
    return pictures[:12]


@pytest.fixture
def episode(tmp_path, frames):
    """The plainest layout: PNG frames without leading zeros, and one CSV."""
    folder = tmp_path / "raw" / "run1"
    write_images(folder / "camera", frames)
    (folder / "robot.csv").write_text(csv_text(12))
    return folder


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


# --- refusals
# --------------------------------------------------------------------------------------------------


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


# --- splits and the command
# -----------------------------------------------------------------------------------------


@pytest.fixture
def ten(tmp_path, frames):
    raw = tmp_path / "ten"
    for index in range(10):
        write_images(raw / f"run{index}", frames[: 2 + index])
        (raw / f"run{index}" / "robot.csv").write_text(csv_text(2 + index, start=100.0 * index))
    return raw


def ids(path, split):
    return [episode.id for episode in EpisodeStore(path, split)]


def test_command_with_counts(ten, tmp_path, capsys):
    prepare("folder", ten, tmp_path / "store", split="6/2/2", size=32)
    assert ids(tmp_path / "store", "train") == [f"run{i}" for i in range(6)]
    assert ids(tmp_path / "store", "val") == ["run6", "run7"]
    assert ids(tmp_path / "store", "test") == ["run8", "run9"]
    assert "frames 3x32x32, state 2, action 1" in capsys.readouterr().out


def test_command_with_seed_and_shares(ten, tmp_path):
    for name in ("a", "b"):
        prepare("folder", ten, tmp_path / name, split_seed=3)
    parts = {split: ids(tmp_path / "a", split) for split in store_splits(tmp_path / "a")}
    assert {split: len(names) for split, names in parts.items()} == {
        "train": 8,
        "val": 1,
        "test": 1,
    }
    assert sorted(chain(*parts.values())) == [f"run{i}" for i in range(10)]
    assert parts["train"] != sorted(parts["train"])
    assert parts == {split: ids(tmp_path / "b", split) for split in parts}


def test_command_with_a_list_and_min_frames(ten, tmp_path, capsys):
    (ten / "splits.json").write_text(
        json.dumps({"train": ["run9", "run0", "run4"], "test-novel": ["run7"]})
    )
    prepare("folder", ten, tmp_path / "store", min_frames=5)
    assert ids(tmp_path / "store", "train") == ["run9", "run4"]
    assert ids(tmp_path / "store", "test-novel") == ["run7"]
    metadata = EpisodeStore(tmp_path / "store", "train").metadata
    assert metadata["episodes_too_short"] == ["run0"]
    assert metadata["episodes_in_no_split"] == 6
    assert "left out, episodes too short: 1 (run0)" in capsys.readouterr().out


def test_next_state_is_said_in_the_metadata_and_on_the_page(ten, tmp_path, capsys):
    prepare("folder", ten, tmp_path / "store", actions="next-state")
    assert "next frame's state" in EpisodeStore(tmp_path / "store", "val").metadata["actions"]
    assert "(pose, --actions next-state, the next frame's state: none" in capsys.readouterr().out


def test_a_table_without_actions_is_told_of_next_state(episode):
    (episode / "robot.csv").write_text("state_x\n" + "1\n" * 12)
    with pytest.raises(InputError, match=r"no columns called action_\*; .*--actions next-state"):
        read_episode(episode, Options())


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("[]", "must be an object"),
        ("{", "not valid JSON"),
        ('{"train": ["run1", "run1"]}', "'run1' is named twice"),
        ('{"train": ["run77"]}', "names episode 'run77', which is not there"),
        ('{"train": []}', "not empty"),
        ('{"Train Set": ["run1"]}', "split name"),
        ('{"train": "run1"}', "must be a list"),
    ],
)
def test_bad_split_lists(ten, tmp_path, value, message):
    (ten / "splits.json").write_text(value)
    with pytest.raises(InputError, match=message):
        prepare("folder", ten, tmp_path / "store")
    assert sorted(item.name for item in tmp_path.iterdir()) == ["ten"]


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("6/2/3", "adds up to 11, but there are 10"),
        ("0.5/0.1/0.1", "shares must add up to 1"),
        ("6/4", "three counts"),
        ("a/b/c", "three counts"),
        ("-1/1/10", "three counts"),
        ("nan/0/1", "three counts"),
        ("0/0/0", "three counts"),
        ("0.98/0.01/0.01", "of 10 episodes none falls to val"),
    ],
)
def test_bad_splits(ten, tmp_path, split, message):
    with pytest.raises(InputError, match=message):
        prepare("folder", ten, tmp_path / "store", split=split)


@given(
    st.integers(1, 200),
    st.integers(0, 100),
    st.integers(0, 100),
    st.one_of(st.none(), st.integers(0, 99)),
)
def test_splits_are_a_partition(total, a, b, seed):
    a, b = min(a, total), min(b, max(0, total - a))
    names = [f"e{i}" for i in range(total)]
    parts = divide_names(names, f"{a}/{b}/{total - a - b}", seed)
    assert sorted(chain(*parts.values())) == sorted(names)
    assert [len(parts.get(name, [])) for name in ("train", "val", "test")] == [a, b, total - a - b]


def test_nothing_there_and_twice_there(tmp_path, ten):
    with pytest.raises(InputError, match="no such folder"):
        prepare("folder", tmp_path / "none", tmp_path / "store")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no episodes"):
        prepare("folder", tmp_path / "empty", tmp_path / "store")
    (ten / "run1.zip").write_bytes(b"")
    with pytest.raises(InputError, match="more than one episode is called 'run1'"):
        prepare("folder", ten, tmp_path / "store")


@given(st.lists(st.integers(0, 10**6), unique=True))
def test_natural_order(numbers):
    names = [f"a{number}.png" for number in numbers]
    assert sorted(names, key=natural_key) == [f"a{number}.png" for number in sorted(numbers)]
    sorted([*names, "", "5", "x", "²", "5x"], key=natural_key)  # any mixture can be ordered


def test_a_store_knows_its_mirror(ten, tmp_path):
    prepare("folder", ten, tmp_path / "plain", split="8/1/1")
    assert EpisodeStore(tmp_path / "plain", "train").mirror is None
    prepare(
        "folder", ten, tmp_path / "store", split="8/1/1", mirror_states="1", mirror_actions="none"
    )
    store = EpisodeStore(tmp_path / "store", "train")
    assert store.mirror == Mirror(Reflection((0, 1), (1, -1)), Reflection((0,), (1,)))
    seen = mirror(store[0], store.mirror)
    np.testing.assert_array_equal(seen.frames, store[0].frames[..., ::-1])
    np.testing.assert_array_equal(seen.states, store[0].states * [1, -1])
    np.testing.assert_array_equal(seen.actions, store[0].actions)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mirror_states": "1"}, "give both --mirror-states and --mirror-actions"),
        (
            {"mirror_states": "y", "mirror_actions": "none"},
            "--mirror-states y: give numbers of entries",
        ),
        (
            {"mirror_states": "-1", "mirror_actions": "none"},
            "--mirror-states -1: give numbers of entries",
        ),
        (
            {"mirror_states": "2", "mirror_actions": "none"},
            "entry 2 is to change sign, but the state of .* 0 to 1",
        ),
        (
            {"mirror_states": "0", "mirror_actions": "1"},
            "entry 1 is to change sign, but the action of .* 0 to 0",
        ),
    ],
)
def test_a_mirror_that_cannot_be_is_refused(ten, tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        prepare("folder", ten, tmp_path / "store", split="8/1/1", **options)
    assert not (tmp_path / "store").exists()
