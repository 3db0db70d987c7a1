"""The likelihoods of scales and groups add up to the image's."""

from __future__ import annotations

import pytest
import torch

from pixelpush.eval.images.scales import scales_of, shares
from pixelpush.image import build_image_model
from pixelpush.image.groups import subsample


@pytest.mark.parametrize("upscaler", ["A", "B"])
def test_shares_are_the_scales_own_likelihoods_and_add_up(upscaler):
    torch.manual_seed(0)
    model = build_image_model(
        "multiscale-pixelcnn",
        image_size=16,
        base_size=4,
        channels=4,
        base_layers=1,
        blocks=1,
        patch=2,
        crop=0,
        upscaler=upscaler,
        distribution="logistic",
    )
    images = torch.randint(0, 256, (3, 3, 16, 16), dtype=torch.uint8)
    with torch.no_grad():
        score = model.log_prob(images)
        found = shares(score, scales_of(model))
        base = -model.base.log_prob(subsample(images, 2)).double().sum((1, 2)).mean()
        whole = -score.double().sum((1, 2)).mean()
        # Each scale scored by itself, from the module of that scale.
        second = -model.upscalers[0].log_prob(subsample(images), torch.zeros(3, 0, 4, 4))
    assert [(share.size, share.group) for share in found] == [
        (4, 0), (8, 2), (8, 3), (8, 4), (16, 2), (16, 3), (16, 4)
    ]  # fmt: skip
    assert sum(share.pixels for share in found) == 256
    assert sum(share.nats for share in found) == pytest.approx(float(whole), abs=1e-3)
    assert found[0].nats == pytest.approx(float(base), abs=1e-3)
    of_second = sum(share.nats for share in found if share.size == 8)
    assert of_second == pytest.approx(float(second.double().sum((1, 2)).mean()), abs=1e-3)


def test_a_model_of_one_scale_has_none():
    model = build_image_model("pixelcnn", image_size=4, channels=4, layers=1, hidden=8)
    assert scales_of(model) == ()
