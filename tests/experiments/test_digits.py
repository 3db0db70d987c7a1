"""The shipped models of MNIST, and the digits drawn here that they are shown."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
import torch
from flat_options import build

from experiments import images as pictures
from experiments.digits import drawn_digits, write_digits
from pixelpush.cli.nll import NllOptions, nll
from pixelpush.cli.sample import SampleOptions, sample
from pixelpush.datasets.image_sets import open_images
from pixelpush.eval.likelihood.runs import run_facts
from pixelpush.image import ImageModel
from pixelpush.saved import SHIPPED, WEIGHTS
from pixelpush.vpn import load_model

# Mean nats of the ten drawn digits, measured when the weights were published.
NATS = {
    "mnist-small-pixelcnn": 66.601,
    "mnist-small-gated-pixelcnn": 66.172,
    "mnist-small-row-lstm": 62.621,
    "mnist-small-multiscale": 67.102,
}


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A data root in which the drawn digits stand for MNIST."""
    (tmp_path / "mnist").mkdir()
    write_digits(tmp_path / "mnist")
    monkeypatch.setenv("PIXELPUSH_DATA", str(tmp_path))
    return tmp_path


def nats(model: ImageModel, images: np.ndarray) -> float:
    with torch.no_grad():
        return -model.log_prob(torch.from_numpy(images)).double().sum(dim=(1, 2)).mean().item()


def test_the_digits_that_are_written_are_those_that_are_drawn(tmp_path):
    digits = open_images(write_digits(tmp_path), "test")
    read = np.stack([digits[number].image for number in range(len(digits))])
    assert np.array_equal(read, drawn_digits()[:, None])
    assert [digits[number].label for number in range(len(digits))] == list(range(10))
    # Every one is another, and as much of it is ink as of handwriting: a twentieth to a fifth.
    assert len({image.tobytes() for image in read}) == 10
    ink = (read > 0).mean(axis=(1, 2, 3))
    assert 0.05 < ink.min() < ink.max() < 0.2


def test_every_model_that_is_drawn_is_pinned():
    assert set(pictures.DIGITS.values()) == set(NATS)


@pytest.mark.parametrize("name", NATS)
def test_a_shipped_model_says_of_digits_what_it_said_when_it_was_published(name):
    model = load_model(name, "cpu", family="image")
    digits = drawn_digits()[:, None]
    assert nats(model, digits) == pytest.approx(NATS[name], abs=0.01)
    # It has learnt digits, not only black: their negatives and mirrored ones are less likely.
    assert nats(model, 255 - digits) > 2 * NATS[name]
    assert nats(model, np.ascontiguousarray(digits[..., ::-1])) > NATS[name] + 5
    assert run_facts(name).data == "mnist"


@pytest.mark.parametrize("name", NATS)
def test_a_shipped_model_is_small_and_has_a_card(name):
    assert (SHIPPED / name / WEIGHTS).stat().st_size < 500_000
    card = (SHIPPED / name / "README.md").read_text()
    assert f"# {name}\n" in card
    assert 'datasets: ["mnist"]' in card


def test_a_name_is_enough_to_score(root):
    name = "mnist-small-multiscale"
    nll(NllOptions(model=name, json=root / "a.json", quiet=True))
    (found,) = json.loads((root / "a.json").read_text())["models"]
    assert found["splits"]["test"]["nats_per_image"] == pytest.approx(NATS[name], abs=0.01)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("mnist-small-gated-pixelcnn", "complete"), ("mnist-small-multiscale", "upscale")],
)
def test_a_name_is_enough_for_a_picture(root, name, kind):
    asked = {"kind": kind, "rows": 1, "samples": 2, "given": 7, "split": "test"}
    sample(build(SampleOptions, model=name, out=root / "a.png", **asked))
    picture = cv2.imread(str(root / "a.png"))
    # Two samples beside what is given and the whole digit, each of them enlarged.
    assert picture.shape[1] > 4 * 5 * 28
    assert picture.std() > 5


def test_pictures_of_digits_are_drawn(tmp_path, monkeypatch):
    name = "mnist-small-multiscale"  # its samples take the least time
    of_it = {file: made for file, made in pictures.DIGIT_PICTURES.items() if made[0] == name}
    monkeypatch.setattr(pictures, "DIGITS", {"Multiscale PixelCNN": name})
    monkeypatch.setattr(pictures, "DIGIT_PICTURES", of_it)
    pictures.draw_digits(tmp_path, 1.0, samples=2)
    written = sorted(path.stem for path in tmp_path.iterdir())
    assert written == ["digits", "digits-scales", "digits-super-resolution-7"]
    for path in tmp_path.iterdir():
        assert cv2.imread(str(path)).std() > 5
