"""Commands on image models: pictures, tables beside the published figures, speed."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from flat_options import build

from pixelpush.cli.nll import NllOptions, nll
from pixelpush.cli.sample import SampleOptions, sample
from pixelpush.errors import InputError
from pixelpush.eval.images.figures import grid, scale_strip, structure_tile
from pixelpush.eval.likelihood.image_tables import table1_text, table3_text
from pixelpush.eval.likelihood.images import ImageModelScores, ImageReport, ImageSummary
from pixelpush.eval.speed.images import measure_images, table4_images_text
from pixelpush.eval.statistics import Ratio
from pixelpush.image import build_image_model
from pixelpush.saved import save_model

SMALL = {"image_size": 8, "head_hidden": 8, "condition_channels": 4, "condition_layers": 2}
MULTISCALE = {
    **SMALL,
    "base_size": 4,
    "channels": 4,
    "base_layers": 2,
    "blocks": 1,
    "patch_layers": 2,
    "crop": 8,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Twenty 8x8 images in two classes, and saved models of them."""
    root = tmp_path_factory.mktemp("images")
    numbers = np.random.default_rng(0)
    for split in ("train", "val", "test"):
        for number in range(4):
            path = root / "data" / split / f"class{number % 2}" / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), numbers.integers(0, 256, (8, 8, 3), dtype=np.uint8))
    torch.manual_seed(0)
    save_model(build_image_model("gated-pixelcnn", channels=4, layers=2, **SMALL), root / "gated")
    save_model(
        build_image_model("multiscale-pixelcnn", classes=2, **MULTISCALE), root / "multiscale"
    )
    return root


def options(folder: Path, model: str, **changes) -> SampleOptions:
    data = f"folder:{folder / 'data'}"
    return build(
        SampleOptions,
        model=str(folder / model),
        out=folder / f"{model}.png",
        **{"data": data, "rows": 2, "samples": 2, **changes},
    )


def test_a_grid_is_the_same_for_the_same_seed(folder, capsys):
    pictures = []
    for seed in (1, 1, 2):
        sample(options(folder, "gated", rows=2, samples=3, seed=seed))
        pictures.append((folder / "gated.png").read_bytes())
    assert pictures[0] == pictures[1] != pictures[2]
    # Images of 8 pixels are drawn twelve times as large, two white pixels apart.
    assert cv2.imread(str(folder / "gated.png")).shape == (194, 292, 3)
    assert "6 samples, 192 network evaluations each" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["grid", "strip", "upscale"])
def test_pictures_of_a_conditional_multiscale_model(folder, kind):
    sample(options(folder, "multiscale", kind=kind, given=4))
    assert cv2.imread(str(folder / "multiscale.png")).std() > 5


def test_completion_draws(folder):
    sample(options(folder, "gated", kind="complete"))
    assert cv2.imread(str(folder / "gated.png")).std() > 5


def test_pictures_move_data_only():
    images = np.arange(3 * 1 * 2 * 2, dtype=np.uint8).reshape(3, 1, 2, 2)
    picture = grid(images, 2)
    assert picture.shape == (6, 6, 1)
    assert np.array_equal(picture[4:, :2, 0], images[2, 0])
    assert (picture[4:, 2:] == 255).all()
    strip = scale_strip(np.arange(16, dtype=np.uint8).reshape(1, 4, 4), [1, 2, 4])
    assert [np.unique(tile).tolist() for tile in strip] == [[0], [0, 2, 8, 10], list(range(16))]
    tile = structure_tile(np.eye(32, dtype=np.uint8)[None], 64)
    assert tile.shape == (3, 64, 64)
    assert (tile[0, 0, 0] > 0) & (tile[0, 0, 5] == 0)


def test_mistakes_are_named(folder, tmp_path):
    for changes, message in [
        ({"model": "multiscale", "kind": "complete"}, "completion needs"),
        ({"model": "gated", "kind": "upscale"}, "has no upscalers"),
        ({"model": "gated", "kind": "strip"}, "has one scale"),
        (
            {"model": "multiscale", "data": ""},
            "name an image set with --data, or say a condition",
        ),
        (
            {"model": "multiscale", "kind": "upscale", "given": 3},
            "choose one of the model's smaller sizes",
        ),
        ({"model": "gated", "kind": "complete", "first": 3}, "has 4 images"),
        ({"model": "gated", "rows": 0}, "--rows must be at least 1"),
        ({"model": "multiscale", "data": "", "labels": ("2",)}, "a number from 0 to 1"),
        ({"model": "multiscale", "captions": ("a mug",)}, "--caption: this model is not"),
        ({"model": "multiscale", "use": ("masks",)}, "this model is conditioned on class"),
        ({"model": "gated", "kind": "layouts"}, "layouts need a model with parts"),
    ]:
        with pytest.raises(InputError, match=message):
            sample(options(folder, **changes))
    with pytest.raises(InputError, match=r"end the name in \.png"):
        sample(SampleOptions(str(folder / "gated"), tmp_path / "a.jpg"))


def test_nll_of_image_models(folder, capsys, tmp_path):
    names = (str(folder / "gated"), str(folder / "multiscale"))
    data = f"folder:{folder / 'data'}"
    nll(
        build(
            NllOptions,
            models=names,
            data=data,
            splits=("val", "test"),
            json=tmp_path / "a.json",
            device="cpu",
            quiet=True,
        )
    )
    report = json.loads((tmp_path / "a.json").read_text())
    text = capsys.readouterr().out
    for entry in report["models"]:
        score = entry["splits"]["test"]
        assert score["images"] == score["images_in_split"] == 4
        assert score["nats_per_image"] == pytest.approx(score["nats_per_subpixel"] * 192)
        assert f"{score['bits_per_dimension']:.4f}" in text
    nll(
        build(
            NllOptions,
            model=names[0],
            data=data,
            splits=("val",),
            episodes=3,
            device="cpu",
            quiet=True,
        )
    )
    assert "val (first 3 of 4)" in capsys.readouterr().out
    assert (report["format"], report["version"]) == ("pixelpush-image-nll", 1)
    for message, changes in {
        "record no common data": {"data": ""},
        "has no condition to listen to": {"conditions": True, "splits": ("val",)},
        "--context is for video models": {"context": 0},
        "--clip-frames is for video models": {"clip_frames": 8},
        "--batch-size must be at least 1": {"batch_size": 0},
        "--episodes must be at least 1, got -1": {"episodes": -1},
        "--episodes must be at least 1, got 0": {"episodes": 0},
        "is a folder": {"json": tmp_path},
    }.items():
        with pytest.raises(InputError, match=message):
            nll(build(NllOptions, **{"model": names[0], "data": data, "device": "cpu", **changes}))


def report_of(data: str, size: int) -> ImageReport:
    figures = {"nats_per_subpixel": Ratio(2.5, None), "bits_per_dimension": 3.607}
    summary = ImageSummary(figures, images=1, images_in_split=1, content_sha256=None)
    row = ImageModelScores("ours", "multiscale-pixelcnn", size, 0, {"val": summary})
    return ImageReport(data, [row], "32", "cpu")


def test_tables_show_ours_beside_the_published_figures():
    table1 = table1_text([report_of("cub:x", 32), report_of("cifar10", 32)])
    assert "CUB (32x32)" in table1
    assert all(text in table1 for text in ("2.500", "2.98", "2.91"))
    table3 = table3_text([report_of("imagenet64:y", 64)])
    assert "3.607" in table3
    assert [line.split()[-1] for line in table3.splitlines() if line.startswith("Multiscale")] == [
        "3.55"
    ]


def test_speed_counts_the_steps():
    report = measure_images("small", batch=2, device="cpu", plain_steps=2, side=8)
    steps = {row.name: row.sequential_steps for row in report.rows}
    assert steps["Gated PixelCNN, plain"] == steps["Gated PixelCNN, cached"] == 64
    assert steps["Multiscale PixelCNN, type A"] == 64  # its base is the whole image at this size
    text = table4_images_text(report)
    assert "Gated PixelCNN, plain (extrapolated)" in text
    assert "102" in text or "103x" in text
