"""The judge's arithmetic, on maps that are known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import torch

from experiments.captions_followed import Asked, colour_cells, conditions, followed, judged
from pixelpush.datasets.objects.captions import Named
from pixelpush.image.conditioning import ConditionConfig

RED, BLUE = 0, 4


def cells(left: int, right: int) -> np.ndarray:
    """Maps with one colour on the left and one on the right."""
    found = np.zeros((16, 16), int)
    found[6:9, 2:5] = left
    found[6:9, 11:14] = right
    return found


def test_colours_and_places_are_told_apart():
    red_left = Asked((Named(4, RED, 0.2, 0.5), Named(9, BLUE, 0.8, 0.5)), 0)
    assert judged(red_left, cells(1 + RED, 1 + BLUE)) == (True, True)
    assert judged(red_left, cells(1 + BLUE, 1 + RED)) == (True, False)
    assert judged(red_left, cells(1 + RED, 0)) == (False, False)
    shares = followed([red_left] * 2, np.stack([cells(1, 5), cells(5, 1)]))
    assert shares == {"colours": 1.0, "places": 0.5}


def test_a_single_object_has_a_place_of_its_own():
    alone = Asked((Named(4, RED, 0.2, 0.5),), 0)
    assert judged(alone, cells(1 + RED, 0)) == (True, True)
    assert judged(alone, cells(0, 1 + RED)) == (True, False)


def test_the_truth_is_read_from_masks():
    masks = np.zeros((32, 32), np.uint8)
    masks[:, 16:] = 1
    about = {"colours": np.array([BLUE, -1, -1, -1], np.int16), "masks": masks}
    found = colour_cells(about)
    assert found.shape == (16, 16)
    assert (found[:, :8] == 0).all()
    assert (found[:, 8:] == 1 + BLUE).all()


def test_samples_are_drawn_from_captions_alone_and_with_masks():
    """Parts and class stay unknown; the masks are those of the images."""
    config = ConditionConfig(classes=3, captions=True, structure=5, structure_parts=2, dropout=0.5)
    model = SimpleNamespace(conditioning=config)
    texts, maps = torch.ones(2, 201, dtype=torch.uint8), torch.ones(2, 5, 32, 32)
    found = conditions(model, texts, maps)
    assert list(found["caption alone"].parts()) == ["captions"]
    both = found["caption and masks"]
    assert both.classes is None
    assert both.structure[:, :, 0, 0].tolist() == [[-1, -1, 1, 1, 1]] * 2
