"""Scores on a device without float64, such as Apple's GPUs: those of the CPU to the last digit."""

from __future__ import annotations

import numpy as np
import torch
from stand_in import DEVICE, stand_in

from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.image_sets import ImageArrays
from pixelpush.image import build_image_model
from pixelpush.training.config import DataConfig
from pixelpush.training.image_scoring import score_images
from pixelpush.training.super_resolution_task import SuperResolutionTask


def levels(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_images_are_scored():
    images = ImageArrays("plain", levels(5, 3, 4, 4))
    model = build_image_model("pixelcnn", image_size=4, channels=4, layers=1, hidden=8)
    expected = score_images(model, images, batch_size=2)
    with stand_in():
        found = score_images(model, images, batch_size=2, device=DEVICE)
    assert np.array_equal(found.nats, expected.nats)
    assert np.array_equal(found.mean_map, expected.mean_map)


def test_an_upscaler_is_validated():
    nothing = np.zeros((4, 0), np.float32)
    episodes = [Episode(levels(4, 3, 16, 16), nothing, nothing, "noise")]
    sizes = {"channels": 8, "blocks": 1, "components": 2}
    task = SuperResolutionTask(sizes, DataConfig(crop=8), episodes, episodes)
    torch.manual_seed(0)
    model = task.build_model().eval()
    expected = task.evaluate(model, None, torch.device("cpu"), "32")
    with stand_in():
        found = task.evaluate(model.to(DEVICE), None, DEVICE, "32")
    assert found == expected
