"""The commands compress, decompress, listen and surprise, from the command line to their files."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import torch

from pixelpush.cli import run
from pixelpush.datasets import open_dataset
from pixelpush.errors import InputError
from pixelpush.image import build_image_model
from pixelpush.saved import save_model


@pytest.fixture
def coded(store, model_folder, tmp_path):
    pytest.importorskip("constriction", reason="the extra [coding] is not installed")
    path = tmp_path / "split.ppc"
    splits = ["--split", "val", "--split", "test-seen"]
    model = ["--model", str(model_folder)]
    run(["compress", *model, "--data", str(store), *splits, "--out", str(path), "--quiet"])
    return path


def test_a_split_is_coded_and_comes_back_as_a_store(coded, store, tmp_path):
    run(["decompress", str(coded), "--out", str(tmp_path / "back"), "--quiet"])
    for split in ("val", "test-seen"):
        before, after = open_dataset(store, split), open_dataset(tmp_path / "back", split)
        assert len(before) == len(after)
        for index in range(len(before)):
            for name in ("frames", "states", "actions"):
                expected = getattr(before[index], name)
                np.testing.assert_array_equal(getattr(after[index], name), expected)
            assert after[index].id == before[index].id


def test_what_was_coded_is_said(store, model_folder, tmp_path, capsys):
    pytest.importorskip("constriction", reason="the extra [coding] is not installed")
    written = ["--out", str(tmp_path / "a.ppc"), "--json", str(tmp_path / "a.json")]
    named = ["--model", str(model_folder), "--data", str(store), "--split", "val"]
    run(["compress", *named, *written, "--episodes", "1", "--quiet"])
    printed = capsys.readouterr().out
    sizes = json.loads((tmp_path / "a.json").read_text())["val"]
    assert sizes["episodes"] == 1
    assert sizes["file_bytes"] == (tmp_path / "a.ppc").stat().st_size
    assert f"{sizes['code_bytes']:,}" in printed
    assert "the likelihood says" in printed


def test_some_episodes_are_decoded_alone(coded, store, tmp_path):
    chosen = ["--split", "test-seen", "--episodes", "3", "1"]
    run(["decompress", str(coded), "--out", str(tmp_path / "two"), *chosen, "--quiet"])
    found = open_dataset(tmp_path / "two", "test-seen")
    whole = open_dataset(store, "test-seen")
    assert [found[i].id for i in range(len(found))] == [whole[3].id, whole[1].id]
    with pytest.raises(InputError, match="--episodes 5"):
        run(["decompress", str(coded), "--out", str(tmp_path / "x"), "--episodes", "5"])


def test_another_model_leaves_nothing_behind(coded, save_model_folder, tmp_path):
    other = save_model_folder(tmp_path / "other", seed=5)
    with pytest.raises(InputError, match="coded with the model"):
        run(["decompress", str(coded), "--model", str(other), "--out", str(tmp_path / "back")])
    assert not (tmp_path / "back").exists()


def test_images_are_coded_and_come_back_as_an_array(tmp_path):
    pytest.importorskip("constriction", reason="the extra [coding] is not installed")
    from PIL import Image

    draw = np.random.default_rng(0)
    pictures = draw.integers(0, 255, (3, 8, 8, 3)).astype(np.uint8)
    folder = tmp_path / "pictures" / "test"
    folder.mkdir(parents=True)
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / f"{number}.png")
    model = build_image_model("gated-pixelcnn", image_size=8, channels=4, layers=2, head_hidden=8)
    save_model(model, tmp_path / "model")
    path, out = tmp_path / "i.ppc", tmp_path / "i.npy"
    data = f"folder:{tmp_path / 'pictures'}"
    named = ["--model", str(tmp_path / "model")]
    run(["compress", *named, "--data", data, "--out", str(path), "--batch-size", "2", "--quiet"])
    run(["decompress", str(path), "--out", str(out), "--quiet"])
    np.testing.assert_array_equal(np.load(out), pictures.transpose(0, 3, 1, 2))
    with pytest.raises(InputError, match=r"end the name in \.npy"):
        run(["decompress", str(path), "--out", str(tmp_path / "i"), "--quiet"])


def test_listen_prints_a_verdict_and_writes_it(store, model_folder, tmp_path, capsys):
    written = ["--json", str(tmp_path / "l.json"), "--figure", str(tmp_path / "l.png")]
    named = ["--model", str(model_folder), "--data", str(store), "--split", "test-seen"]
    run(["listen", *named, "--shift", "1", "--device", "cpu", "--quiet", *written])
    printed = capsys.readouterr().out.strip().splitlines()[-1]
    report = json.loads((tmp_path / "l.json").read_text())
    assert report["split"] == "test-seen"
    assert report["episodes"] == 5
    assert " its actions" in printed
    assert len(report["lies"]) == 9 + 2
    assert (tmp_path / "l.png").is_file()


def test_surprise_writes_its_files_and_the_roc(store, model_folder, tmp_path, capsys):
    out = tmp_path / "watched"
    named = ["--model", str(model_folder), "--data", str(store), "--split", "test-seen"]
    usual = ["--usual-data", str(store), "--usual-split", "train", "--false-alarms", "0.2"]
    size = ["--regions", "4", "--videos", "1", "--device", "cpu", "--quiet"]
    run(["surprise", *named, "--out", str(out), *usual, *size])
    rows = list(csv.DictReader((out / "surprise.csv").read_text().splitlines()))
    assert len(rows) == sum(length - 2 for length in (6, 9, 3, 7, 5))
    assert {path.name for path in out.iterdir()} == {
        "surprise.csv",
        "strangest.png",
        "strange-0.mp4",
    }
    assert "frames alarm" in capsys.readouterr().out


def test_too_low_a_rate_is_refused_before_anything_is_written(store, model_folder, tmp_path):
    out = tmp_path / "watched"
    named = ["--model", str(model_folder), "--data", str(store), "--usual-data", str(store)]
    with pytest.raises(InputError, match="cannot support"):
        run(["surprise", *named, "--out", str(out), "--usual-split", "train", "--device", "cpu"])
    assert not out.exists()
    assert torch.get_num_threads() == 1
