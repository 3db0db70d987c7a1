"""The packages read every setting that a command hands to them; one that is ignored fails here."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from field_reads import all_reads_of, field_names, fields_of, reads_of
from flat_options import build

from pixelpush.cli.rollout import RolloutOptions, rollout
from pixelpush.cli.train import TrainOptions, train
from pixelpush.eval.images.sample import draw_picture
from pixelpush.eval.images.settings import PictureSettings
from pixelpush.eval.likelihood.run import Outputs, score_models
from pixelpush.eval.likelihood.settings import EvalProtocol, ScoringSettings
from pixelpush.eval.rollout.settings import RolloutOutputs, RolloutSettings
from pixelpush.eval.speed.settings import SpeedSettings
from pixelpush.eval.speed.videos import measure
from pixelpush.image import build_image_model
from pixelpush.saved import save_model
from pixelpush.training.config import RunOptions
from pixelpush.training.options import TrainingData
from pixelpush.vpn import build_model
from tests.training.tiny_training import MODEL


def train_small(store: Path, run: Path) -> None:
    settings = tuple(f"{name}={value}" for name, value in MODEL.items())
    options = build(
        TrainOptions,
        preset="push-ot-small",
        data=str(store),
        run=run,
        examples=4,
        batch_size=2,
        validate_examples=4,
        clip_frames=5,
        settings=settings,
        accelerator="cpu",
        sample_examples=2,
        validation_items=1,
        quiet=True,
    )
    train(options)


def test_training_reads_every_option(store: Path, tmp_path: Path, monkeypatch):
    with all_reads_of([RunOptions, TrainingData], monkeypatch) as found:
        train_small(store, tmp_path / "run")
    assert found == fields_of([RunOptions, TrainingData])


def test_scoring_reads_every_option(store: Path, model_folder: Path, monkeypatch):
    classes = [ScoringSettings, EvalProtocol, Outputs]
    with all_reads_of(classes, monkeypatch) as found:
        settings = ScoringSettings(device="cpu", episodes=1)
        score_models([str(model_folder)], str(store), ["val"], settings, Outputs(quiet=True))
    # The protocol goes to the scorer as keywords, field by field: an unknown one is a TypeError.
    found[EvalProtocol] |= {"batch_size"}
    assert found == fields_of(classes)


def test_a_rollout_reads_every_option(store, model_folder, tmp_path, monkeypatch):
    options = build(
        RolloutOptions,
        model=str(model_folder),
        out=tmp_path / "out",
        data=str(store),
        split="val",
        samples=1,
        steps=2,
        quality=True,
        quiet=True,
        device="cpu",
    )
    with all_reads_of([RolloutSettings, RolloutOutputs], monkeypatch) as found:
        rollout(options)
    assert found == fields_of([RolloutSettings, RolloutOutputs])


def test_timing_reads_every_option(monkeypatch):
    sizes = {"lstm_channels": 4, "base_size": 2, "base_layers": 2, "decoder_channels": 4}
    shared = {name: MODEL[name] for name in ("channels", "encoder_blocks", "coarse_scales")}

    def tiny(kind: str, size: int):
        more = {"decoder_blocks": 1, "components": 2, "softmax_hidden": 4}
        return build_model(kind, frame_size=size, **shared, **sizes, **more)

    with reads_of(SpeedSettings, monkeypatch) as found:
        settings = SpeedSettings(device="cpu", graph="none", videos=1, frames=1, plain_steps=1)
        measure(tiny, settings, sizes=(4,), table_size=4)
    assert found == field_names(SpeedSettings)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Four 8x8 images in two classes."""
    for number in range(4):
        path = tmp_path / "data" / "val" / f"class{number % 2}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        cv2.imwrite(str(path), pixels)
    return tmp_path / "data"


def test_pictures_read_every_option(pictures: Path, tmp_path: Path, monkeypatch):
    sizes = {"image_size": 8, "channels": 4, "head_hidden": 8, "blocks": 1, "patch_layers": 2}
    sizes |= {"base_size": 4, "base_layers": 2, "crop": 8, "condition_channels": 4}
    spoken = {"classes": 20, "captions": True, "structure": 35, "structure_parts": 15}
    model = build_image_model("multiscale-pixelcnn", condition_dropout=0.5, **sizes, **spoken)
    save_model(model, tmp_path / "spoken")
    save_model(build_image_model("multiscale-pixelcnn", classes=2, **sizes), tmp_path / "classes")
    mask, data = tmp_path / "mask.png", f"folder:{pictures}"
    cv2.imwrite(str(mask), np.ones((32, 32), np.uint8))
    said = {"labels": ("mug",), "captions": ("a red mug",), "parts": ("tip=0.5,0.5",)}
    with reads_of(PictureSettings, monkeypatch) as found:
        for name, settings in (
            ("spoken", PictureSettings(mask=mask, data="sim-objects", samples=1, **said)),
            ("classes", PictureSettings(kind="upscale", rows=2, samples=2, data=data, given=4)),
        ):
            draw_picture(str(tmp_path / name), tmp_path / "a.png", settings, "cpu")
    assert found == field_names(PictureSettings)
