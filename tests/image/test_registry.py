"""Building by name, published sizes on the meta device, saving and loading, noise streams."""

from __future__ import annotations

import json

import pytest
import torch
from tiny_images import BOUNDS, KINDS, random_images, tiny_image_model

from pixelpush.errors import InputError
from pixelpush.image import build_image_model
from pixelpush.image.kind_list import KINDS as RECORDS
from pixelpush.image.noise import SampleNoise
from pixelpush.image.presets import model_presets
from pixelpush.saved import save_model
from pixelpush.vpn import load_model


def count(model: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def test_every_preset_builds():
    with torch.device("meta"):
        for name in model_presets():
            assert count(build_image_model(name)) > 10_000


@pytest.mark.parametrize("kind", [*KINDS, *BOUNDS])
def test_saved_models_come_back(tmp_path, kind):
    model = tiny_image_model(kind)
    save_model(model, tmp_path / "saved")
    loaded = load_model(tmp_path / "saved", family="image")
    images = random_images(model, 1)
    with torch.no_grad():
        assert torch.equal(loaded.log_prob(images), model.log_prob(images))
    assert loaded.config == model.config
    assert not loaded.training


def test_mistakes_are_named(tmp_path):
    for settings, message in [
        ({"name": "vae"}, "unknown image model 'vae'"),
        ({"name": "pixelcnn", "filters": 3}, "unknown setting 'filters'"),
        ({"name": "pixelcnn++", "image_size": 30}, "do not halve 2 times"),
        ({"name": "pixelcnn++", "dropout": 1.0}, "dropout"),
        ({"name": "pixelcnn", "channels": 0}, "channels must be between 1 and 4096"),
        ({"name": "multiscale-pixelcnn", "image_size": 48}, "not base_size times a power of 2"),
        ({"name": "multiscale-pixelcnn", "base_size": 2}, "multiple of the patch"),
        ({"name": "multiscale-pixelcnn", "upscaler": "C"}, "unknown upscaler"),
        (
            {"name": "multiscale-pixelcnn", "shared_encoder_size": 4},
            "shared_encoder_size 4 must be at least base_size 8",
        ),
        ({"name": "gated-pixelcnn", "kernel": 4}, "odd kernels"),
        ({"name": "pixelcnn", "distribution": "gauss"}, "unknown pixel distribution"),
    ]:
        with pytest.raises(InputError, match=message):
            build_image_model(**settings)
    save_model(tiny_image_model("pixelcnn"), tmp_path / "saved")
    header = json.loads((tmp_path / "saved/model.json").read_text())
    (tmp_path / "saved/model.json").write_text(json.dumps({**header, "family": "video"}))
    with pytest.raises(InputError, match="not an image model"):
        load_model(tmp_path / "saved", family="image")


def test_every_kind_is_tested_and_configured():
    assert {*KINDS, *BOUNDS} == set(RECORDS)


def test_a_sample_has_its_own_stream():
    together = SampleNoise(torch.Generator().manual_seed(0), 3)
    alone = SampleNoise(torch.Generator().manual_seed(0), 1)
    first = together.uniforms(2, 3, 4)
    assert first.shape == (3, 2, 3, 4)
    assert torch.equal(first[:1], alone.uniforms(2, 3, 4))
    second = together.uniforms(2, 3, 4)
    assert not torch.equal(first, second)
    assert torch.equal(second[:1], alone.uniforms(2, 3, 4))
    assert 0 <= first.min() < first.max() < 1
    with pytest.raises(InputError, match="2 generators were given for 3"):
        SampleNoise([torch.Generator(), torch.Generator()], 3)
