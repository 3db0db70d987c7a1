"""A saved model that lies about its sizes is refused before memory is taken; nothing in it is ever
executed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import struct
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from pixelpush.errors import InputError
from pixelpush.image import build_image_model
from pixelpush.saved import SavedModel, check_tensors, complete_saves, find_saved
from pixelpush.vpn import build_model, load_model, save_model


@pytest.fixture
def video(tmp_path: Path) -> Path:
    sizes = {
        "channels": 8,
        "encoder_blocks": 1,
        "coarse_scales": 0,
        "lstm_channels": 4,
        "decoder_blocks": 1,
    }
    save_model(
        build_model("ot", frame_size=8, state_dim=2, action_dim=2, components=2, **sizes),
        tmp_path / "video",
    )
    return tmp_path / "video"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    save_model(
        build_image_model("pixelcnn", image_size=8, channels=4, layers=2, hidden=4),
        tmp_path / "image",
    )
    return tmp_path / "image"


def edit_config(folder: Path, **changes: object) -> None:
    header = json.loads((folder / "model.json").read_text())
    header["config"].update(changes)
    (folder / "model.json").write_text(json.dumps(header))


def write_safetensors(file: Path, header: dict, size: int) -> None:
    """A header that claims what it likes, and behind it a hole of ``size`` bytes that takes no room
    on the disk."""
    text = json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text)
    os.truncate(file, 8 + len(text) + size)


class Bounded(TorchDispatchMode):
    """Fails where a tensor of more than 64 MiB is made, other than one without memory."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        found = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(found):
            if isinstance(tensor, torch.Tensor):
                assert tensor.is_meta or tensor.nbytes < 64 << 20, (
                    f"{func} made {tensor.nbytes} bytes"
                )
        return found


def refuse(load, folder: Path) -> None:
    """``load`` refuses the folder, soon, without taking memory."""
    begin = time.process_time()
    with Bounded(), pytest.raises(InputError) as caught:
        load(folder)
    assert "\n" not in str(caught.value)
    assert time.process_time() - begin < 4


@pytest.mark.parametrize(
    "changes",
    [
        {"channels": 4096},
        {"decoder_channels": 4096, "decoder_blocks": 64},
        {"state_dim": 4096},
        {"state_dim": 10**15},
        {"encoder_blocks": 10**9},
        {"coarse_scales": 10**9},
        {"components": 10**12},
        {"frame_size": 2**40},
    ],
)
def test_a_video_model_that_claims_to_be_huge(video: Path, changes: dict):
    edit_config(video, **changes)
    refuse(load_model, video)


@pytest.mark.parametrize(
    "changes",
    [
        {"channels": 4096},
        {"channels": 10**9},
        {"layers": 10**9},
        {"hidden": 10**12},
        {"image_size": 10**9},
    ],
)
def test_an_image_model_that_claims_to_be_huge(image: Path, changes: dict):
    edit_config(image, **changes)
    refuse(load_model, image)


@pytest.mark.parametrize(
    ("header", "size"),
    [
        (
            {"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}},
            16,
        ),  # more than there is
        (
            {"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 16]}},
            16,
        ),  # shape and bytes disagree
        (
            {"a": {"dtype": "F32", "shape": [2**62, 8], "data_offsets": [0, 16]}},
            16,
        ),  # overflows 64 bits
        ({"a": {"dtype": "F32", "shape": [4], "data_offsets": [16, 0]}}, 16),
        ({"a": {"dtype": "F32", "shape": [-4], "data_offsets": [0, 16]}}, 16),
        (
            {"a": {"dtype": "F32", "shape": [2**38], "data_offsets": [0, 2**40]}},
            2**40,
        ),  # a tebibyte of nothing
    ],
)
def test_a_header_that_claims_huge_tensors(tmp_path: Path, header: dict, size: int):
    file = tmp_path / "model.safetensors"
    write_safetensors(file, header, size)
    with pytest.raises(InputError, match=r"model\.safetensors: (damaged weights|a should be)"):
        check_tensors(file, {"a": torch.zeros(4)})


@pytest.mark.parametrize("length", [0, 1, 2**31, 2**62, 2**64 - 1])
def test_a_header_of_false_length(tmp_path: Path, length: int):
    file = tmp_path / "model.safetensors"
    file.write_bytes(struct.pack("<Q", length) + b"{}" * 8)
    with pytest.raises(InputError, match=r"model\.safetensors: damaged weights"):
        check_tensors(file, {"a": torch.zeros(4)})


def refusal(folder: Path) -> str:
    """What ``load_model`` says against a folder; '' where it loads finite weights."""
    try:
        weights = load_model(folder).state_dict()
    except InputError as error:
        return str(error)
    assert all(bool(torch.isfinite(value).all()) for value in weights.values())
    return ""


def test_damaged_models_are_refused_or_read(video: Path):
    """200 damaged copies of each file: load or one clear line, nothing else."""
    refused = 0
    for name in ("model.json", "model.safetensors"):
        good = (video / name).read_bytes()
        for case in range(200):
            draw = np.random.default_rng(case)
            bad = bytearray(good)
            # the header stands in the first two kibibytes; behind it there are only numbers
            for _ in range(1 + int(draw.integers(3))):
                bad[int(draw.integers(min(len(bad), 2048)))] = int(draw.integers(256))
            (video / name).write_bytes(
                bad[: int(draw.integers(len(bad)))] if case % 4 == 0 else bad
            )
            message = refusal(video)
            assert "\n" not in message
            refused += bool(message)
        (video / name).write_bytes(good)
    assert refused > 200


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused_by_name(video: Path, value: float):
    weights = load_file(video / "model.safetensors")
    name = sorted(weights)[3]
    weights[name].view(-1)[0] = value
    save_file(weights, video / "model.safetensors")
    with pytest.raises(InputError, match=f"{name} is not finite"):
        load_model(video)


def test_a_copied_save_breaks_nothing(video: Path, tmp_path: Path):
    saves = tmp_path / "run" / "checkpoints"
    saves.mkdir(parents=True)
    for name in ("0000000005", "0000000005-backup", "1e3", "²"):
        shutil.copytree(video, saves / name)
    assert [save.name for save in complete_saves(tmp_path / "run")] == ["0000000005"]
    assert find_saved(tmp_path / "run").folder == saves / "0000000005"


def test_a_save_that_is_dropped_while_it_is_read_gives_way_to_the_next(
    video: Path, tmp_path: Path, monkeypatch
):
    """As a training with --keep 1 does it, between finding the save and reading its weights."""
    saves = tmp_path / "run" / "checkpoints"
    saves.mkdir(parents=True)
    shutil.copytree(video, saves / "0000000005")
    restore = SavedModel.restore

    def dropped_first(saved: SavedModel, build):
        if saved.folder.name == "0000000005":
            shutil.move(saves / "0000000005", saves / "0000000009")
        return restore(saved, build)

    monkeypatch.setattr(SavedModel, "restore", dropped_first)
    assert load_model(tmp_path / "run").config.frame_size == 8


@pytest.mark.parametrize("text", ["[]", "3", '{"save": ["x"]}', "[" * 99999])
def test_a_damaged_pointer_to_the_best_save_is_no_traceback(video: Path, tmp_path: Path, text: str):
    saves = tmp_path / "run" / "checkpoints"
    saves.mkdir(parents=True)
    shutil.copytree(video, saves / "0000000005")
    (tmp_path / "run" / "best.json").write_text(text)
    with contextlib.suppress(InputError):
        assert find_saved(tmp_path / "run").folder == saves / "0000000005"
