"""Multiscale models: scales add up, train apart or together, upscale given images; how many steps
they take."""

from __future__ import annotations

import pytest
import torch
from tiny_images import CONDITIONED, random_condition, random_images, tiny_image_model

from pixelpush.errors import InputError
from pixelpush.image.groups import subsample
from pixelpush.image.multiscale_pixelcnn import MultiscalePixelCNN


def multiscale(**overrides) -> MultiscalePixelCNN:
    model = tiny_image_model(
        "multiscale-pixelcnn", **{"image_size": 16, "patch": 2, "crop": 0, **overrides}
    )
    assert isinstance(model, MultiscalePixelCNN)
    return model


def test_the_loss_over_all_scales_is_the_likelihood():
    model = multiscale()
    images = random_images(model, 3)
    with torch.no_grad():
        losses = model(images)
        expected = -model.log_prob(images).mean() / 3
    assert losses["loss"].item() == pytest.approx(expected.item(), abs=1e-5)
    parts = [
        (losses[f"nats_per_subpixel_{size}"].item(), pixels)
        for size, pixels in [(4, 16), (8, 48), (16, 192)]
    ]
    assert sum(nats * pixels for nats, pixels in parts) / 256 == pytest.approx(
        expected.item(), abs=1e-5
    )


def test_smaller_scales_are_models_of_the_subsampled_image():
    model = multiscale(upscaler="A")
    images = random_images(model, 1)
    with torch.no_grad():
        score = model.log_prob(images)
        base = model.base.log_prob(subsample(images, 2))
    assert torch.allclose(score[:, ::4, ::4], base)
    changed = images.clone()
    changed[..., 1::2] ^= 255  # no pixel of a smaller scale
    with torch.no_grad():
        assert torch.equal(model.log_prob(changed)[:, ::2, ::2], score[:, ::2, ::2])


def test_a_scale_trains_by_itself():
    model = multiscale()
    model(random_images(model, 2), None, [8])["loss"].backward()
    trained = {
        name.split(".")[0] + name.split(".")[1]
        for name, p in model.named_parameters()
        if p.grad is not None
    }
    assert trained == {"upscalers0"}
    with pytest.raises(InputError, match="scale 5"):
        model(random_images(model, 2), None, [5])


def test_crops_are_whole_blocks_and_estimate_the_same_loss():
    """Type A with a receptive field smaller than the crop's margin would be exact; here only the
    mean is close."""
    model = multiscale(crop=8, image_size=32, base_size=16)
    images = random_images(model, 4)
    torch.manual_seed(0)
    with torch.no_grad():
        whole = -model.log_prob(images).mean().item() / 3
        cropped = torch.stack([model(images)["loss"] for _ in range(20)]).mean().item()
    assert cropped == pytest.approx(whole, rel=0.05)


@pytest.mark.parametrize("upscaler", ["A", "B"])
@pytest.mark.parametrize("conditioned", [False, True])
def test_upscaling_keeps_the_given_pixels(upscaler, conditioned):
    model = multiscale(upscaler=upscaler, **(CONDITIONED if conditioned else {}))
    condition = random_condition(2) if conditioned else None
    small = random_images(model, 2)[..., ::2, ::2]
    result = model.upscale(small, condition, torch.Generator().manual_seed(0))
    assert torch.equal(subsample(result.images), small)
    assert (result.log_prob[:, ::2, ::2] == 0).all()
    with torch.no_grad():
        scored = model.log_prob(result.images, condition)
    new = torch.ones(16, 16, dtype=torch.bool)
    new[::2, ::2] = False
    assert torch.allclose(scored[:, new], result.log_prob[:, new], atol=1e-4)
    assert result.network_evaluations == model.upscalers[1].evaluations
    from_base = model.upscale(small[..., ::2, ::2], condition, torch.Generator().manual_seed(0))
    assert torch.equal(subsample(from_base.images, 2), small[..., ::2, ::2])
    with pytest.raises(InputError, match="4x4, 8x8"):
        model.upscale(random_images(model, 2), condition)


def test_larger_scales_have_their_own_encoders():
    assert len(multiscale(**CONDITIONED, shared_encoder_size=8).encoders) == 2
    assert len(multiscale(**CONDITIONED).encoders) == 1
    model = multiscale(**CONDITIONED, shared_encoder_size=4)
    model(random_images(model, 1), random_condition(1), [16])["loss"].backward()
    used = [any(p.grad is not None for p in encoder.parameters()) for encoder in model.encoders]
    assert used == [False, False, True]


def test_steps_grow_with_the_number_of_scales_not_with_the_pixels():
    base = 4 * 4 * 3
    assert multiscale(image_size=32, upscaler="A").evaluations == base + 3 * 9
    assert multiscale(image_size=256, upscaler="A").evaluations == base + 6 * 9
    assert multiscale(image_size=32, patch=4).evaluations == base + 3 * 3 * 16 * 3
    assert tiny_image_model("pixelcnn", image_size=32).evaluations == 32 * 32 * 3
