"""The list of metrics: one from one file is in table, JSON and figure; one idea of an error."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from flat_options import build
from matplotlib.figure import Figure

from pixelpush.cli.nll import NllOptions, nll
from pixelpush.eval.likelihood.metrics import METRICS, Metric, Scores, find_metric, measure
from pixelpush.eval.statistics import ratio
from pixelpush.image import build_image_model
from pixelpush.saved import save_model


def worst_episode(scores: Scores) -> float:
    """Nats per sub-pixel of the episode that surprises most."""
    pairs = zip(scores.nats, scores.subpixels, strict=True)
    return max(nats / subpixels for nats, subpixels in pairs)


@pytest.fixture
def toy_metric(monkeypatch) -> Metric:
    """All that a new metric takes: a function, and one entry in the list."""
    metric = Metric("worst_nats_per_subpixel", "worst", worst_episode, digits=3)
    monkeypatch.setattr("pixelpush.eval.likelihood.metrics.METRICS", [*METRICS, metric])
    return metric


@pytest.fixture
def drawn(monkeypatch) -> dict[str, list[float]]:
    """What the first line of each panel of the figures that are written shows, by its title."""
    found: dict[str, list[float]] = {}
    save = Figure.savefig

    def saving(figure: Figure, *arguments, **options):
        for axes in figure.axes:
            if axes.lines:
                found[axes.get_title()] = list(axes.lines[0].get_ydata())
        return save(figure, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", saving)
    return found


@pytest.fixture
def image_data(tmp_path: Path) -> str:
    """Two 8x8 test images."""
    for number in range(2):
        path = tmp_path / "data" / "test" / "class0" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        cv2.imwrite(str(path), pixels)
    return f"folder:{tmp_path / 'data'}"


@pytest.fixture
def image_model(tmp_path: Path) -> str:
    sizes = {"image_size": 8, "channels": 4, "layers": 2, "head_hidden": 8}
    save_model(build_image_model("gated-pixelcnn", **sizes), tmp_path / "model")
    return str(tmp_path / "model")


def test_a_toy_metric_is_in_the_table_json_and_figure_of_videos(
    toy_metric, drawn, store, model_folder, tmp_path, capsys
):
    path = tmp_path / "nll.json"
    nll(
        build(
            NllOptions,
            model=str(model_folder),
            data=str(store),
            splits=("test-seen",),
            json=path,
            figure=tmp_path / "nll.png",
            device="cpu",
            quiet=True,
        )
    )
    report = json.loads(path.read_text())
    summary = report["models"][0]["splits"]["test-seen"]
    worst = max(episode["nats_per_subpixel"] for episode in summary["per_episode"])
    assert summary["worst_nats_per_subpixel"] == worst
    assert "worst_nats_per_subpixel" in report["reference"]["splits"]["test-seen"]
    header, _, row = capsys.readouterr().out.splitlines()[1:4]
    assert header.split()[-1] == "worst"
    assert row.split()[-1] == f"{worst:.3f}"
    assert drawn["worst"] == [worst]
    assert drawn["nats/sub-pixel"] == [summary["nats_per_subpixel"]]
    assert {"over frames, test-seen", "rank of the truth", "predicted intervals"} <= set(drawn)


def test_a_toy_metric_is_in_the_table_json_and_figure_of_images(
    toy_metric, drawn, image_data, image_model, tmp_path, capsys
):
    path = tmp_path / "nll.json"
    outputs = {"json": path, "figure": tmp_path / "nll.png", "device": "cpu", "quiet": True}
    nll(build(NllOptions, model=image_model, data=image_data, **outputs))
    found = json.loads(path.read_text())["models"][0]["splits"]["test"]
    assert found["worst_nats_per_subpixel"] >= found["nats_per_subpixel"]
    header, _, row = capsys.readouterr().out.splitlines()[:3]
    assert header.split() == ["nats/image", "nats/sub-pixel", "bits/dim", "worst"]
    assert row.split()[-1] == f"{found['worst_nats_per_subpixel']:.3f}"
    assert list(drawn) == ["nats/image", "nats/sub-pixel", "bits/dim", "worst"]
    assert drawn["worst"] == [found["worst_nats_per_subpixel"]]


def test_one_image_has_no_error_like_one_episode(
    image_data, image_model, store, model_folder, tmp_path, capsys
):
    shared = {"episodes": 1, "device": "cpu", "quiet": True}
    nll(build(NllOptions, model=image_model, data=image_data, json=tmp_path / "i.json", **shared))
    video = {"model": str(model_folder), "data": str(store), "splits": ("val",)}
    nll(build(NllOptions, json=tmp_path / "v.json", reference=False, **video, **shared))
    for name, split in (("i", "test"), ("v", "val")):
        found = json.loads((tmp_path / f"{name}.json").read_text())["models"][0]["splits"][split]
        assert found["standard_error"] is None
    table = capsys.readouterr().out
    assert not [line for line in table.splitlines() if "±" in line and "standard error" not in line]


def test_metrics_of_known_scores():
    scores = Scores([10.0, 20.0], [5, 5], [1, 4], floors=[5.0, 5.0], reference=[20.0, 30.0])
    found = measure("video", scores)
    assert found["nats_per_subpixel"] == ratio([10.0, 20.0], [5, 5])
    assert found["bits_per_dimension"] == pytest.approx(3 / np.log(2))
    assert found["nats_per_frame"] == 6.0
    assert find_metric("above_floor").cell(found["above_floor"], 1) == "2.0 ± 1.0"
    assert find_metric("above_reference").cell(found["above_reference"], 1) == "-2.0 ± 0.0"
    assert "nats_per_image" not in found
    assert measure("image", scores)["nats_per_image"] == 15.0
