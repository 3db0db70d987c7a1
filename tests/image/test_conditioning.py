"""Conditions: encoding, checks, and that the right condition is worth nats to a trained model."""

from __future__ import annotations

import pytest
import torch
from tiny_images import CONDITIONED, KINDS, random_condition, random_images, tiny_image_model

from pixelpush.errors import InputError
from pixelpush.image import Condition, build_image_model, encode_caption
from pixelpush.image.captions import CAPTION_LENGTH, UNKNOWN
from pixelpush.image.conditioning import (
    ConditionConfig,
    ConditionEncoder,
    Encoded,
)


def test_captions_become_201_characters():
    numbers = encode_caption("A Red\n  bird é.")
    assert len(numbers) == CAPTION_LENGTH
    assert numbers[:5] == [1, numbers[1], 18, 5, 4]
    assert numbers[11] == UNKNOWN
    assert set(numbers[13:]) == {0}
    assert encode_caption("x" * 300, truncate=True) == [24] * 201
    with pytest.raises(InputError, match="300 characters"):
        encode_caption("x" * 300)


def test_an_encoding_is_resized_and_concatenated():
    maps = torch.arange(32.0).view(1, 1, 1, 32).expand(1, 1, 32, 32)
    grid = Encoded(torch.tensor([[7.0, 8.0]]), maps).on_grid(16, 16)
    assert grid is not None
    assert grid.shape == (1, 3, 16, 16)
    assert torch.allclose(grid[0, 0, 3], torch.arange(16) * 2 + 0.5)
    assert (grid[0, 1] == 7).all()
    assert Encoded(None, None).on_grid(4, 4) is None


@pytest.mark.parametrize("part", ["classes", "captions", "structure"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_part_reaches_every_pixel(kind, part):
    """In double precision, so that no influence drowns."""
    model = tiny_image_model(kind, gain=1.5, **CONDITIONED).double()
    images, condition = random_images(model, 1), random_condition(1)
    parts = {name: value.clone() for name, value in condition.parts().items()}
    parts["classes" if part == "classes" else part] = (
        (parts["classes"] + 1) % 3
        if part == "classes"
        else 39 - parts["captions"]
        if part == "captions"
        else 1 - parts["structure"]
    )
    with torch.no_grad():
        before, after = (model.log_prob(images, c) for c in (condition, Condition(**parts)))
    assert (before != after).all()


def test_mistakes_are_named():
    model = tiny_image_model("pixelcnn", classes=3)
    images = random_images(model, 2)
    for condition, message in [
        (None, "needs classes"),
        (Condition(classes=torch.tensor([0, 3])), "from 0 to 3; this model knows 0 to 2"),
        (Condition(classes=torch.tensor([0, -1])), "from -1"),
        (Condition(classes=torch.tensor([0])), r"should be \(2,\)"),
        (Condition(torch.tensor([0, 1]), torch.zeros(2, 201)), "takes no captions"),
    ]:
        with pytest.raises(InputError, match=message):
            model.log_prob(images, condition)
    with pytest.raises(InputError, match=r"\(N, 3, 8, 8\), got \(2, 3, 8, 7\)"):
        model.log_prob(images[..., :7], Condition(classes=torch.tensor([0, 1])))
    with pytest.raises(InputError, match="uint8"):
        model.log_prob(images.float(), Condition(classes=torch.tensor([0, 1])))
    with pytest.raises(InputError, match="temperature"):
        model.sample(1, Condition(classes=torch.tensor([0])), temperature=-1.0)


def patterned(count: int, kind: str) -> tuple[torch.Tensor, Condition]:
    """8x8 grey images whose content is a function of the condition."""
    generator = torch.Generator().manual_seed(1)
    labels = torch.randint(0, 3, (count,), generator=generator)
    noise = torch.randint(-6, 7, (count, 1, 8, 8), generator=generator)
    if kind == "classes":
        return (40 + 80 * labels.view(-1, 1, 1, 1) + noise).to(torch.uint8), Condition(
            classes=labels
        )
    if kind == "captions":
        texts = [
            encode_caption(["a dark bird", "a grey bird", "a bright bird"][label])
            for label in labels
        ]
        return (40 + 80 * labels.view(-1, 1, 1, 1) + noise).to(torch.uint8), Condition(
            captions=torch.tensor(texts)
        )
    places = torch.randint(0, 2, (count, 2), generator=generator) * 4
    maps, images = torch.zeros(count, 1, 32, 32), torch.full((count, 1, 8, 8), 30) + noise
    for index, (row, column) in enumerate(places.tolist()):
        maps[index, 0, row * 4 : row * 4 + 16, column * 4 : column * 4 + 16] = 1
        images[index, 0, row : row + 4, column : column + 4] += 150
    return images.to(torch.uint8), Condition(structure=maps)


@pytest.mark.parametrize("part", ["classes", "captions", "structure"])
@pytest.mark.parametrize("kind", ["gated-pixelcnn", "multiscale-pixelcnn"])
def test_a_trained_model_prefers_the_right_condition(kind, part):
    """A few dozen steps, then the right condition is worth at least 3 nats an image over a shuffled
    one."""
    torch.manual_seed(0)
    settings = {
        "classes": {"classes": 3},
        "captions": {"captions": True},
        "structure": {"structure": 1},
    }[part]
    small = {
        "channels": 12,
        "base_layers": 2,
        "blocks": 1,
        "base_size": 4,
        "patch_layers": 2,
        "patch": 2,
        "crop": 8,
    }
    sizes = small if kind == "multiscale-pixelcnn" else {"channels": 12, "layers": 3}
    model = build_image_model(
        kind,
        image_size=8,
        colours=1,
        distribution="logistic",
        components=3,
        condition_channels=12,
        condition_layers=2,
        **settings,
        **sizes,
    )
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    images, condition = patterned(32, part)
    for _ in range(100 if part == "captions" else 40):
        optimizer.zero_grad()
        model(images, condition)["loss"].backward()
        optimizer.step()
    shuffled = condition[torch.arange(32).roll(1)]
    with torch.no_grad():
        right, wrong = (model.log_prob(images, c).sum((1, 2)).mean() for c in (condition, shuffled))
    assert right > wrong + 3


def optional(**overrides) -> ConditionConfig:
    sizes = {"classes": 3, "captions": True, "structure": 5, "channels": 4, "layers": 2}
    return ConditionConfig(**{**sizes, "dropout": 0.5, "structure_parts": 2, **overrides})


def some_condition(count: int) -> Condition:
    return Condition(
        torch.arange(count) % 3,
        torch.full((count, 201), 7),
        torch.ones(count, 5, 32, 32, dtype=torch.uint8),
    )


def test_any_subset_will_do_where_parts_are_optional():
    config = optional()
    filled = config.check(Condition(classes=torch.tensor([1, 2])), 2)
    assert filled.classes.tolist() == [1, 2]
    assert (filled.captions == 0).all()
    assert (filled.structure == -1).all()
    assert config.check(None, 1).classes.tolist() == [3]
    with pytest.raises(InputError, match="knows 0 to 2"):
        config.check(Condition(classes=torch.tensor([3])), 1)
    with pytest.raises(InputError, match="needs captions"):
        optional(dropout=0.0).check(Condition(classes=torch.tensor([1])), 1)


def test_parts_are_dropped_apart_and_as_often_as_configured():
    config, count = optional(dropout=0.25), 4000
    torch.manual_seed(0)
    left = config.dropped(some_condition(count))
    gone = torch.stack(
        [
            left.classes == 3,
            (left.captions == 0).all(1),
            (left.structure[:, :2] == -1).flatten(1).all(1),
            (left.structure[:, 2:] == -1).flatten(1).all(1),
        ]
    ).float()
    # Each within five standard errors of a quarter; pairs within five of a sixteenth.
    assert (gone.mean(1) - 0.25).abs().max() < 5 * (0.25 * 0.75 / count) ** 0.5
    pairs = (gone @ gone.T / count)[~torch.eye(4, dtype=torch.bool)]
    assert (pairs - 1 / 16).abs().max() < 5 * (1 / 16 / count) ** 0.5
    kept = left.structure[:, 2:][gone[3] == 0]
    assert (kept == 1).all()


def test_what_is_left_out_differs_from_nothing_there():
    encoder = ConditionEncoder(optional())
    nothing = some_condition(1).structure * 0
    with torch.no_grad():
        empty = encoder(optional().check(Condition(structure=nothing), 1)).maps
        unknown = encoder(optional().check(None, 1)).maps
    assert (empty - unknown).abs().max() > 1e-3


def test_dropout_acts_in_training_and_never_in_scoring():
    torch.manual_seed(0)
    model = build_image_model(
        "gated-pixelcnn", image_size=4, channels=4, layers=1, head_hidden=4, classes=3,
        condition_channels=4, condition_dropout=0.5,
    )  # fmt: skip
    images = torch.randint(0, 256, (2, 3, 4, 4), dtype=torch.uint8)
    condition = Condition(classes=torch.tensor([0, 1]))
    with torch.no_grad():
        exact = -model.log_prob(images, condition).mean().item() / 3
        losses = {round(model(images, condition)["loss"].item(), 5) for _ in range(20)}
        assert model.log_prob(images, condition).mean().item() / -3 == exact
    assert len(losses) > 1


def test_settings_of_dropout_are_checked():
    for settings, message in [
        ({"condition_dropout": 1.0}, "condition_dropout must be below 1"),
        ({"structure": 2, "structure_parts": 3}, "more than the 2 maps"),
    ]:
        with pytest.raises(InputError, match=message):
            build_image_model("pixelcnn", **settings)


def test_a_caption_of_other_letters_is_refused_only_where_asked():
    with pytest.raises(InputError, match="has 'ü'"):
        encode_caption("a müg", strict=True)
    assert UNKNOWN in encode_caption("a müg")
