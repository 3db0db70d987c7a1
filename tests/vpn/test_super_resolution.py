"""The law for both super-resolution steps, and what rendering a rollout large needs."""

from __future__ import annotations

import itertools

import pytest
import torch
from tiny import depends, fill

from pixelpush.errors import InputError
from pixelpush.image.heads import BernoulliHead
from pixelpush.vpn import build_upscaler, load_model, save_model, upscale_video
from pixelpush.vpn.super_resolution import remembered, shrink


def tiny_upscaler(size: int = 8, **overrides):
    model = build_upscaler(size, **{"channels": 8, "blocks": 1, "components": 2, **overrides})
    fill(model, 1.2)
    return model.eval()


def random_frames(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(
        0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed)
    )


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("size", [8, 16])
def test_sampler_is_scorer(size, known):
    model = tiny_upscaler(size)
    small, previous = (
        random_frames(3, 3, size // 2, size // 2),
        random_frames(3, 3, size, size, seed=1),
    )
    uniforms = torch.rand(3, 4, size, size, generator=torch.Generator().manual_seed(2))
    first = random_frames(3, 3, size, size, seed=3) if known else None
    large, score = model.sample(small, previous, uniforms, first=first)
    with torch.no_grad():
        nats = model.log_prob(large, small, previous, first)
    torch.testing.assert_close(nats, score, rtol=0, atol=1e-4)


def test_one_sub_pixel_moves_exactly_the_later_groups():
    model = tiny_upscaler()
    large, small, previous = (
        random_frames(1, 3, 8, 8),
        random_frames(1, 3, 4, 4),
        random_frames(1, 3, 8, 8, seed=1),
    )
    with torch.no_grad():
        before = model.log_prob(large, small, previous)[0]
        for row, column in [(0, 0), (2, 5), (5, 2), (7, 7)]:
            changed = large.clone()
            changed[0, 1, row, column] ^= 128
            moved = model.log_prob(changed, small, previous)[0] != before
            assert torch.equal(moved, depends("ot", 8, 2, row, column))


def test_probabilities_of_all_tiny_images_sum_to_one():
    model = tiny_upscaler(4, colours=1)
    for network in model.groups.networks:
        network.head = BernoulliHead(8)
    images = torch.tensor(list(itertools.product((0, 255), repeat=16)), dtype=torch.uint8).view(
        -1, 1, 4, 4
    )
    small, previous = random_frames(1, 1, 2, 2), random_frames(1, 1, 4, 4)
    with torch.no_grad():
        past = small.expand(len(images), -1, -1, -1), previous.expand(len(images), -1, -1, -1)
        total = model.log_prob(images, *past).double().sum((1, 2)).exp().sum()
    assert abs(float(total) - 1) < 1e-4


def test_a_video_is_rendered_at_four_times_the_size_sample_by_sample():
    models = [tiny_upscaler(8), tiny_upscaler(16)]
    video, first = random_frames(2, 3, 3, 4, 4), random_frames(2, 3, 16, 16, seed=1)
    streams = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    large = upscale_video(models, video, first, streams)
    assert large.shape == (2, 3, 3, 16, 16)
    alone = upscale_video(models, video[1:], first[1:], [torch.Generator().manual_seed(2)])
    assert torch.equal(large[1:], alone)
    assert upscale_video(models, video).shape == large.shape


def test_what_has_not_changed_is_read_in_the_first_frame():
    first = random_frames(1, 3, 8, 8)
    small = shrink(first)
    frayed = first ^ 1  # as the small frame still, but not to the level
    assert torch.equal(remembered(small, frayed, first), first)
    small[0, 1, 2, 3] ^= 64  # something came here, and the frame before shows it already
    moved = frayed.clone()
    moved[0, :, 4:6, 6:8] = small[0, :, 2, 3, None, None]
    expected = first.clone()
    expected[0, :, 4:6, 6:8] = moved[0, :, 4:6, 6:8]
    assert torch.equal(remembered(small, moved, first), expected)


def test_shrink_is_the_rounded_area_mean():
    frames = random_frames(2, 3, 6, 6)
    slow = torch.nn.functional.avg_pool2d(frames.double(), 2)
    assert torch.equal(shrink(frames), (slow + 0.5).floor().to(torch.uint8))


def test_saved_upscaler_and_wrong_shapes(tmp_path):
    model = tiny_upscaler()
    save_model(model, tmp_path / "saved")
    loaded = load_model(tmp_path / "saved", family="upscaler")
    large, small = random_frames(1, 3, 8, 8), random_frames(1, 3, 4, 4)
    with torch.no_grad():
        assert torch.equal(
            loaded.log_prob(large, small, large), model.log_prob(large, small, large)
        )
    with pytest.raises(InputError, match="twice the size"):
        model.log_prob(large, large, large)
    with pytest.raises(InputError, match="a super-resolution model, not a video model"):
        load_model(tmp_path / "saved", family="video")
