"""Sharing a model: the exported folder loads, says nothing of the machine, has the Hub's header; a
local copy of a Hub repository loads offline."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from pixelpush.errors import InputError
from pixelpush.eval.export import export_model
from pixelpush.eval.model_card import data_name, with_header
from pixelpush.files import read_json, write_json
from pixelpush.saved import SHIPPED, SavedModel
from pixelpush.vpn import build_model, load_model, save_model

SMALL = {
    "frame_size": 8,
    "channels": 4,
    "lstm_channels": 4,
    "encoder_blocks": 1,
    "coarse_scales": 0,
}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A finished run folder with a path of its machine in the configuration."""
    folder = tmp_path / "run"
    torch.manual_seed(0)
    save_model(build_model("ot", **SMALL), folder / "checkpoints" / "0000000010")
    train = {"batch_size": 2, "examples": 10, "seed": 3, "start": "/home/me/runs/old"}
    about = {"preset": "tiny", "data": "/home/me/data/robot", "command": "pixelpush train"}
    write_json(folder / "config.json", {**about, "train": train})
    figures = {"examples": 10, "seconds": 90.0, "whole_validation_nats_per_subpixel": 1.25}
    write_json(folder / "final.json", figures)
    return folder


def header_of(card: str) -> dict[str, object]:
    """The metadata of a card, whose values are JSON."""
    start, head, _ = card.split("---\n", 2)
    assert start == ""
    lines = [line.partition(": ") for line in head.splitlines()]
    return {key: json.loads(value) for key, _, value in lines}


@pytest.mark.parametrize("half", [False, True])
def test_an_exported_model_is_the_runs(run, tmp_path, half):
    folder = export_model(str(run), tmp_path / "shared", half=half)
    ours, theirs = load_model(run).state_dict(), load_model(folder).state_dict()
    tolerance = {"rtol": 1e-3, "atol": 1e-6} if half else {"rtol": 0, "atol": 0}
    for name, value in ours.items():
        torch.testing.assert_close(theirs[name], value, **tolerance)
    text = "".join(path.read_text() for path in folder.glob("*.json"))
    assert "/home/me" not in text + (folder / "README.md").read_text()
    assert read_json(folder / "config.json")["train"]["start"] == "old"
    assert read_json(folder / "config.json")["data"] == "robot"


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("mnist:/home/me/digits", "mnist"),
        ("mnist", "mnist"),
        ("sim-objects:40000", "sim-objects:40000"),
        ("tfds:cifar10", "tfds:cifar10"),
        ("/home/me/stores/bin", "bin"),
        ("", ""),
    ],
)
def test_data_are_named_without_their_folder(given, name):
    assert data_name({"data": given}) == name


def test_the_card_has_the_hubs_header_and_the_runs_figures(run, tmp_path):
    card = (export_model(str(run), tmp_path / "shared") / "README.md").read_text()
    header = header_of(card)
    assert header["license"] == "apache-2.0"
    assert header["library_name"] == "pixelpush"
    assert header["pipeline_tag"] == "image-to-video"
    assert (header["datasets"], header["metrics"]) == (["robot"], ["nats-per-subpixel"])
    (result,) = header["model-index"][0]["results"]
    assert result["metrics"][0]["value"] == 1.25
    assert "10 examples in batches of 2, seed 3" in card
    assert "1.2500 nats per sub-pixel" in card


@pytest.mark.parametrize(
    ("family", "kind", "tags"),
    [
        ("video", "ot", {"video-prediction", "exact-likelihood"}),
        ("image", "pixelcnn", {"image-generation", "exact-likelihood"}),
        ("image", "conv-draw", {"image-generation", "likelihood-bound"}),
        ("pose", "", {"pose-estimation"}),
    ],
)
def test_tags_are_of_the_models_family_and_of_its_score(family, kind, tags):
    saved = SavedModel(Path("run"), family, {"kind": kind})
    found = set(header_of(with_header("# mine", "mine", saved, {}, {}))["tags"])
    assert tags == found - {"robotics", "autoregressive"}


def test_a_card_of_ones_own_gets_the_header_once(run, tmp_path):
    own = tmp_path / "card.md"
    own.write_text("# Mine\n")
    first = export_model(str(run), tmp_path / "first", own) / "README.md"
    again = export_model(str(run), tmp_path / "again", first) / "README.md"
    assert first.read_text().endswith("---\n\n# Mine\n")
    assert first.read_text() == again.read_text()


def test_every_shipped_card_has_a_header():
    cards = list(SHIPPED.glob("*/README.md"))
    assert cards
    for card in cards:
        header = header_of(card.read_text())
        keys = {"license", "library_name", "pipeline_tag", "datasets", "metrics"}
        assert keys <= set(header)


def test_the_hub_reads_the_header(run, tmp_path):
    hub = pytest.importorskip("huggingface_hub")
    card = hub.ModelCard.load(export_model(str(run), tmp_path / "shared") / "README.md")
    assert card.data.license == "apache-2.0"
    assert card.data.eval_results[0].metric_value == 1.25


def test_mistakes_leave_nothing(run, tmp_path):
    with pytest.raises(InputError, match="no such file; --card"):
        export_model(str(run), tmp_path / "shared", tmp_path / "none.md")
    with pytest.raises(InputError, match="exists"):
        export_model(str(run), run)
    assert not (tmp_path / "shared").exists()


# -- the Hub
# --------------------------------------------------------------------------------------------------


@pytest.fixture
def hub(run, tmp_path, monkeypatch) -> Path:
    """The Hub's cache with one repository, owner/tiny, and no network."""
    constants = pytest.importorskip("huggingface_hub.constants")
    cache = tmp_path / "hub"
    repository = cache / "models--owner--tiny"
    commit = "0" * 40
    export_model(str(run), repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    return cache


def test_a_model_on_the_hub_loads_offline_from_the_cache(hub, run):
    ours, theirs = load_model(run).state_dict(), load_model("hf://owner/tiny").state_dict()
    for name, value in ours.items():
        assert torch.equal(theirs[name], value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hf://owner/other", r"hf://owner/other: not in the Hub's cache"),
        ("hf://tiny", "hf://owner/name"),
        ("hf://../../etc", "hf://owner/name"),
    ],
)
def test_a_model_that_is_not_there_is_one_clear_line(hub, name, message):
    with pytest.raises(InputError, match=message):
        load_model(name)


def test_without_the_extra_the_command_that_installs_it_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(InputError, match=r"pip install 'pixelpush\[hub\]'"):
        load_model("hf://owner/tiny")
