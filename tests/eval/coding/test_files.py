"""Coded files: random access, headers that refuse, damage that is found."""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict

import numpy as np
import pytest
import torch
from tiny import tiny_model, tiny_video
from tiny_images import random_images, tiny_image_model

from pixelpush.datasets.episodes import Episode
from pixelpush.errors import InputError
from pixelpush.eval.coding.arithmetic import model_sha256, threads
from pixelpush.eval.coding.files import CodedFile, compress_episodes, compress_images


class Episodes(list):
    name = "tiny"


def some_episodes(model, count=3) -> Episodes:
    made = Episodes()
    for seed in range(count):
        frames, states, actions = (x[0].numpy() for x in tiny_video(model, 1, 4 + seed, seed))
        made.append(Episode(frames, states, actions, f"e{seed}"))
    return made


@pytest.fixture
def coded(tmp_path):
    """(model, episodes, path of the coded file, its sizes)."""
    model = tiny_model("ot")
    episodes = some_episodes(model)
    path = tmp_path / "split.ppc"
    return model, episodes, path, compress_episodes(model, {"val": episodes}, path, name="tiny-ot")


def test_any_episode_can_be_read_alone_and_in_any_order(coded):
    model, episodes, path, _ = coded
    split = CodedFile(path, lambda name: model).split("val")
    assert len(split) == 3
    for index in (2, 0, 1, 2):
        np.testing.assert_array_equal(split[index].frames, episodes[index].frames)
        np.testing.assert_array_equal(split[index].actions, episodes[index].actions)
        assert split[index].id == episodes[index].id
    with pytest.raises(IndexError):
        split[3]


def test_the_bytes_are_accounted_for(coded):
    _, episodes, path, sizes = coded
    found = sizes["val"]
    assert found.episodes == 3
    assert found.frames == sum(len(e.frames) - 2 for e in episodes)
    parts = found.code_bytes + found.context_bytes + found.vector_bytes + found.about_bytes
    assert parts < sum(found.per_episode_bytes) <= parts + 3 * 64
    assert sum(found.per_episode_bytes) < found.file_bytes == path.stat().st_size


def test_the_same_call_writes_the_same_file(coded, tmp_path):
    model, episodes, path, _ = coded
    compress_episodes(model, {"val": episodes}, tmp_path / "again.ppc", name="tiny-ot")
    assert (tmp_path / "again.ppc").read_bytes() == path.read_bytes()


def test_another_model_is_refused_before_decoding(coded):
    _, _, path, _ = coded
    with pytest.raises(InputError, match=r"coded with the model tiny-ot of hash"):
        CodedFile(path, lambda name: tiny_model("ot", gain=1.1))
    assert model_sha256(tiny_model("ot")) != model_sha256(tiny_model("ot", still_levels=4.0))


def rewrite_header(path, change):
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    header = json.loads(members["header.json"])
    change(header)
    members["header.json"] = json.dumps(header).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def test_other_arithmetic_is_refused_naming_what_differs(coded):
    model, _, path, _ = coded

    def change(header):
        header["arithmetic"] |= {"fingerprint": "0" * 64, "torch": "1.0.0"}

    rewrite_header(path, change)
    with pytest.raises(InputError, match=r"arithmetic here differs .*torch 1\.0\.0 there"):
        CodedFile(path, lambda name: model)


def test_a_newer_version_is_refused(coded):
    model, _, path, _ = coded
    rewrite_header(path, lambda header: header.update(version=99))
    with pytest.raises(InputError, match="version 99"):
        CodedFile(path, lambda name: model)


def test_decoding_computes_with_the_writers_threads(coded, monkeypatch):
    model, _, path, _ = coded
    seen = []
    step = model.step
    monkeypatch.setattr(
        model, "step", lambda *a, **k: (seen.append(torch.get_num_threads()), step(*a, **k))[1]
    )
    with threads(2):
        CodedFile(path, lambda name: model).split("val")[0]
        assert torch.get_num_threads() == 2
    assert set(seen) == {1}


def test_damage_is_never_silent(coded):
    """Flip bytes all over the file: every read gives the true episode or one clear error."""
    model, episodes, path, _ = coded
    whole = path.read_bytes()
    errors = 0
    for place in range(0, len(whole), max(1, len(whole) // 60)):
        broken = bytearray(whole)
        broken[place] ^= 0x55
        path.write_bytes(bytes(broken))
        try:
            split = CodedFile(path, lambda name: model).split("val")
            for index in range(len(split)):
                np.testing.assert_array_equal(split[index].frames, episodes[index].frames)
        except InputError:
            errors += 1
    assert errors > 50


@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.99])
def test_a_truncated_file_is_refused(coded, kept):
    model, _, path, _ = coded
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole)) if kept < 1 else kept])
    with pytest.raises(InputError, match="damaged"):
        CodedFile(path, lambda name: model)


def test_what_is_no_coded_file_is_refused(tmp_path):
    (tmp_path / "a.ppc").write_text("hello")
    with pytest.raises(InputError, match="damaged"):
        CodedFile(tmp_path / "a.ppc", lambda name: None)
    with pytest.raises(InputError, match="no such file"):
        CodedFile(tmp_path / "b.ppc", lambda name: None)


def test_nothing_is_left_of_a_file_that_could_not_be_finished(tmp_path):
    model = tiny_model("ot")
    episodes = some_episodes(model, 2)
    wide = tiny_model("ot", size=16)
    episodes.append(some_episodes(wide, 1)[0])
    with pytest.raises(InputError, match="the model takes frames"):
        compress_episodes(model, {"val": episodes}, tmp_path / "x.ppc")
    assert list(tmp_path.iterdir()) == []


def test_image_files_give_the_batches_back(tmp_path):
    model = tiny_image_model("gated-pixelcnn")
    batches = [random_images(model, 3, seed).numpy() for seed in range(2)]
    sizes = compress_images(model, [(b, None) for b in batches], tmp_path / "i.ppc", name="tiny")
    assert asdict(sizes)["frames"] == 6
    for found, expected in zip(
        CodedFile(tmp_path / "i.ppc", lambda name: model).images(), batches, strict=True
    ):
        np.testing.assert_array_equal(found, expected)
