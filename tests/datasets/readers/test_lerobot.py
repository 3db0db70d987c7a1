"""LeRobot v2.0, v2.1 and v3.0: the right frames, states and actions, or one clear line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import numpy as np
import pyarrow.parquet
import pytest
from lerobot_writer import FPS, episode, write_v2, write_v3

from pixelpush.datasets.prepare import prepare
from pixelpush.datasets.readers import recognise
from pixelpush.datasets.store import EpisodeStore
from pixelpush.errors import InputError

LENGTHS = (12, 9, 15)
ALL = f"{len(LENGTHS)}/0/0"


def check(store, lengths=LENGTHS, step=1, tolerance=2):
    """Every frame is its own episode's and its own time's: the brightness tells."""
    assert len(store) == len(lengths)
    for index, (found, length) in enumerate(zip(store, lengths, strict=True)):
        frames, states, actions = episode(index, length)
        kept = np.arange(0, length, step)
        assert found.id == f"episode-{index:06d}"
        assert len(found.frames) == len(kept)
        levels = found.frames.astype(float).mean(axis=(1, 2, 3))
        # Neighbours differ by one level a frame: a shift by a frame would show in the mean.
        assert np.abs(levels - frames[kept].mean(axis=(1, 2, 3))).max() <= tolerance
        assert abs((levels - frames[kept].mean(axis=(1, 2, 3))).mean()) < 0.5
        np.testing.assert_array_equal(found.states, states[kept])
        last = np.minimum(kept + step - 1, length - 1)
        np.testing.assert_array_equal(found.actions, actions[last])
        np.testing.assert_allclose(found.extra["time"], kept / FPS, atol=1e-6)


VARIANTS = {
    "v2.0 videos": lambda root: write_v2(root, LENGTHS, "v2.0"),
    "v2.1 videos": lambda root: write_v2(root, LENGTHS),
    "v2.1 images": lambda root: write_v2(root, LENGTHS, kind="image"),
    "v2.1 AV1": lambda root: write_v2(root, LENGTHS, codec="libsvtav1"),
    "v3.0, one video": lambda root: write_v3(root, LENGTHS),
    "v3.0, one data file": lambda root: write_v3(root, LENGTHS, files=((0, 1, 2),)),
    "v3.0, a file each": lambda root: write_v3(
        root, LENGTHS, files=((0,), (1,), (2,)), video_files=((0,), (1,), (2,))
    ),
    "v3.0, cut differently": lambda root: write_v3(
        root, LENGTHS, files=((0,), (1, 2)), video_files=((0, 1), (2,))
    ),
    "v3.0 images": lambda root: write_v3(root, LENGTHS, kind="image"),
    "other names": lambda root: write_v3(root, LENGTHS, keys=("state", "actions", "image")),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_form(tmp_path, variant):
    raw = VARIANTS[variant](tmp_path / "raw")
    assert recognise(raw)[0].name == "lerobot"
    prepare("lerobot", raw, tmp_path / "store", split=ALL, size=32)
    store = EpisodeStore(tmp_path / "store", "train")
    check(store)
    assert store.metadata["fps"] == FPS
    assert store.metadata["state_names"] == ["a", "b"]
    assert store.action_kind == "pose"


@pytest.mark.parametrize("write", [write_v2, write_v3])
@pytest.mark.parametrize("fps", [10, 15, 30])
def test_a_lower_rate(tmp_path, write, fps):
    raw = write(tmp_path / "raw", LENGTHS)
    prepare("lerobot", raw, tmp_path / "store", split=ALL, size=32, fps=fps)
    store = EpisodeStore(tmp_path / "store", "train")
    check(store, step=FPS // fps)
    assert store.metadata["fps"] == fps
    # The composed action of a pose leads to the next kept state.
    for found in store:
        np.testing.assert_array_equal(found.actions[:-1], found.states[1:])


def test_chosen_episodes_and_a_video_kept_elsewhere(tmp_path):
    raw = write_v3(tmp_path / "raw", LENGTHS, video_files=((0,), (1,), (2,)))
    (raw / "videos").rename(raw / "video")
    prepare("lerobot", raw, tmp_path / "store", split="2/0/0", size=32, episodes="0-1")
    check(EpisodeStore(tmp_path / "store", "train"), LENGTHS[:2])


def test_absent_files_are_counted_or_refused(tmp_path, capsys):
    raw = write_v2(tmp_path / "raw", LENGTHS)
    (raw / "data" / "chunk-000" / "episode_000001.parquet").unlink()
    prepare("lerobot", raw, tmp_path / "store", split="1/1/0", size=32)
    assert EpisodeStore(tmp_path / "store", "val")[0].id == "episode-000002"
    assert EpisodeStore(tmp_path / "store", "val").metadata["episodes_not_here"] == 1
    assert "1 of its 3 episodes are not here" in capsys.readouterr().err
    with pytest.raises(InputError, match=r"episode_000001\.parquet: not here, but episode 1"):
        prepare("lerobot", raw, tmp_path / "again", episodes="0-2")
    shutil.rmtree(raw / "videos")
    with pytest.raises(InputError, match=r"episode_000000\.mp4: not here"):
        prepare("lerobot", raw, tmp_path / "again")


def edit(path, change):
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


def test_refusals(tmp_path):
    raw = write_v2(tmp_path / "raw", LENGTHS)

    def refuse(message, **settings):
        with pytest.raises(InputError, match=message) as caught:
            prepare("lerobot", raw, tmp_path / "store", **{"split": ALL, **settings})
        assert "\n" not in str(caught.value)
        assert not (tmp_path / "store").exists()

    refuse("--fps 7: the recorded 30 is no whole multiple", fps=7)
    refuse("--fps 60", fps=60)
    refuse(
        "no feature 'pose'; choose by --state-key from observation.state, action", state_key="pose"
    )
    refuse("no camera 'left'; it has observation.images.top", camera="left")
    refuse("give numbers and ranges", episodes="1-")
    refuse("has no episode 9", episodes="9")
    video = raw / "videos" / "chunk-000" / "observation.images.top" / "episode_000001.mp4"
    intact = video.read_bytes()
    video.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n")
    refuse(r"episode_000001\.mp4: a Git LFS pointer.*git lfs pull")
    video.write_bytes(intact)
    data = raw / "data" / "chunk-000" / "episode_000001.parquet"
    data.write_bytes(data.read_bytes()[:-100])
    refuse(r"episode_000001\.parquet: not a readable parquet file")
    shutil.copy(data.with_name("episode_000000.parquet"), data)
    refuse("episode 1: 12 rows, meta/episodes says 9")
    edit(raw / "meta" / "info.json", lambda info: info.update(codebase_version="v1.6"))
    refuse(r"codebase_version v1\.6; v2\.0, v2\.1 and v3\.0 are read")
    edit(raw / "meta" / "info.json", lambda info: info.update(codebase_version="v2.1", fps=0))
    refuse("'features' or 'fps' is missing or damaged")


def test_a_path_template_cannot_leave_the_folder(tmp_path):
    raw = write_v2(tmp_path / "raw", LENGTHS)
    edit(
        raw / "meta" / "info.json", lambda info: info.update(data_path="../{episode_index}.parquet")
    )
    with pytest.raises(InputError, match="leaves the folder"):
        prepare("lerobot", raw, tmp_path / "store")
    edit(raw / "meta" / "info.json", lambda info: info.update(data_path="{0.__class__}"))
    with pytest.raises(InputError, match="unknown kind"):
        prepare("lerobot", raw, tmp_path / "store")


# --- recorded sets
# --------------------------------------------------------------------------------------------------


def test_the_real_v21_episode(shared_data, tmp_path):
    raw = shared_data / "lerobot" / "g1_v21"
    prepare("lerobot", raw, tmp_path / "store", split="1/0/0", fps=10)
    (found,) = EpisodeStore(tmp_path / "store", "train")
    table = pyarrow.parquet.read_table(raw / "data" / "chunk-000" / "episode_000029.parquet")
    states = np.array(table["observation.state"].to_pylist(), np.float32)
    actions = np.array(table["action"].to_pylist(), np.float32)
    assert states.shape == (221, 26)
    np.testing.assert_array_equal(found.states, states[::3])
    np.testing.assert_array_equal(found.actions, actions[np.minimum(np.arange(0, 221, 3) + 2, 220)])
    assert found.frames.shape == (74, 3, 64, 64)
    assert found.frames.std() > 20
    metadata = EpisodeStore(tmp_path / "store", "train").metadata
    assert metadata["episodes_not_here"] == 99
    assert metadata["state_names"][0] == "kLeftShoulderPitch"


def test_the_real_v30_episode(shared_data, tmp_path):
    raw = shared_data / "lerobot" / "open50_v30"
    prepare("lerobot", raw, tmp_path / "store", split="1/0/0", fps=5)
    (found,) = EpisodeStore(tmp_path / "store", "train")
    table = pyarrow.parquet.read_table(raw / "data" / "chunk-000" / "file-004.parquet")
    np.testing.assert_array_equal(
        found.states, np.array(table["state"].to_pylist(), np.float32)[::6]
    )
    assert found.id == "episode-000004"
    assert EpisodeStore(tmp_path / "store", "train").action_kind == "pose"


def test_real_official_columns_without_videos(shared_data, tmp_path):
    from pixelpush.datasets.readers.lerobot_index import read_meta
    from pixelpush.datasets.readers.parquet import read_columns

    raw = shared_data / "lerobot" / "record_test_v30_novideo"
    with pytest.raises(InputError, match=r"2 cameras \(observation\.images\.front"):
        prepare("lerobot", raw, tmp_path / "store")
    with pytest.raises(InputError, match=r"images\.top/chunk-000/file-000\.mp4: not here"):
        prepare("lerobot", raw, tmp_path / "store", camera="top")
    meta = read_meta(raw)
    assert sum(item.length or 0 for item in meta.episodes) == 1492
    for item in meta.episodes:
        rows = read_columns(meta.data_file(item), ("episode_index", "frame_index"), item.rows)
        assert set(rows["episode_index"]) == {item.index}
        np.testing.assert_array_equal(rows["frame_index"], np.arange(item.length))


@pytest.mark.slow
def test_a_set_that_lerobot_itself_writes(tmp_path):
    """LeRobot's own writer, in an environment of its own: it needs older packages than ours."""
    python = os.environ.get("LEROBOT_PYTHON")
    if not python:
        pytest.skip(
            "set LEROBOT_PYTHON to the Python of an environment with torch, torchvision and "
            "lerobot-dataset (or lerobot)"
        )
    script = tmp_path / "write.py"
    script.write_text(WRITE_BY_LEROBOT)
    done = subprocess.run([python, script, tmp_path / "raw"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    prepare("lerobot", tmp_path / "raw", tmp_path / "store", split="2/0/0", size=32)
    store = EpisodeStore(tmp_path / "store", "train")
    for index, found in enumerate(store):
        levels = found.frames.astype(float).mean(axis=(1, 2, 3))
        np.testing.assert_allclose(levels, 40 + 60 * index + 4 * np.arange(8), atol=3)
        np.testing.assert_allclose(found.states[:, 0], np.arange(8) + 10 * index)


WRITE_BY_LEROBOT = """
import sys
import numpy as np
try:
    from lerobot.datasets.lerobot_dataset import LeRobotDataset
except ImportError:  # the package lerobot-dataset
    from ledataset.datasets.lerobot_dataset import LeRobotDataset
vector = {"dtype": "float32", "shape": (2,), "names": ["a", "b"]}
video = {"dtype": "video", "shape": (96, 96, 3), "names": ["height", "width", "channels"]}
features = {"observation.state": vector, "action": vector, "observation.images.top": video}
made = LeRobotDataset.create("me/test", fps=10, features=features, root=sys.argv[1])
for index in range(2):
    for t in range(8):
        frame = {"observation.state": np.array([t + 10 * index, 0], np.float32)}
        frame["action"] = frame["observation.state"] + 1
        frame["observation.images.top"] = np.full((96, 96, 3), 40 + 60 * index + 4 * t, np.uint8)
        made.add_frame({**frame, "task": "push"})
    made.save_episode()
getattr(made, "finalize", lambda: None)()
"""
