"""Conditions that a user spells out, and pictures of the objects' model."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from pixelpush.datasets.objects.names import KINDS, PARTS
from pixelpush.datasets.objects.prepare import ensure_images
from pixelpush.errors import InputError
from pixelpush.eval.images.asked import asked_rows, mask_maps, together
from pixelpush.eval.images.sample import draw_picture
from pixelpush.eval.images.settings import PictureSettings
from pixelpush.image import ImageModel, build_image_model, encode_caption
from pixelpush.saved import save_model

DATA = "sim-objects"


@pytest.fixture(scope="module")
def model() -> ImageModel:
    torch.manual_seed(0)
    sizes = {"channels": 4, "base_layers": 1, "widening": 1, "blocks": 1, "patch_layers": 1}
    return build_image_model(
        "objects-multiscale", condition_channels=4, condition_layers=0, **sizes
    )


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    """A data root with four images of the objects."""
    root = tmp_path_factory.mktemp("data")
    ensure_images("val", 32, 4, root=root)
    return root


def test_what_is_said_is_what_the_model_is_told(model, tmp_path):
    cells = np.zeros((32, 32), np.uint8)
    cells[:16] = 1 + KINDS.index("mug")
    mask = tmp_path / "mask.png"
    cv2.imwrite(str(mask), cells)
    settings = PictureSettings(
        labels=("mug", "7"), captions=("A red mug",), parts=("handle=0.25,0.75",), mask=mask
    )
    rows = asked_rows(model, DATA, settings)
    assert [row.words for row in rows] == ["mug: A red mug", "brush: A red mug"]
    told = together(rows, 3)
    assert told.classes.tolist() == [4, 4, 4, 7, 7, 7]
    assert told.captions.tolist() == [encode_caption("a red mug")] * 6
    maps = told.structure[0]
    assert maps[: len(PARTS)].nonzero().tolist() == [[PARTS.index("handle"), 24, 8]]
    assert np.array_equal(maps[len(PARTS) + 4].numpy(), cells > 0)
    assert maps[len(PARTS) :].sum() == 16 * 32


def test_what_is_not_said_is_left_out(model):
    told = together(asked_rows(model, DATA, PictureSettings(parts=("tip=0.5,0.5",))), 1)
    assert told.classes is None
    assert told.captions is None
    assert (told.structure[0, len(PARTS) :] == -1).all()
    assert (told.structure[0, : len(PARTS)] >= 0).all()


def test_mistakes_are_named(model, tmp_path):
    small = tmp_path / "small.png"
    cv2.imwrite(str(small), np.zeros((16, 32), np.uint8))
    for changes, message in [
        ({"labels": ("teapot",)}, "--label teapot: no such class; give block, can, .* 0 to 19"),
        ({"labels": ("20",)}, "no such class"),
        ({"captions": ("a m\u00fcg",)}, "has '\u00fc'; captions are of English letters"),
        ({"captions": ("mug " * 51,)}, "is longer than 201"),
        ({"captions": (" ",)}, "is empty"),
        ({"parts": ("spout=0.5,0.5",)}, "no part 'spout'; there are centre, top"),
        ({"parts": ("tip=0.5",)}, "come x and y as shares"),
        ({"parts": ("tip=0.5,1.5",)}, "come x and y as shares"),
        ({"mask": small}, "is 32x16 pixels; masks are 32x32"),
        ({"mask": tmp_path / "none.png"}, "no such file"),
    ]:
        with pytest.raises(InputError, match=message):
            asked_rows(model, DATA, PictureSettings(**changes))
    wrong = tmp_path / "wrong.png"
    cv2.imwrite(str(wrong), np.full((32, 32), 21, np.uint8))
    with pytest.raises(InputError, match=r"has a pixel of 21; .* 1 to 20"):
        mask_maps(wrong, 20)


@pytest.mark.parametrize(
    "settings",
    [
        PictureSettings(use=("caption",), rows=2, samples=1),
        PictureSettings(kind="strip", use=("masks",), rows=1),
        PictureSettings(kind="layouts", rows=1),
        PictureSettings(kind="upscale", rows=1, samples=1, given=16),
        PictureSettings(captions=("a red mug", "a blue mug"), samples=1),
    ],
    ids=lambda settings: settings.kind,
)
def test_every_kind_of_picture_is_drawn(settings, model, objects, tmp_path, monkeypatch):
    monkeypatch.setenv("PIXELPUSH_DATA", str(objects))
    save_model(model, tmp_path / "model")
    chosen = PictureSettings(**{**vars(settings), "data": DATA})
    draw_picture(str(tmp_path / "model"), tmp_path / "a.png", chosen, "cpu")
    assert cv2.imread(str(tmp_path / "a.png")).std() > 5


def test_layouts_move_what_is_known(model, objects, monkeypatch):
    monkeypatch.setenv("PIXELPUSH_DATA", str(objects))
    from pixelpush.eval.images.sample import _moved

    settings = PictureSettings(rows=1, use=("masks",), data=DATA)
    row = asked_rows(model, DATA, settings)[0]
    moved = _moved(row, (0.25, -0.25))
    before, after = row.condition.structure, moved.condition.structure
    assert torch.equal(after[..., :24, 8:], before[..., 8:, :24])
    assert (after[:, : len(PARTS)] == -1).all()
    assert (after[:, len(PARTS) :, 24:] == 0).all()
