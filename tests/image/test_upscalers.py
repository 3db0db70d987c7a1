"""Groups, type-A and type-B upscalers: inverse pairs, exact dependencies, sampler = scorer."""

from __future__ import annotations

import itertools

import pytest
import torch

from pixelpush.errors import InputError
from pixelpush.image.groups import merge_groups, split_groups, subsample
from pixelpush.image.heads import DISTRIBUTIONS, ChannelSoftmaxHead, HeadSettings
from pixelpush.image.upscalers import (
    GroupSettings,
    PatchGroupNetwork,
    TypeAUpscaler,
    TypeBUpscaler,
    Upscaler,
)


def tiny_upscaler(
    kind: str,
    first: int = 2,
    distribution: str = "softmax",
    centred: bool = False,
    gain: float = 0.3,
) -> Upscaler:
    torch.manual_seed(0)
    extra = {"patch": 2, "patch_layers": 3} if kind == "B" else {}
    make = {"A": TypeAUpscaler, "B": TypeBUpscaler}[kind]
    upscaler = make(
        GroupSettings(conditioning=2, colours=3, channels=8, blocks=2),
        lambda: DISTRIBUTIONS[distribution].build(HeadSettings(8, 3, 2, 8, centred)),
        first,
        **extra,
    )
    with torch.no_grad():
        for parameter in upscaler.parameters():
            parameter.add_(torch.randn_like(parameter) * gain)
    return upscaler.eval()


def noise_image(*size: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(
        0, 256, size, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed)
    )


def test_groups_are_corners_and_merge_undoes_split():
    image = torch.arange(2 * 3 * 6 * 8).view(2, 3, 6, 8)
    groups = split_groups(image)
    assert torch.equal(merge_groups(groups), image)
    corners = [int(group[0, 0, 1, 2]) for group in groups]
    assert corners == [
        int(image[0, 0, row, column]) for row, column in [(2, 4), (2, 5), (3, 4), (3, 5)]
    ]
    assert torch.equal(subsample(image), groups[0])
    assert torch.equal(subsample(image[..., :8, :8], 0), image)
    with pytest.raises(InputError, match="5x4"):
        split_groups(torch.zeros(5, 4))


def test_patches_only_move_data():
    network = PatchGroupNetwork(
        known=1,
        settings=GroupSettings(conditioning=2, colours=3, channels=8, blocks=1),
        head=ChannelSoftmaxHead(8, 3, hidden=8),
        patch=4,
        patch_layers=2,
    )
    maps = torch.arange(2 * 5 * 8 * 12.0).view(2, 5, 8, 12)
    patches = network.split(maps)
    assert patches.shape == (2 * 2 * 3, 5, 4, 4)
    assert torch.equal(patches[4], maps[0, :, 4:8, 4:8])
    assert torch.equal(network.merge(patches, 8, 12), maps)
    with pytest.raises(InputError, match="6x8"):
        network.split(torch.zeros(1, 5, 6, 8))


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("distribution", ["softmax", "logistic"])
@pytest.mark.parametrize("first", [1, 2])
@pytest.mark.parametrize("kind", ["A", "B"])
def test_the_sampler_scores_what_it_draws(kind, first, distribution, centred):
    # Larger weights make a model in which rounding of 1e-7 at its inputs moves a pixel by 6e-4
    # nats.
    upscaler = tiny_upscaler(kind, first, distribution, centred, gain=0.1)
    given = None if first == 1 else noise_image(2, 3, 4, 4)
    conditioning = torch.randn(2, 2, 4, 4, generator=torch.Generator().manual_seed(1))
    uniforms = torch.rand(
        2, upscaler.uniforms_per_pixel, 8, 8, generator=torch.Generator().manual_seed(2)
    )
    centre = noise_image(2, 3, 8, 8, seed=3) if centred else None
    with torch.no_grad():
        image, nats = upscaler.sample(given, conditioning, uniforms, centre, 0.8)
        assert torch.allclose(upscaler.log_prob(image, conditioning, centre), nats, atol=1e-4)
    if given is not None:
        assert torch.equal(subsample(image), given)
        assert (nats[:, ::2, ::2] == 0).all()
    assert (nats <= 0).all()
    assert nats[:, 1::2, 1::2].mean() < -0.1


def group_of(row: int, column: int) -> int:
    return 2 * (row % 2) + column % 2


@pytest.mark.parametrize("kind", ["A", "B"])
def test_a_pixel_moves_exactly_its_dependents(kind):
    """Type A: itself and every pixel of a later group. Type B: also the later pixels of its group
    in its patch."""
    upscaler = tiny_upscaler(kind, first=1).double()
    image, conditioning = noise_image(1, 3, 8, 8), torch.zeros(1, 2, 4, 4, dtype=torch.float64)
    with torch.no_grad():
        before = upscaler.log_prob(image, conditioning)[0]
        for row, column in itertools.product(range(8), range(8)):
            changed = image.clone()
            changed[0, 0, row, column] ^= 128
            moved = upscaler.log_prob(changed, conditioning)[0] != before
            for r, c in itertools.product(range(8), range(8)):
                group, other = group_of(row, column), group_of(r, c)
                if group == other:
                    same_patch = kind == "B" and (r // 4, c // 4) == (row // 4, column // 4)
                    expected = (r, c) == (row, column) or (same_patch and (r, c) > (row, column))
                else:
                    expected = other > group
                assert moved[r, c] == expected, (row, column, r, c)


def test_evaluations_are_counted():
    assert tiny_upscaler("A").evaluations == 3 * 3
    assert tiny_upscaler("A", first=1, distribution="logistic").evaluations == 4
    assert tiny_upscaler("B").evaluations == 3 * 4 * 3
