"""robomimic and ALOHA HDF5, diffusion-policy zarr, stacked NPZ: the right arrays, or one line."""

from __future__ import annotations

import importlib

import cv2
import numpy as np
import pytest

from pixelpush.datasets.prepare import prepare
from pixelpush.datasets.readers import recognise
from pixelpush.datasets.store import EpisodeStore, store_splits
from pixelpush.errors import InputError


def arrays(seed, length=7, size=32):
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 256, (length, size, size, 3), dtype=np.uint8)
    states = np.cumsum(rng.normal(size=(length, 3)), axis=0)
    return frames, states, np.concatenate([states[1:], states[-1:]])


def check(store, seeds, lengths=None):
    assert len(store) == len(seeds)
    for found, seed in zip(store, seeds, strict=True):
        frames, states, actions = arrays(seed, len(found.frames))
        np.testing.assert_array_equal(found.frames, frames.transpose(0, 3, 1, 2))
        np.testing.assert_array_equal(found.states, states.astype(np.float32))
        np.testing.assert_array_equal(found.actions, actions.astype(np.float32))


# --- HDF5
# --------------------------------------------------------------------------------------------------


def write_robomimic(path, seeds, masks=None, libero=False):
    h5py = pytest.importorskip("h5py")
    camera = "agentview_rgb" if libero else "agentview_image"
    with h5py.File(path, "w") as file:
        for number, seed in enumerate(seeds):
            frames, states, actions = arrays(seed)
            group = file.create_group(f"data/demo_{number}")
            group["actions"] = actions
            group[f"obs/{camera}"] = frames
            if libero:
                group["obs/ee_states"], group["obs/gripper_states"] = states[:, :2], states[:, 2:]
            else:
                group["obs/robot0_eef_pos"] = states[:, :1]
                group["obs/robot0_eef_quat"] = states[:, 1:2]
                group["obs/robot0_gripper_qpos"] = states[:, 2:]
        for mask, members in (masks or {}).items():
            file[f"mask/{mask}"] = np.array(members, dtype="S")
    return path


def test_robomimic(tmp_path):
    raw = write_robomimic(tmp_path / "demo.hdf5", range(11))
    assert recognise(raw)[0].name == "hdf5"
    prepare("hdf5", raw, tmp_path / "store", size=32, split="11/0/0")
    check(EpisodeStore(tmp_path / "store", "train"), range(11))  # demo_10 after demo_9


def test_robomimic_masks_and_libero(tmp_path):
    masks = {"train": ["demo_0", "demo_2"], "valid": ["demo_1"], "20_percent": ["demo_0"]}
    raw = write_robomimic(tmp_path / "demo.hdf5", range(3), masks, libero=True)
    prepare("hdf5", raw, tmp_path / "store", size=32)
    assert store_splits(tmp_path / "store") == ["train", "val"]
    check(EpisodeStore(tmp_path / "store", "train"), [0, 2])
    check(EpisodeStore(tmp_path / "store", "val"), [1])


def write_aloha(path, seed, compressed=False, cameras=("cam_high",)):
    h5py = pytest.importorskip("h5py")
    path.parent.mkdir(parents=True, exist_ok=True)
    frames, states, actions = arrays(seed)
    with h5py.File(path, "w") as file:
        file["action"], file["observations/qpos"] = actions, states
        file["observations/qvel"] = states * 0
        for camera in cameras:
            if compressed:
                packed = [cv2.imencode(".png", f[..., ::-1])[1].ravel() for f in frames]
                rows = np.zeros((len(packed), max(map(len, packed)) + 16), np.uint8)
                for row, data in zip(rows, packed, strict=True):
                    row[: len(data)] = data
                file[f"observations/images/{camera}"] = rows
            else:
                file[f"observations/images/{camera}"] = frames
    return path


@pytest.mark.parametrize("compressed", [False, True])
def test_aloha(tmp_path, compressed):
    for seed in range(11):
        write_aloha(tmp_path / "raw" / f"episode_{seed}.hdf5", seed, compressed)
    prepare("hdf5", tmp_path / "raw", tmp_path / "store", size=32, split="11/0/0")
    store = EpisodeStore(tmp_path / "store", "train")
    check(store, range(11))
    assert store[10].id == "episode_10"


def test_hdf5_refusals(tmp_path, monkeypatch):
    h5py = pytest.importorskip("h5py")
    raw = write_aloha(tmp_path / "a.hdf5", 0, cameras=("cam_high", "cam_low"))

    def refuse(message, path=raw, **settings):
        with pytest.raises(InputError, match=message) as caught:
            prepare("hdf5", path, tmp_path / "store", split="1/0/0", **settings)
        assert "\n" not in str(caught.value)

    refuse(r"2 cameras \(cam_high, cam_low\); choose one by --camera")
    refuse("no observation 'x'; choose by --state-key from qpos", camera="cam_low", state_key="x")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["trajectory"] = np.zeros(3)
    refuse("neither robomimic's data/demo_N nor ALOHA's .* has trajectory", tmp_path / "other.h5")
    (tmp_path / "cut.h5").write_bytes(raw.read_bytes()[:500])
    refuse(r"cut\.h5: not a readable HDF5 file", tmp_path / "cut.h5")
    (tmp_path / "lfs.h5").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    refuse(r"lfs\.h5: a Git LFS pointer", tmp_path / "lfs.h5")
    without(monkeypatch, "h5py")
    refuse(r"HDF5 files needs the package h5py: pip install 'pixelpush\[hdf5\]'")


def without(monkeypatch, module):
    """Make a package impossible to import."""
    import_module = importlib.import_module

    def refuse(name, *rest):
        if name == module:
            raise ModuleNotFoundError(name)
        return import_module(name, *rest)

    monkeypatch.setattr(importlib, "import_module", refuse)


# --- zarr
# --------------------------------------------------------------------------------------------------


def write_zarr(path, seeds, camera="img", dtype=np.uint8, version=2):
    zarr = pytest.importorskip("zarr")
    parts = [arrays(seed, length=5 + seed) for seed in seeds]
    group = zarr.open_group(str(path), mode="w", zarr_format=version)
    columns = {
        f"data/{camera}": np.concatenate([part[0] for part in parts]).astype(dtype),
        "data/state": np.concatenate([part[1] for part in parts]),
        "data/action": np.concatenate([part[2] for part in parts]),
        "meta/episode_ends": np.cumsum([len(part[0]) for part in parts]),
    }
    for name, values in columns.items():
        group.create_array(name, data=values)
    return path


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_zarr(tmp_path, version, dtype):
    path = write_zarr(tmp_path / "raw" / "pusht.zarr", [2, 0, 4], dtype=dtype, version=version)
    for raw in (path, path.parent):
        assert recognise(raw)[0].name == "zarr"
    prepare("zarr", path, tmp_path / "store", size=32, split="3/0/0")
    store = EpisodeStore(tmp_path / "store", "train")
    check(store, [2, 0, 4])
    assert store.lengths.tolist() == [7, 5, 9]
    assert store.action_kind == "pose"


def test_a_zipped_zarr(tmp_path):
    import zipfile

    path = write_zarr(tmp_path / "a.zarr", [1, 2])
    with zipfile.ZipFile(tmp_path / "a.zarr.zip", "w") as archive:
        for item in path.rglob("*"):
            archive.write(item, item.relative_to(path))
    prepare("zarr", tmp_path / "a.zarr.zip", tmp_path / "store", size=32, split="2/0/0")
    check(EpisodeStore(tmp_path / "store", "train"), [1, 2])


def test_zarr_refusals(tmp_path, monkeypatch):
    zarr = pytest.importorskip("zarr")
    path = write_zarr(tmp_path / "a.zarr", [0, 1])

    def refuse(message, **settings):
        with pytest.raises(InputError, match=message):
            prepare("zarr", path, tmp_path / "store", **{"split": "2/0/0", **settings})

    refuse("no camera 'left'; it has img", camera="left")
    refuse("no array 'x'; choose by --state-key from action, state", state_key="x")
    group = zarr.open_group(str(path), mode="a")
    group["meta/episode_ends"][:] = [5, 4]
    refuse("meta/episode_ends do not rise")
    without(monkeypatch, "zarr")
    refuse(r"needs the package zarr: pip install 'pixelpush\[zarr\]'")


# --- stacked NPZ
# --------------------------------------------------------------------------------------------------


def write_stacked(path, seed, stack=3, led_here=True):
    """Rows of the last ``stack`` frames, the first one repeated at the beginning."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frames, states, actions = arrays(seed)
    shown = np.concatenate([np.repeat(frames[:1], stack - 1, axis=0), frames])
    stacked = np.concatenate([shown[n : n + len(frames)] for n in range(stack)], axis=-1)
    kept = np.concatenate([np.zeros((1, 3)), actions[:-1]]) if led_here else actions
    np.savez(path, observation=stacked.transpose(0, 3, 1, 2), action=kept, pose=states)


@pytest.mark.parametrize("stack", [1, 2, 3, 4])
@pytest.mark.parametrize("led_here", [True, False])
def test_stacked_frames(tmp_path, stack, led_here):
    for seed in range(3):
        write_stacked(tmp_path / "raw" / f"{seed}.npz", seed, stack, led_here)
    assert recognise(tmp_path / "raw")[0].name == "stacked-npz"
    prepare(
        "stacked-npz", tmp_path / "raw", tmp_path / "s", size=32, split="3/0/0", state_key="pose"
    )
    for found, seed in zip(EpisodeStore(tmp_path / "s", "train"), range(3), strict=True):
        frames, states, actions = arrays(seed)
        np.testing.assert_array_equal(found.frames, frames.transpose(0, 3, 1, 2))
        np.testing.assert_array_equal(found.states, states.astype(np.float32))
        # What leads from a row to the next; the last one's is not recorded.
        np.testing.assert_array_equal(found.actions[:-1], actions[:-1].astype(np.float32))


def test_rows_that_are_not_stacked(tmp_path):
    write_stacked(tmp_path / "raw" / "a.npz", 0)
    with np.load(tmp_path / "raw" / "a.npz") as arrays_:
        observation, action = arrays_["observation"].copy(), arrays_["action"]
    observation[4, :3] = 0
    observation[4, 3:6] = 0
    np.savez(tmp_path / "raw" / "a.npz", observation=observation, action=action)
    with pytest.raises(InputError, match="row 4 is not stacked on the row before it"):
        prepare("stacked-npz", tmp_path / "raw", tmp_path / "store", split="1/0/0")


def test_real_metaworld(shared_data, tmp_path):
    raw = shared_data / "metaworld_push"
    prepare("stacked-npz", raw, tmp_path / "store", split="3/1/1")
    (path, *_) = sorted(raw.glob("*.npz"))
    found = EpisodeStore(tmp_path / "store", "train")[0]
    with np.load(path, allow_pickle=False) as recorded:
        np.testing.assert_array_equal(found.frames, recorded["observation"][:, 6:])
        np.testing.assert_array_equal(found.actions[:-1], recorded["action"][1:])
    # Commands of the row before would be those of the frame itself, all zeros at the beginning.
    assert found.actions[0].any()
