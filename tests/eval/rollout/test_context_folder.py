"""A rollout's given frames from a folder are treated as the training data's were."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from pixelpush.datasets.frames import fit, fit_as
from pixelpush.datasets.prepare import prepare
from pixelpush.datasets.store import EpisodeStore
from pixelpush.errors import InputError
from pixelpush.eval.likelihood.runs import run_facts
from pixelpush.eval.rollout.context_folder import read_context_folder
from pixelpush.saved import FORMAT
from pixelpush.vpn import VideoConfig

CONFIG = VideoConfig(frame_size=32, state_dim=0, action_dim=1, patch=2)


def write_beginning(folder: Path, pictures, names=("frame0.png", "frame1.png")) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in zip(names, pictures, strict=True):
        cv2.imwrite(str(folder / name), picture[..., ::-1])
    (folder / "actions.csv").write_text("dx\n1\n2\n3\n")
    return folder


def wide_pictures(count=2):
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (count, 6, 12, 3)).astype(np.uint8)
    return [cv2.resize(picture, (96, 48), interpolation=cv2.INTER_CUBIC) for picture in coarse]


@pytest.mark.parametrize("crop", ["centre", "none"])
@pytest.mark.parametrize("resize", ["auto", "area", "bicubic"])
def test_the_same_pictures_give_the_stores_own_frames(tmp_path, crop, resize):
    pictures = wide_pictures()
    write_beginning(tmp_path / "raw" / "run", pictures)
    (tmp_path / "raw" / "run" / "actions.csv").write_text("action_x\n1\n2\n")
    settings = {"states": "none", "size": 32, "crop": crop, "resize": resize, "split": "1/0/0"}
    prepare("folder", tmp_path / "raw", tmp_path / "store", **settings)
    store = EpisodeStore(tmp_path / "store", "train")
    folder = write_beginning(tmp_path / "beginning", pictures)
    frames, _, _ = read_context_folder(folder, CONFIG, 2, None, store.metadata)
    np.testing.assert_array_equal(frames, store[0].frames)
    other = {"frames": {"crop": "none" if crop == "centre" else "centre", "resize": resize}}
    differing, _, _ = read_context_folder(folder, CONFIG, 2, None, other)
    assert np.abs(differing.astype(int) - frames).mean() > 8


def test_what_macos_leaves_is_passed_over_and_times_are_in_order(tmp_path):
    pictures = wide_pictures()
    folder = write_beginning(tmp_path / "b", pictures, ("17.95.png", "18.1.png"))
    (folder / "._17.95.png").write_bytes(b"Mac OS X")
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "__MACOSX").mkdir()
    frames, _, _ = read_context_folder(folder, CONFIG, 2, None)
    np.testing.assert_array_equal(frames[0].transpose(1, 2, 0), fit(pictures[0], 32))


def test_the_reported_case(shared_data):
    folder = shared_data / "cases" / "61_begin_macos_hidden"
    config = VideoConfig(frame_size=64, state_dim=3, action_dim=3)
    frames, states, actions = read_context_folder(folder, config, 2, None)
    assert frames.shape == (2, 3, 64, 64)
    assert (len(states), len(actions)) == (2, 6)


def test_the_reported_case_without_a_crop(shared_data, tmp_path):
    case = shared_data / "cases" / "73_crop_none_rollout"
    prepare("folder", case / "recordings", tmp_path / "store", crop="none", split="2/0/1")
    store = EpisodeStore(tmp_path / "store", "test")
    config = VideoConfig(frame_size=64, state_dim=3, action_dim=3)
    frames, _, _ = read_context_folder(case / "beginning", config, 2, None, store.metadata)
    np.testing.assert_array_equal(frames, store[0].frames[:2])


def test_older_and_named_metadata():
    image = np.random.default_rng(1).integers(0, 256, (48, 96, 3), dtype=np.uint8)
    centre, squashed = fit(image, 32), fit(image, 32, "none")
    np.testing.assert_array_equal(fit_as({})(image, 32), centre)
    np.testing.assert_array_equal(fit_as({"options": {"crop": "none"}})(image, 32), squashed)
    old = {"preprocess": "squash, area filter to 64x64"}
    np.testing.assert_array_equal(fit_as(old)(image, 32), squashed)
    finn = {"frames": {"crop": "centre", "resize": "finn"}}
    large = np.random.default_rng(2).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    np.testing.assert_array_equal(fit_as(finn)(large, 32), large[:, 16:80][::2, ::2])
    with pytest.raises(InputError, match="does not know"):
        fit_as({"frames": {"resize": "lanczos"}})


def test_a_run_keeps_its_datas_metadata(tmp_path):
    metadata = {"frames": {"crop": "none", "resize": "auto"}}
    header = {"format": FORMAT, "family": "video", "config": {}}
    (tmp_path / "model.json").write_text(json.dumps(header))
    (tmp_path / "config.json").write_text(json.dumps({"notes": {"metadata": metadata}}))
    assert run_facts(str(tmp_path)).metadata == metadata
    (tmp_path / "config.json").write_text("{}")
    assert run_facts(str(tmp_path)).metadata == {}
