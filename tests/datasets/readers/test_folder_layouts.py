"""Folders as people have them: cameras, videos, tables at another rate, stray files."""

from __future__ import annotations

import subprocess
import zipfile

import cv2
import numpy as np
import pytest

from pixelpush.datasets.prepare import prepare
from pixelpush.datasets.readers.folder import Options, read_episode
from pixelpush.datasets.readers.folder_files import find_episodes, of_camera, series_of
from pixelpush.datasets.store import EpisodeStore, store_splits
from pixelpush.datasets.video import ffmpeg_program
from pixelpush.errors import InputError

COUNT = 12


def level(index):
    """A frame tells its own number."""
    return np.full((16, 16, 3), 10 * index + 5, np.uint8)


def write_frames(folder, names, first=0):
    folder.mkdir(parents=True, exist_ok=True)
    for index, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), level(first + index))


def write_table(path, rows=COUNT, rate=10.0, separator=",", point=".", start=0.0):
    lines = [separator.join(("time", "state_x", "state_y", "action_x", "action_y"))]
    for row in range(rows):
        values = (start + row / rate, row * 0.5, -row * 0.25, (row + 1) * 0.5, -(row + 1) * 0.25)
        lines.append(separator.join(f"{value:.5f}".replace(".", point) for value in values))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def write_video(path, count=COUNT, rate=10, codec="libx264", coding=("-crf", "2")):
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = np.stack([np.repeat(np.repeat(level(n), 4, 0), 4, 1) for n in range(count)])
    command = [ffmpeg_program(), "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-s", "64x64", "-r", str(rate), "-i", "-", "-c:v", codec, *coding, str(path)]
    subprocess.run(command, input=frames.tobytes(), check=True)


def check(episode, indices=range(COUNT), rows=None, tolerance=2):
    """The frames with these numbers, in this order, and these rows of the table."""
    indices, rows = np.array(indices), np.array(indices if rows is None else rows)
    found = episode.frames.astype(float).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(found, 10 * indices + 5, atol=tolerance)
    np.testing.assert_allclose(episode.states, np.c_[rows * 0.5, -rows * 0.25], atol=1e-5)


def read(folder, **options):
    return read_episode(folder, Options(size=16, **options))


# --- order and gaps
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        lambda i: f"{1700000000 + i * 0.05}.png",
        lambda i: f"{round(i * 0.1, 3)}.png",
        lambda i: f"left_{round(0.5 + i * 0.25, 3)}.jpg",
        lambda i: f"frame_{i}.png",
        lambda i: f"{i * 100}.webp",
    ],
)
def test_frames_in_the_order_of_their_numbers(tmp_path, name):
    names = [name(i) for i in range(COUNT)]
    write_frames(tmp_path / "run" / "camera", names)
    write_table(tmp_path / "run" / "robot.csv")
    check(read(tmp_path / "run"))


@pytest.mark.parametrize("missing", [1, 5, 10])
@pytest.mark.parametrize("form", ["frame_{}.png", "{:06d}.jpg"])
def test_a_missing_frame_is_named(tmp_path, missing, form):
    kept = [i for i in range(COUNT) if i != missing]
    folder = tmp_path / "run"
    write_frames(folder, [form.format(i) for i in kept])
    write_table(folder / "robot.csv", COUNT - 1)
    after, before = form.format(missing + 1), form.format(missing - 1)
    with pytest.raises(InputError, match=f"a frame is missing: {after} comes right after {before}"):
        read(folder)
    assert len(read(folder, gaps="keep").frames) == COUNT - 1


@pytest.mark.parametrize("odd", [0, 1, 6, 11])
def test_a_change_of_size_is_named(tmp_path, odd):
    folder = tmp_path / "run"
    write_frames(folder, [f"f_{i}.png" for i in range(COUNT)])
    cv2.imwrite(str(folder / f"f_{odd}.png"), np.zeros((16, 20, 3), np.uint8))
    write_table(folder / "robot.csv")
    frame = max(odd, 1)
    with pytest.raises(InputError, match=rf"run, frame {frame}: \d+x\d+ pixels, but .* has \d+x"):
        read(folder)


def test_sixteen_bits(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    depth = np.linspace(660, 1420, 256).reshape(16, 16).astype(np.uint16)
    for index in range(3):
        cv2.imwrite(str(folder / f"depth_{index}.png"), depth)
    write_table(folder / "robot.csv", 3)
    with pytest.raises(InputError, match=r"depth_0\.png: an image of 16 bits.*--levels"):
        read(folder)
    found = read(folder, levels="660,1420").frames[1]
    np.testing.assert_array_equal(found[0], np.rint((depth - 660.0) / 760 * 255))
    for bad in ("5", "9,3", "a,b"):
        with pytest.raises(InputError, match="two rising values"):
            Options(levels=bad)


# --- cameras and videos
# --------------------------------------------------------------------------------------------------


def two_cameras(folder, form):
    for number, camera in enumerate(("left", "right")):
        names = [form.format(camera=camera, n=n) for n in range(COUNT)]
        write_frames(folder, names, first=0 if number == 0 else 13)
    write_table(folder / "robot.csv")


@pytest.mark.parametrize(
    "form",
    [
        "{camera}/frame_{n}.png",
        "{camera}_{n}.png",
        "images/{camera}/{n:05d}.jpg",
        "{camera}-{n}.webp",
        "{camera}/0.{n:02d}.png",
    ],
)
def test_cameras_by_name(tmp_path, form):
    folder = tmp_path / "run"
    two_cameras(folder, form)
    with pytest.raises(InputError, match=r"2 series .*left.*right.*choose one by --camera"):
        read(folder)
    check(read(folder, camera="left"))
    shifted = read(folder, camera="right").frames.astype(float).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(shifted, 10 * (np.arange(COUNT) + 13) + 5, atol=2)
    with pytest.raises(InputError, match="no frames of camera wrist"):
        read(folder, camera="wrist")


def test_numbered_cameras_are_not_one_series(tmp_path):
    names = [f"cam{camera}_{n}.png" for camera in (0, 1) for n in range(COUNT)]
    assert set(map(len, series_of(names).values())) == {COUNT}
    assert len(series_of([f"2024-01-02_10-11-{n}_{n}.png" for n in range(20)])) == 1
    assert of_camera("cam0_3.png", "cam0")
    assert not of_camera("cam1_3.png", "cam0")
    folder = tmp_path / "run"
    write_frames(folder, names)
    write_table(folder / "robot.csv")
    check(read(folder, camera="cam0"))


@pytest.mark.parametrize(
    ("name", "codec", "coding"),
    [
        ("cam.mov", "libx264", ("-crf", "2", "-pix_fmt", "yuv420p")),
        ("cam.mkv", "libx264", ("-crf", "2")),
        ("cam.avi", "mpeg4", ("-q:v", "1")),
        ("cam.webm", "libvpx-vp9", ("-crf", "2", "-b:v", "0")),
        ("cam.m4v", "libx264", ("-crf", "2", "-f", "mp4")),
        ("cam.MP4", "libx264", ("-crf", "2", "-pix_fmt", "yuv420p10le")),
    ],
)
def test_videos(tmp_path, name, codec, coding):
    write_video(tmp_path / "run" / name, codec=codec, coding=coding)
    write_table(tmp_path / "run" / "robot.csv")
    check(read(tmp_path / "run"), tolerance=3)


def test_videos_of_several_cameras_and_in_a_zip(tmp_path):
    folder = tmp_path / "run"
    write_video(folder / "left.mp4")
    write_video(folder / "right.mkv", count=3)
    write_table(folder / "robot.csv")
    with pytest.raises(InputError, match=r"more than one video \(left\.mp4, right\.mkv\)"):
        read(folder)
    check(read(folder, camera="left"), tolerance=3)
    with zipfile.ZipFile(tmp_path / "run.zip", "w") as archive:
        archive.write(folder / "left.mp4", "left.mp4")
        archive.write(folder / "robot.csv", "robot.csv")
    check(read(tmp_path / "run.zip"), tolerance=3)


def test_a_video_of_another_kind_is_named(tmp_path):
    write_table(tmp_path / "run" / "robot.csv")
    (tmp_path / "run" / "cam.wmv").write_bytes(b"x")
    with pytest.raises(InputError, match=r"no frames \(it holds cam\.wmv, robot\.csv\).*\.mkv"):
        read(tmp_path / "run")


# --- rows
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("separator", "point"),
    [(";", "."), (";", ","), ("\t", "."), ("\t", ","), ("|", "."), (",", ".")],
)
def test_tables_with_other_separators(tmp_path, separator, point):
    write_frames(tmp_path / "run", [f"f_{i}.png" for i in range(COUNT)])
    write_table(tmp_path / "run" / "robot.csv", separator=separator, point=point)
    check(read(tmp_path / "run"))


@pytest.mark.parametrize(("frames", "rows"), [(11, 12), (12, 11), (10, 12), (12, 9), (3, 4)])
def test_trim(tmp_path, frames, rows):
    write_frames(tmp_path / "raw" / "run", [f"f_{i}.png" for i in range(frames)])
    write_table(tmp_path / "raw" / "run" / "robot.csv", rows)
    apart = abs(frames - rows)
    with pytest.raises(InputError, match=f"{frames} frames but {rows} rows .*--trim {apart}"):
        read(tmp_path / "raw" / "run", trim=apart - 1)
    settings = {"size": 16, "trim": apart, "split": "1/0/0"}
    prepare("folder", tmp_path / "raw", tmp_path / "store", **settings)
    store = EpisodeStore(tmp_path / "store", "train")
    check(store[0], range(min(frames, rows)))
    assert store.metadata["frames_trimmed"] == {"run": apart}


@pytest.mark.parametrize("factor", [1, 2, 3, 5])
@pytest.mark.parametrize("source", ["names", "video"])
def test_a_table_at_another_rate(tmp_path, factor, source):
    folder = tmp_path / "run"
    start = 1700000000.0
    if source == "names":
        write_frames(folder / "cam", [f"{round(start + i * 0.1, 3)}.png" for i in range(COUNT)])
    else:
        write_video(folder / "cam.mp4")
    write_table(folder / "robot.csv", COUNT * factor, rate=10 * factor, start=start)
    found = read(folder, join="time")
    rows = np.arange(COUNT) * factor
    check(found, rows=rows, tolerance=3)
    # Commands are poses: the one in force when the next frame is taken.
    last = rows + factor - 1
    np.testing.assert_allclose(found.actions[:, 0], (last + 1) * 0.5, atol=1e-5)
    first = read(folder, join="time", compose="first")
    np.testing.assert_allclose(first.actions[:, 0], (rows + 1) * 0.5, atol=1e-5)


def test_joining_without_times_or_rows(tmp_path):
    write_frames(tmp_path / "run", [f"f_{i}.png" for i in range(COUNT)])
    write_table(tmp_path / "run" / "robot.csv")
    with pytest.raises(InputError, match="--join time, but the frames have no times"):
        read(tmp_path / "run", join="time")
    folder = tmp_path / "other"
    write_frames(folder, [f"{i * 0.1:.1f}.png" for i in range(COUNT)])
    write_table(folder / "robot.csv", 6)
    with pytest.raises(InputError, match=r"frame 7 at 0\.700 s has no row within"):
        read(folder, join="time")


# --- where episodes lie
# --------------------------------------------------------------------------------------------------


def plain(folder):
    write_frames(folder / "camera", [f"f_{i}.png" for i in range(COUNT)])
    write_table(folder / "robot.csv")


@pytest.mark.parametrize("stray", ["@eaDir", "__MACOSX", ".git", "notes", "$RECYCLE.BIN"])
def test_stray_folders(tmp_path, stray):
    plain(tmp_path / "run0")
    plain(tmp_path / "run1")
    (tmp_path / stray).mkdir()
    (tmp_path / stray / "x.txt").write_text("x")
    (tmp_path / "run0" / "__MACOSX").mkdir()
    (tmp_path / "run0" / "__MACOSX" / "._robot.csv").write_text("x")
    found = find_episodes(tmp_path)
    assert list(found.episodes) == ["run0", "run1"]
    assert found.strays == ([stray] if stray == "notes" else [])
    check(read(tmp_path / "run0"))


def test_zips_as_macos_makes_them(tmp_path):
    plain(tmp_path / "run")
    with zipfile.ZipFile(tmp_path / "run.zip", "w") as archive:
        for item in (tmp_path / "run").rglob("*.*"):
            name = item.relative_to(tmp_path).as_posix()
            archive.write(item, name)
            archive.writestr(f"__MACOSX/{item.parent.name}/._{item.name}", b"Mac OS X")
        archive.writestr("run/.DS_Store", b"x")
    check(read(tmp_path / "run.zip"))


@pytest.mark.parametrize(
    ("places", "splits"),
    [
        (["a", "b"], None),
        (
            ["train/traj_0_to_255/0", "train/traj_0_to_255/1", "test/traj_0_to_255/0"],
            ["test", "train"],
        ),
        (["train/0", "valid/0"], ["train", "val"]),
        (["day1/run0", "day1/run1", "day2/run0"], None),
        (["session/0", "session/1", "session/10"], None),
    ],
)
@pytest.mark.parametrize("with_table", [True, False])
def test_nested_folders(tmp_path, places, splits, with_table):
    raw = tmp_path / "raw"
    for place in places:
        write_frames(raw / place, [f"{i}.png" for i in range(COUNT)])
        if with_table:
            write_table(raw / place / "robot.csv")
    assert list(find_episodes(raw).episodes) == places or set(find_episodes(raw).episodes) == set(
        places
    )
    options = {} if with_table else {"states": "none", "actions": "none"}
    cut = {} if splits else {"split": f"{len(places)}/0/0"}
    prepare("folder", raw, tmp_path / "store", size=16, **options, **cut)
    assert store_splits(tmp_path / "store") == (splits or ["train"])
    found = sorted(e.id for s in splits or ["train"] for e in EpisodeStore(tmp_path / "store", s))
    assert found == sorted(places)


def test_one_folder_is_one_episode(tmp_path):
    plain(tmp_path / "run")
    write_frames(tmp_path / "bare", [f"{i}.png" for i in range(COUNT)])
    assert list(find_episodes(tmp_path / "bare").episodes) == ["bare"]
    assert list(find_episodes(tmp_path).episodes) == ["bare", "run"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no episodes"):
        find_episodes(tmp_path / "empty")
