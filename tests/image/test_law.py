"""The law that holds for every image model: exact, causal, normalised; sampler = scorer; cached =
plain."""

from __future__ import annotations

import itertools

import pytest
import torch
from tiny_images import (
    CACHED,
    CONDITIONED,
    KINDS,
    RASTER,
    random_condition,
    random_images,
    tiny_image_model,
)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("distribution", ["softmax", "logistic", "bernoulli"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_sampler_scores_what_it_draws(kind, distribution):
    model = tiny_image_model(
        kind, distribution=distribution, colours=1 if distribution == "bernoulli" else 3
    )
    sample = model.sample(2, generator=seeded(1), temperature=0.9)
    with torch.no_grad():
        scored = model.log_prob(sample.images)
    assert torch.allclose(scored, sample.log_prob, atol=1e-4)
    assert sample.images.float().std() > 10
    assert not torch.equal(sample.images[0], sample.images[1])


@pytest.mark.parametrize("kind", KINDS)
def test_the_sampler_scores_what_it_draws_under_a_condition(kind):
    model = tiny_image_model(kind, **CONDITIONED)
    condition = random_condition(2)
    sample = model.sample(2, condition, seeded(1))
    with torch.no_grad():
        assert torch.allclose(model.log_prob(sample.images, condition), sample.log_prob, atol=1e-4)
        other = model.log_prob(sample.images, condition[[1, 0]])
    # Every pixel's probability depends on the condition.
    assert (other != sample.log_prob).all()


@pytest.mark.parametrize("conditioned", [False, True])
@pytest.mark.parametrize("kind", CACHED)
def test_cached_sampling_equals_the_plain_one(kind, conditioned):
    model = tiny_image_model(kind, distribution="softmax", **(CONDITIONED if conditioned else {}))
    condition = random_condition(2) if conditioned else None
    fast = model.sample(2, condition, seeded(3))
    slow = model.sample(2, condition, seeded(3), cached=False)
    assert torch.equal(fast.images, slow.images)
    assert torch.allclose(fast.log_prob, slow.log_prob, atol=1e-4)


@pytest.mark.parametrize("kind", CACHED)
@pytest.mark.parametrize("size", [(4, 4), (8, 4), (4, 12)])
def test_cached_features_equal_the_plain_ones(kind, size):
    """Every feature of every pixel, on images that are not square; the cache reads nothing at or
    after the pixel."""
    trunk = tiny_image_model(kind, **CONDITIONED).decoder.trunk
    image = torch.randint(0, 256, (2, 3, *size), dtype=torch.uint8, generator=seeded(0))
    conditioning = torch.randn(2, 12, *size, generator=seeded(1))
    with torch.no_grad():
        expected = trunk(image, conditioning)
        cache = trunk.start(image, conditioning)
        for row, column in itertools.product(range(size[0]), range(size[1])):
            hidden = image.clone()
            hidden.view(2, 3, -1)[:, :, row * size[1] + column :] = 77
            features, cache = trunk.step(cache, hidden, row, column)
            assert torch.allclose(features, expected[:, :, row, column], atol=2e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_does_not_depend_on_its_batch(kind):
    model = tiny_image_model(kind)
    together = model.sample(3, generator=[seeded(seed) for seed in (5, 6, 7)])
    alone = model.sample(1, generator=[seeded(6)])
    assert torch.equal(together.images[1:2], alone.images)
    assert torch.allclose(together.log_prob[1:2], alone.log_prob, atol=1e-4)
    first = model.sample(2, generator=seeded(9))
    assert torch.equal(first.images[:1], model.sample(1, generator=seeded(9)).images)


@pytest.mark.parametrize("kind", KINDS)
def test_likelihood_does_not_depend_on_the_batch(kind):
    model = tiny_image_model(kind)
    images = random_images(model, 3)
    with torch.no_grad():
        together = model.log_prob(images)
        alone = torch.cat([model.log_prob(image[None]) for image in images])
    assert torch.allclose(together, alone, atol=1e-4)


# Deep enough for an 8x8 image; gains large and widths ample, so that no influence drowns in
# rounding or dead ReLUs.
DEEP = {
    "pixelcnn": {"layers": 3, "channels": 8, "hidden": 32},
    "gated-pixelcnn": {"layers": 7},
    "pixelcnn++": {"resnets": 2},
    "row-lstm": {"layers": 2, "hidden": 32},
    "diagonal-bilstm": {"layers": 2, "hidden": 32},
}
MASK_A = [(r, c) for r in range(-3, 1) for c in range(-3, 4) if r < 0 or c < 0]
MASK_B = [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 0)]


def seen(kind: str, row: int, column: int) -> set[tuple[int, int]]:
    """The pixels of an 8x8 image that the features at (row, column) depend on, by following the
    kernels."""
    if kind not in ("pixelcnn", "row-lstm"):
        return {divmod(place, 8) for place in range(row * 8 + column)}
    places = {(row, column)}
    for _ in range(DEEP[kind]["layers"]):
        if kind == "pixelcnn":
            places = inside({(r + dr, c + dc) for r, c in places for dr, dc in MASK_B})
            continue
        # A Row LSTM state comes from the three states above it, as far up as the image goes, and
        # its own inputs.
        for _ in range(8):
            places |= inside({(r - 1, c + dc) for r, c in places for dc in (-1, 0, 1)})
        places |= inside({(r, c - 1) for r, c in places})
    return inside({(r + dr, c + dc) for r, c in places for dr, dc in MASK_A})


def inside(places: set[tuple[int, int]]) -> set[tuple[int, int]]:
    return {(r, c) for r, c in places if 0 <= r < 8 and 0 <= c < 8}


@pytest.mark.parametrize("kind", RASTER)
def test_a_pixel_moves_exactly_the_features_that_see_it(kind):
    """Gated PixelCNN, PixelCNN++ and the Diagonal BiLSTM see every earlier pixel, the others what
    kernels reach."""
    trunk = tiny_image_model(kind, gain=2.0, **DEEP[kind]).decoder.trunk.double()
    image = torch.randint(0, 256, (1, 3, 8, 8), dtype=torch.uint8, generator=seeded(0))
    expected = {place: seen(kind, *place) for place in itertools.product(range(8), range(8))}
    with torch.no_grad():
        before = trunk(image)
        for row, column in itertools.product(range(8), range(8)):
            changed = image.clone()
            changed[0, :, row, column] ^= 128
            moved = {
                tuple(place) for place in (trunk(changed) != before).any(1)[0].nonzero().tolist()
            }
            assert moved == {
                place for place, pixels in expected.items() if (row, column) in pixels
            }, (row, column)


@pytest.mark.parametrize("distribution", ["softmax", "logistic"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_channel_moves_itself_and_what_comes_later(kind, distribution):
    """Changing green moves the present pixel's score; of the channels' own, red's does not feel
    green."""
    model = tiny_image_model(kind, distribution=distribution)
    images = random_images(model, 1)
    changed = images.clone()
    changed[0, 1, 7, 7] ^= 128  # the last pixel of all: only its own score may move
    with torch.no_grad():
        moved = (model.log_prob(changed) != model.log_prob(images))[0]
    assert moved.nonzero().tolist() == [[7, 7]]


@pytest.mark.parametrize("kind", RASTER)
def test_whole_binary_images_sum_to_one(kind):
    scales = {"scales": 2} if kind == "pixelcnn++" else {}
    decoder = tiny_image_model(
        kind, image_size=4, colours=1, distribution="bernoulli", **scales
    ).decoder
    height, width = (4, 2) if kind == "pixelcnn++" else (3, 3)
    bits = torch.tensor(list(itertools.product((0, 255), repeat=height * width)), dtype=torch.uint8)
    with torch.no_grad():
        total = decoder.log_prob(bits.view(-1, 1, height, width)).double().sum((1, 2)).logsumexp(0)
    assert abs(total.item()) < 1e-5


def test_whole_images_of_the_three_scale_pixelcnn_sum_to_one():
    model = tiny_image_model(
        "pixelcnn++", image_size=4, colours=1, distribution="bernoulli", filters=3
    )
    codes = torch.arange(2**16)
    bits = (codes[:, None] >> torch.arange(16)) % 2
    with torch.no_grad():
        total = torch.cat(
            [
                model.log_prob((part * 255).to(torch.uint8)).sum((1, 2))
                for part in bits.view(-1, 1, 4, 4).split(8192)
            ]
        )
    assert abs(total.double().logsumexp(0).item()) < 1e-4


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("multiscale-pixelrnn", {"base_size": 2}),
        ("multiscale-pixelcnn", {"base_size": 2, "upscaler": "A"}),
        ("multiscale-pixelcnn", {"base_size": 2, "upscaler": "B", "patch": 2}),
        ("multiscale-pixelcnn", {"base_size": 1, "upscaler": "B", "patch": 1}),
    ],
)
def test_whole_multiscale_images_sum_to_one(kind, settings):
    model = tiny_image_model(
        kind, image_size=4, colours=1, distribution="bernoulli", channels=2, **settings
    )
    bits = (torch.arange(2**16)[:, None] >> torch.arange(16)) % 2
    with torch.no_grad():
        total = torch.cat(
            [
                model.log_prob((part * 255).to(torch.uint8)).sum((1, 2))
                for part in bits.view(-1, 1, 4, 4).split(8192)
            ]
        )
    assert abs(total.double().logsumexp(0).item()) < 1e-4


@pytest.mark.parametrize("distribution", ["softmax", "logistic"])
@pytest.mark.parametrize("kind", RASTER)
def test_two_grey_pixels_of_256_levels_sum_to_one(kind, distribution):
    scales = {"scales": 1} if kind == "pixelcnn++" else {}
    decoder = tiny_image_model(
        kind, colours=1, distribution=distribution, gain=0.7, **scales
    ).decoder
    second = torch.arange(256, dtype=torch.uint8)
    with torch.no_grad():
        totals = (
            [
                decoder.log_prob(
                    torch.stack((torch.full_like(second, first), second), 1).view(-1, 1, 1, 2)
                ).sum((1, 2))
                for first in range(0, 256, 1)
            ]
            if kind != "diagonal-bilstm"
            else [
                decoder.log_prob(torch.cartesian_prod(second, second).view(-1, 1, 1, 2)).sum((1, 2))
            ]
        )
    assert torch.cat(totals).double().logsumexp(0).item() == pytest.approx(0.0, abs=1e-4)


@pytest.mark.parametrize("kind", RASTER)
def test_completion_keeps_what_is_known_and_scores_like_the_model(kind):
    model = tiny_image_model(kind)
    images = random_images(model, 2)
    known = torch.zeros(8, 8, dtype=torch.bool)
    known[:4] = True
    known[6, 3] = True
    completed = model.complete(images, known, generator=seeded(4))
    assert torch.equal(completed.images[:, :, known], images[:, :, known])
    assert not torch.equal(completed.images[0, :, ~known], images[0, :, ~known])
    with torch.no_grad():
        assert torch.allclose(model.log_prob(completed.images), completed.log_prob, atol=1e-4)
