"""What false conditions cost: known exactly for a model whose likelihood is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from pixelpush.datasets.image_sets import ImageArrays, ImageExample
from pixelpush.errors import InputError
from pixelpush.eval.images.conditions import ANOTHER, NONE, Lie, another, listen, swapped
from pixelpush.eval.images.report import conditions_text
from pixelpush.image import build_image_model, encode_caption

SIZE = 4


class Told:
    """Images of one grey level, which class, caption, parts and masks tell: a set of four."""

    name, classes, structure, has_captions, content_sha256 = "told", 4, 3, True, "told"
    texts = ("a red mug", "a blue mug", "a red can", "a blue can")

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> ImageExample:
        structure = np.zeros((3, 32, 32), np.uint8)
        structure[:, 0, index] = 1
        image = np.full((3, SIZE, SIZE), 10 * index, np.uint8)
        return ImageExample(str(index), image, index, (self.texts[index],), structure)


def told_model(counted: dict[str, float]):
    """A model of which an image costs, for each part of the condition that is not its own, so many
    nats; a left-out part costs half of that."""
    model = build_image_model(
        "multiscale-pixelcnn",
        image_size=SIZE,
        base_size=SIZE,
        channels=4,
        base_layers=1,
        condition_channels=4,
        condition_layers=0,
        classes=4,
        captions=True,
        structure=3,
        structure_parts=1,
        condition_dropout=0.5,
        distribution="logistic",
    )
    captions = torch.tensor([encode_caption(text) for text in Told.texts])

    def part_cost(nats: float, own: torch.Tensor, given: torch.Tensor, unknown: torch.Tensor):
        same = (given == own).view(len(given), -1).all(1)
        missing = (given == unknown).view(len(given), -1).all(1)
        return torch.where(same, 0.0, torch.where(missing, nats / 2, nats))

    def score(images, condition):
        numbers = images[:, 0, 0, 0].long() // 10
        maps = torch.stack(
            [torch.from_numpy(Told()[int(n)].structure).to(torch.int8) for n in numbers]
        )
        nothing = model.conditioning.unknown(len(images))
        given = condition.structure.to(torch.int8)
        total = (
            part_cost(counted["class"], numbers, condition.classes, nothing.classes)
            + part_cost(
                counted["caption"], captions[numbers], condition.captions.long(), nothing.captions
            )
            + part_cost(counted["parts"], maps[:, :1], given[:, :1], torch.tensor(-1))
            + part_cost(counted["masks"], maps[:, 1:], given[:, 1:], torch.tensor(-1))
        )
        return -(total / SIZE**2)[:, None, None].expand(-1, SIZE, SIZE)

    model.score = score
    return model


def test_every_lie_costs_what_the_model_says():
    nats = {"class": 16.0, "caption": 32.0, "parts": 64.0, "masks": 128.0}
    found = listen(told_model(nats), Told(), "told-model", 4, batch_size=3)
    assert found.true == pytest.approx(0)
    costs = {heard.lie: heard.cost for heard in found.heard}
    for part, cost in nats.items():
        for alone in (False, True):
            assert costs[Lie(part, ANOTHER, alone)] == pytest.approx(cost)
            assert costs[Lie(part, NONE, alone)] == pytest.approx(cost / 2)
    assert costs[Lie("caption", "another colour word")] == pytest.approx(32)
    assert costs[Lie("caption", "another kind word", alone=True)] == pytest.approx(32)
    assert Lie("caption", "another side word") not in costs  # no caption has one
    assert costs[Lie("everything", ANOTHER)] == pytest.approx(sum(nats.values()))
    assert costs[Lie("everything", NONE)] == pytest.approx(sum(nats.values()) / 2)
    assert "masks alone: left out" in conditions_text(found)


def test_a_standard_error_is_over_images():
    nats = {"class": 16.0, "caption": 0.0, "parts": 0.0, "masks": 0.0}
    model = told_model(nats)
    score = model.score
    # The cost of image n is now n times as large.
    model.score = lambda images, condition: (
        score(images, condition) * (images[:, 0, 0, 0] // 10)[:, None, None]
    )
    found = listen(model, Told(), "told-model", 4)
    heard = next(heard for heard in found.heard if heard.lie == Lie("class", ANOTHER))
    costs = 16 * np.arange(4)
    assert heard.cost == pytest.approx(costs.mean())
    assert heard.error == pytest.approx(costs.std(ddof=1) / math.sqrt(4))


def test_another_is_the_next_one_that_differs():
    rows, others = another(torch.tensor([[1], [1], [2], [1]]))
    assert rows.tolist() == [0, 1, 2, 3]
    assert others.tolist() == [2, 2, 3, 2]
    assert [len(part) for part in another(torch.tensor([7, 7]))] == [0, 0]


def test_words_are_swapped_as_words():
    assert swapped("an orange mug, orangey", ("orange", "red")) == "a red mug, orangey"
    assert swapped("to the left of it", ("left", "right")) == "to the right of it"


def test_what_cannot_be_listened_to_is_refused():
    plain = build_image_model(
        "multiscale-pixelcnn", image_size=SIZE, base_size=SIZE, channels=4, base_layers=1
    )
    images = ImageArrays("plain", np.zeros((4, 3, SIZE, SIZE), np.uint8))
    with pytest.raises(InputError, match="no condition to listen to"):
        listen(plain, images, "plain", 4)
    nothing = {"class": 0.0, "caption": 0.0, "parts": 0.0, "masks": 0.0}
    with pytest.raises(InputError, match="needs two images"):
        listen(told_model(nothing), Told(), "told", 1)
