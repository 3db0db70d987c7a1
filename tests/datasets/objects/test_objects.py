"""Images, labels, captions and the store of sim-objects."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from pixelpush.datasets.image_sets import ImageSet, open_images
from pixelpush.datasets.objects.captions import Named, captions, relation
from pixelpush.datasets.objects.generate import generate_image
from pixelpush.datasets.objects.names import COLOURS, KINDS, NAME, PARTS
from pixelpush.datasets.objects.prepare import ensure_images
from pixelpush.datasets.objects.renderer import GRID, ObjectRenderer
from pixelpush.datasets.objects.scenes import build_scene, layout_of
from pixelpush.datasets.records import content_hash
from pixelpush.datasets.sim.noise import ENTROPY
from pixelpush.errors import InputError
from pixelpush.image import encode_caption

# Of train image 0 at 32 pixels, version 1: another hash is another data set (raise VERSION).
GOLDEN = "91349335e0fe506c7f5aaf7626873e2b3b46910647c9e55c7446dc355f80508f"
COUNT = 6


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A data root with a few images of val and train at 32 pixels."""
    folder = tmp_path_factory.mktemp("data")
    for split in ("train", "val"):
        ensure_images(split, 32, COUNT, root=folder)
    return folder


def test_the_bytes_of_this_version():
    assert content_hash(generate_image(NAME, "train", 0, 32)) == GOLDEN


def test_labels_are_those_of_every_size():
    small, large = (generate_image(NAME, "val", 3, size) for size in (32, 64))
    for name in ("kinds", "colours", "places", "areas", "keypoints", "masks"):
        assert np.array_equal(small.extra[name], large.extra[name]), name
    # A smaller image is the area average of the larger one but for its samples.
    averaged = large.frames[0].reshape(3, 32, 2, 32, 2).mean(axis=(2, 4))
    assert np.abs(averaged - small.frames[0]).mean() < 2.0
    assert large.extra["segmentation"].shape == (64, 64)


def test_masks_cover_what_is_seen_and_the_main_object_is_the_largest():
    for number in range(6):
        about = generate_image(NAME, "train", number, 32).extra
        count = int((about["kinds"] >= 0).sum())
        areas = about["areas"]
        assert (np.diff(areas[:count]) <= 0).all()
        assert (areas[count:] == 0).all()
        for slot in range(count):
            share = (about["masks"] == 1 + slot).mean()
            assert share == pytest.approx(areas[slot], abs=0.02)
            rows, columns = np.nonzero(about["segmentation"] == 1 + slot)
            assert (columns.mean() + 0.5) / 32 == pytest.approx(about["places"][slot, 0], abs=0.04)
            assert (rows.mean() + 0.5) / 32 == pytest.approx(about["places"][slot, 1], abs=0.04)


def test_the_main_objects_colour_is_in_the_image():
    """The mean colour where a red object is has more red than the floor's, and so on."""
    for colour, channel in (("red", 0), ("green", 1), ("blue", 2)):
        number = next(
            n for n in range(200)
            if generate_words(n)[0][1] == COLOURS.index(colour) and len(generate_words(n)) == 1
        )  # fmt: skip
        episode = generate_image(NAME, "train", number, 32)
        inside = episode.frames[0][:, episode.extra["segmentation"] == 1].mean(axis=1)
        assert inside.argmax() == channel


def generate_words(number: int) -> list[tuple[int, int]]:
    objects = layout_of("train", number).objects
    return [(placed.thing.kind, placed.thing.colour) for placed in objects]


def test_visible_parts_lie_on_the_main_object():
    for number in range(8):
        episode = generate_image(NAME, "train", number, 64)
        points, mask = episode.extra["keypoints"], episode.extra["segmentation"] == 1
        kind = KINDS[episode.extra["kinds"][0]]
        assert points[:, 2].max() <= 1
        for x, y, seen in points:
            if seen:
                row, column = int(y * 64), int(x * 64)
                near = mask[max(0, row - 3) : row + 4, max(0, column - 3) : column + 4]
                assert near.any(), (number, kind)


def test_an_object_behind_another_hides_its_parts():
    layout = layout_of("train", 0)
    renderer = ObjectRenderer(build_scene(layout))
    labels = renderer.labels()
    assert labels.cells.shape == (GRID, GRID)
    below = layout.objects[0].position - np.array([0, 0, 0.2])
    inside = renderer.visible(0, below[None])  # far below the floor
    assert inside[0, 2] == 0


def test_captions_say_kinds_colours_places_and_floor():
    mug, banana = Named(4, 0, 0.2, 0.5), Named(9, 2, 0.8, 0.6)
    said = captions([mug, banana], 1)
    assert said[0] == "a red mug to the left of a yellow banana on green felt"
    assert len(set(said)) == len(said) >= 3
    back = {"to the left of": "to the right of", "in front of": "behind"}
    back |= {value: key for key, value in back.items()}
    numbers = np.random.default_rng(0)
    for _ in range(50):
        one, other = (Named(0, 0, *numbers.random(2)) for _ in range(2))
        assert back[relation(one, other)] == relation(other, one)


def test_every_caption_fits_the_models_alphabet():
    longest = [Named(10, 5, *place) for place in ((0, 0), (1, 0), (0, 1), (0.5, 1))]
    for objects in (longest, longest[:1], longest[:2]):
        for text in captions(objects, 7):
            encode_caption(text, strict=True)


def test_a_split_is_an_image_set(root):
    images = open_images(NAME, "val", root)
    assert isinstance(images, ImageSet)
    assert (len(images), images.classes, images.structure) == (COUNT, len(KINDS), 35)
    example = images[2]
    assert example.image.shape == (3, 32, 32)
    assert example.structure.shape == (35, 32, 32)
    assert len(example.captions) >= 3
    assert KINDS[example.label] in example.captions[0].replace("staircase", "stairs")
    parts = open_images(f"{NAME}-parts", "val", root)[2].structure
    masks = open_images(f"{NAME}-masks", "val", root)[2].structure
    assert np.array_equal(np.concatenate([parts, masks]), example.structure)
    assert len(parts) == len(PARTS)
    assert masks[example.label].any()


def test_noise_is_of_known_entropy_and_the_same_at_every_reading(root):
    images = open_images(NAME, "val", root)
    clean = generate_image(NAME, "val", 1, 32).frames[0]
    example = images[1]
    assert np.array_equal(example.image, images[1].image)
    assert 0 < np.abs(example.image.astype(int) - clean).mean() < 1
    assert example.noise_floor == pytest.approx(ENTROPY[clean].mean(), abs=1e-6)


def test_a_longer_store_has_the_same_first_images(root, tmp_path):
    ensure_images("val", 32, 2, root=tmp_path)
    before = open_images(NAME, "val", tmp_path)[1]
    ensure_images("val", 32, 4, root=tmp_path)
    after = open_images(NAME, "val", tmp_path)
    assert len(after) == 4
    assert np.array_equal(after[1].image, before.image)
    assert np.array_equal(after[3].image, open_images(NAME, "val", root)[3].image)


def test_train_has_as_many_images_as_are_asked_for(root):
    two = open_images(f"{NAME}:2", "train", root)
    all_ = open_images(NAME, "train", root)
    assert (len(two), len(all_)) == (2, COUNT)
    assert two.content_sha256 != all_.content_sha256
    assert len(hashlib.sha256().hexdigest()) == len(two.content_sha256)


def test_mistakes_are_named(root):
    for name, split, size, message in [
        (NAME, "test", 32, "no split 'test'; it has train, val, test-seen, test-novel"),
        (NAME, "val", 48, "32, 64, 128, 256 pixels"),
        (f"{NAME}:few", "val", 32, "comes the number of training images"),
        (f"{NAME}:0", "val", 32, "comes the number of training images"),
    ]:
        with pytest.raises(InputError, match=message):
            open_images(name, split, root, size)


def test_a_store_of_another_version_is_refused(root, tmp_path, monkeypatch):
    ensure_images("val", 32, 2, root=tmp_path)
    monkeypatch.setattr("pixelpush.datasets.objects.generate.VERSION", 99)
    with pytest.raises(InputError, match=r"another version .* --rebuild"):
        open_images(NAME, "val", tmp_path)
