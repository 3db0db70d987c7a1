"""The rivals of Table 3, whose scores are bounds: the laws of an invertible network and a VAE."""

from __future__ import annotations

import math

import pytest
import torch
from tiny_images import BOUNDS, CONDITIONED, random_condition, random_images, tiny_image_model

from pixelpush.errors import InputError
from pixelpush.image import Condition, build_image_model
from pixelpush.image.conv_draw import ConvDraw, Normal
from pixelpush.image.real_nvp import RealNVP, normal_from

NOTHING = Condition()


def flow(**overrides) -> RealNVP:
    model = tiny_image_model("real-nvp", gain=0.5, **overrides)
    assert isinstance(model, RealNVP)
    return model


def draw(**overrides) -> ConvDraw:
    model = tiny_image_model("conv-draw", **overrides)
    assert isinstance(model, ConvDraw)
    return model


@pytest.mark.parametrize("kind", BOUNDS)
@pytest.mark.parametrize("conditioned", [False, True])
def test_the_sampler_scores_what_it_draws(kind, conditioned):
    model = tiny_image_model(kind, gain=0.5, **(CONDITIONED if conditioned else {}))
    condition = random_condition(3) if conditioned else None
    sample = model.sample(3, condition, torch.Generator().manual_seed(1))
    with torch.no_grad():
        scored = model.log_prob(sample.images, condition)
        assert torch.allclose(scored, sample.log_prob, atol=1e-4)
        if condition is not None:
            assert (model.log_prob(sample.images, condition[[1, 2, 0]]) != scored).any()
    assert sample.images.float().std() > 5


@pytest.mark.parametrize("kind", BOUNDS)
def test_neither_score_nor_sample_depends_on_the_batch(kind):
    model = tiny_image_model(kind, gain=0.5)
    images = random_images(model, 3)
    with torch.no_grad():
        together = model.log_prob(images)
        alone = torch.cat([model.log_prob(image[None]) for image in images])
    assert torch.allclose(together, alone, atol=1e-4)
    many = model.sample(3, generator=torch.Generator().manual_seed(5))
    one = model.sample(1, generator=torch.Generator().manual_seed(5))
    assert torch.equal(many.images[:1], one.images)


@pytest.mark.parametrize("conditioned", [False, True])
def test_the_flow_inverts(conditioned):
    model = flow(**(CONDITIONED if conditioned else {}))
    condition = random_condition(2) if conditioned else NOTHING
    values = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        latent, _ = model.encode(values, condition)
        assert (latent.view_as(values) - values).abs().mean() > 0.1
        assert torch.allclose(model.decode(latent, condition), values, atol=1e-4)


def test_the_log_determinant_is_autograds():
    model = flow(image_size=4).double()
    values = torch.randn(1, 3, 4, 4, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(
        lambda flat: model.encode(flat.view(1, 3, 4, 4), NOTHING)[0][0], values.flatten()
    )
    _, logdet = model.encode(values, NOTHING)
    expected = torch.linalg.slogdet(jacobian)[1]
    assert abs(expected.item()) > 0.1
    # The couplings' last layers compute in float32.
    assert logdet.item() == pytest.approx(expected.item(), abs=1e-4)


def test_the_density_of_levels_integrates_to_one():
    """One grey pixel has a density over (0, 256) that a sum over a fine grid integrates."""
    model = tiny_image_model(
        "real-nvp", image_size=1, colours=1, scales=1, channels=4, blocks=0, gain=0.5
    )
    assert isinstance(model, RealNVP)
    levels = (torch.arange(25_600) + 0.5) / 100
    with torch.no_grad():
        density = model.density(levels.view(-1, 1, 1, 1), NOTHING).exp()
    whole = (density / 100).sum().item()
    # The logit leaves ALPHA of the probabilities on either side outside of the levels.
    assert 0.8 < whole <= 1.0001
    shares = torch.special.ndtr(torch.tensor([-math.log(19), math.log(19)]))
    plain = build_image_model("real-nvp", image_size=1, colours=1, scales=1, channels=4, blocks=0)
    assert isinstance(plain, RealNVP)
    with torch.no_grad():  # a new network is the identity: a normal over the logit
        whole = (plain.density(levels.view(-1, 1, 1, 1), NOTHING).exp() / 100).sum().item()
    assert whole == pytest.approx((shares[1] - shares[0]).item(), abs=1e-4)


def test_the_vaes_score_is_below_the_importance_estimate():
    model = draw()
    images = model.sample(4, generator=torch.Generator().manual_seed(0)).images
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        bounds = torch.stack(
            [model.importance_log_prob(images, 1, generator) for _ in range(60)]
        ).mean(0)
        exact = model.importance_log_prob(images, 500, generator)
        score = model.log_prob(images).sum((1, 2))
    # The mean of single draws is the bound; many draws together come near the exact score. The gap
    # of these images is some nats, the mean's error below one.
    assert (exact > bounds).all()
    assert (score < exact + 1).all()


def test_the_divergence_is_the_mean_log_ratio():
    numbers = torch.Generator().manual_seed(0)
    one = Normal.of(torch.randn(1, 4, 1, 1, generator=numbers))
    other = Normal.of(torch.randn(1, 4, 1, 1, generator=numbers))
    latents = one.at(torch.randn(200_000, 2, 1, 1, generator=numbers))
    sampled = (one.log_prob(latents) - other.log_prob(latents)).mean(0)
    assert torch.allclose(sampled, one.divergence(other)[0], atol=0.03)


def test_normal_numbers_are_normal_and_finite():
    uniforms = torch.rand(100_000, generator=torch.Generator().manual_seed(0))
    normal = normal_from(uniforms)
    assert abs(normal.mean().item()) < 0.02
    assert normal.std().item() == pytest.approx(1, abs=0.02)
    assert torch.isfinite(normal_from(torch.tensor([0.0, 1 - 2.0**-24]))).all()


@pytest.mark.parametrize("kind", BOUNDS)
def test_a_step_of_training_lowers_the_loss(kind):
    torch.manual_seed(0)
    model = build_image_model(kind, image_size=8, head_hidden=8, **BOUNDS[kind])
    images = random_images(model, 1) // 8 + 100
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(30):
        loss = model(images)["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert sum(losses[-5:]) / 5 < losses[0] - 0.3


def test_sizes_that_cannot_be_are_refused():
    with pytest.raises(InputError, match="do not halve 2 times"):
        build_image_model("real-nvp", image_size=6)
    with pytest.raises(InputError, match="multiple of 4"):
        build_image_model("conv-draw", image_size=6)
