"""Image sets: their folders as the publishers lay them out, made here small, and the recorded
samples."""

from __future__ import annotations

import gzip
import json
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from pixelpush.datasets.image_sets import ImageArrays, ImageSet, open_images
from pixelpush.datasets.image_sets.base import Window, keypoint_map, read_square
from pixelpush.datasets.image_sets.coco import cells, instance_mask
from pixelpush.datasets.image_sets.mnist import binarised
from pixelpush.errors import InputError


def random_image(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def write_image(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image[..., ::-1])


def write_idx(path: Path, array: np.ndarray) -> None:
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(gzip.compress(header + array.tobytes()))


def mnist_folder(root: Path, count: int = 3) -> np.ndarray:
    images = random_image(count, 28, 28)
    for part in ("train", "t10k"):
        write_idx(root / f"{part}-images-idx3-ubyte.gz", images)
        write_idx(root / f"{part}-labels-idx1-ubyte.gz", np.arange(count, dtype=np.uint8))
    return images


def test_mnist_is_binarised_once_and_for_ever(tmp_path):
    images = mnist_folder(tmp_path)
    first, again = (open_images("mnist", "test", tmp_path) for _ in range(2))
    assert set(np.unique(first[0].image)) == {0, 255}
    assert np.array_equal(first[1].image, again[1].image)
    assert first.content_sha256 == again.content_sha256
    assert not np.array_equal(first[0].image, open_images("mnist", "train", tmp_path)[0].image)
    assert [first[i].label for i in range(3)] == [0, 1, 2]
    grey = open_images("mnist-grey", "test", tmp_path)
    assert np.array_equal(grey[2].image[0], images[2])


def test_binarisation_follows_the_grey_values():
    """100,000 pixels of each of a few greys: the share of white is grey / 255 within 5 standard
    deviations."""
    for grey in (0, 1, 64, 128, 254, 255):
        white = (binarised(np.full((1, 100, 1000), grey, np.uint8), 7) == 255).mean()
        share = grey / 255
        assert abs(white - share) <= 5 * np.sqrt(share * (1 - share) / 1e5)


def test_damaged_idx_files_are_named(tmp_path):
    mnist_folder(tmp_path)
    file = tmp_path / "t10k-images-idx3-ubyte.gz"
    for content, message in [
        (b"junk", "damaged"),
        (gzip.compress(b"junk"), "not an idx file"),
        (gzip.compress(bytes([0, 0, 8, 3]) + struct.pack(">3I", 9, 28, 28)), "download it again"),
    ]:
        file.write_bytes(content)
        with pytest.raises(InputError, match=message):
            open_images("mnist", "test", tmp_path)
    file.unlink()
    with pytest.raises(InputError, match=r"Get the four idx files"):
        open_images("mnist", "test", tmp_path)


def test_cifar_binary(tmp_path):
    records = random_image(7, 3073)
    records[:, 0] %= 10
    for name in [*(f"data_batch_{n}.bin" for n in range(1, 6)), "test_batch.bin"]:
        (tmp_path / name).write_bytes(records.tobytes())
    train = open_images("cifar10", "train", tmp_path)
    assert (len(train), len(open_images("cifar10", "val", tmp_path)), train.classes) == (28, 7, 10)
    example = train[8]
    assert example.label == records[1, 0]
    # The publisher's order: 1024 reds row by row, then greens, then blues.
    assert example.image[1, 3, 4] == records[1, 1 + 1024 + 3 * 32 + 4]
    (tmp_path / "test_batch.bin").write_bytes(b"\0" * 3074)
    with pytest.raises(InputError, match="no whole number of images"):
        open_images("cifar10", "test", tmp_path)


def test_cifar_sheets(tmp_path):
    sheet = random_image(20, 1024, 3)
    write_image(tmp_path / "cifar10_batch_0.png", sheet)
    write_image(tmp_path / "cifar10_batch_50.png", sheet[:5])
    labels = [0] * 51_000
    labels[17], labels[50_002] = 3, 8
    (tmp_path / "cifar10_labels.js").write_text(f"var labels={labels};")
    train, val, test = (
        open_images("cifar10", split, tmp_path) for split in ("train", "val", "test")
    )
    assert (len(train), len(val), len(test)) == (18, 2, 5)
    assert (train[17].label, test[2].label) == (3, 8)
    assert np.array_equal(test[2].image[:, 5, 6], sheet[2, 5 * 32 + 6])


def test_imagenet_npz(tmp_path):
    data = random_image(4, 3 * 16)
    with pytest.raises(InputError, match="no npz file of 32x32"):
        open_images("imagenet32", "train", tmp_path)
    np.savez(tmp_path / "train_data_batch_1.npz", data=data, labels=np.array([1, 5, 1000, 2]))
    with pytest.raises(InputError, match="another resolution"):
        open_images("imagenet32", "train", tmp_path)
    np.savez(
        tmp_path / "train_data_batch_1.npz",
        data=random_image(2, 3 * 1024),
        labels=np.array([1, 1000]),
    )
    images = open_images("imagenet32", "train", tmp_path)
    assert [images[i].label for i in range(2)] == [0, 999]
    np.savez(tmp_path / "val_data.npz", data=np.array([{}], dtype=object), labels=np.array([1]))
    with pytest.raises(InputError, match="not a readable npz"):
        open_images("imagenet32", "val", tmp_path)


def test_a_folder_with_classes(tmp_path):
    for name in ("train/cat/a.png", "train/cat/b.png", "train/dog/c.png", "val/dog/d.png"):
        write_image(tmp_path / name, random_image(20, 30, 3))
    train = open_images("folder", "train", tmp_path, 16)
    assert [train[i].label for i in range(3)] == [0, 0, 1]
    assert train[0].image.shape == (3, 16, 16)
    val = open_images("folder", "val", tmp_path, 16)
    assert (val.classes, val[0].label) == (2, 1)
    with pytest.raises(InputError, match=r"no image .* of the test split"):
        open_images("folder", "test", tmp_path, 16)


def test_a_folder_without_splits_is_cut(tmp_path):
    for number in range(10):
        write_image(tmp_path / f"{number}.png", np.full((8, 8, 3), number, np.uint8))
    splits = [open_images("folder", split, tmp_path, 8) for split in ("train", "val", "test")]
    assert [len(images) for images in splits] == [8, 1, 1]
    assert sorted(
        int(images[i].image[0, 0, 0]) for images in splits for i in range(len(images))
    ) == list(range(10))
    assert splits[0].classes == 0


def cub_folder(root: Path) -> Path:
    names = [f"001.Gull/Gull_{number}.jpg" for number in range(12)]
    for number, name in enumerate(names):
        write_image(root / "images" / name, random_image(40, 60, 3, seed=number))
        text = (root / "text_c10" / name).with_suffix(".txt")
        text.parent.mkdir(parents=True, exist_ok=True)
        text.write_text("a white bird\na gull.\n")
    (root / "parts").mkdir()
    (root / "images.txt").write_text(
        "".join(f"{i + 1} {name}\n" for i, name in enumerate([*names, "002.No/no.jpg"]))
    )
    (root / "train_test_split.txt").write_text(
        "".join(f"{i + 1} {int(i < 10)}\n" for i in range(13))
    )
    (root / "image_class_labels.txt").write_text("".join(f"{i + 1} 1\n" for i in range(13)))
    (root / "classes.txt").write_text("1 001.Gull\n2 002.No\n")
    parts = "".join(
        f"{i + 1} {p + 1} {10 + p * 2.0} 20.0 {int(p < 14)}\n" for i in range(13) for p in range(15)
    )
    (root / "parts" / "part_locs.txt").write_text(parts)
    return root


def test_cub(tmp_path):
    root = cub_folder(tmp_path)
    sizes = [len(open_images("cub", split, root, 32)) for split in ("train", "val", "test")]
    assert sizes == [9, 1, 2]
    example = open_images("cub", "train", root, 32)[0]
    assert example.captions == ("a white bird", "a gull.")
    # The 40x60 image's centred square starts at x = 10: part p lies at 2p / 40 of it; the 15th is
    # not visible.
    assert example.structure[:, 16].argmax(-1).tolist()[:14] == [
        int(2 * p / 40 * 32) for p in range(14)
    ]
    assert example.structure.sum() == 14
    (root / "text_c10/001.Gull/Gull_3.txt").unlink()
    with pytest.raises(InputError, match=r"Gull_3.txt: a caption file is missing.*text_c10"):
        open_images("cub", "train", root, 32)
    (root / "parts/part_locs.txt").write_text("1 1 3\n")
    with pytest.raises(InputError, match="line 1: expected 5 columns, got 3"):
        open_images("cub", "test", root, 32)


def person(name: str, **changes) -> dict:
    joints = [[50.0 + number, 60.0] for number in range(16)]
    return {
        "image": name,
        "joints": joints,
        "joints_vis": [1] * 15 + [0],
        "center": [60.0, 60.0],
        "scale": 0.32,
    } | changes


def test_mpii_keeps_single_persons(tmp_path):
    for name in ("a.jpg", "b.jpg"):
        write_image(tmp_path / "images" / name, random_image(100, 120, 3))
    (tmp_path / "annot").mkdir()
    people = [person("a.jpg"), person("b.jpg"), person("b.jpg"), person("absent.jpg")]
    (tmp_path / "annot/valid.json").write_text(json.dumps(people))
    images = open_images("mpii", "val", tmp_path, 32)
    assert len(images) == 1
    assert not images.has_captions
    structure = images[0].structure
    # A square of 80 pixels around (60, 60): joint j at x = 30 + j of it, y = 40.
    assert [tuple(np.argwhere(cells)[0]) for cells in structure[:3]] == [
        (16, int((30 + j) / 80 * 32)) for j in range(3)
    ]
    assert structure[15].sum() == 0
    assert np.argwhere(structure[16]).tolist() == [[16, 16]]
    (tmp_path / "captions").mkdir()
    (tmp_path / "captions/a.txt").write_text("a person runs\n")
    assert open_images("mpii", "val", tmp_path, 32)[0].captions == ("a person runs",)
    (tmp_path / "annot/valid.json").write_text(json.dumps([person("a.jpg", joints=[[1, 2]])]))
    with pytest.raises(InputError, match="expected 16 joints"):
        open_images("mpii", "val", tmp_path, 32)
    with pytest.raises(InputError, match=r"no annot/test\.json"):
        open_images("mpii", "test", tmp_path, 32)


def coco_folder(root: Path, segmentation) -> Path:
    write_image(root / "val2017" / "1.jpg", random_image(64, 64, 3))
    entry = {"id": 1, "file_name": "1.jpg", "height": 64, "width": 64}
    instances = {
        "images": [entry, {**entry, "id": 2, "file_name": "absent.jpg"}],
        "categories": [{"id": number} for number in (90, 3)],
        "annotations": [{"image_id": 1, "category_id": 90, "segmentation": segmentation}],
    }
    (root / "annotations").mkdir()
    (root / "annotations/instances_val2017.json").write_text(json.dumps(instances))
    captions = {"annotations": [{"image_id": 1, "caption": " a box "}]}
    (root / "annotations/captions_val2017.json").write_text(json.dumps(captions))
    return root


def test_coco(tmp_path):
    images = open_images("coco", "val", coco_folder(tmp_path, [[16, 8, 48, 8, 48, 40, 16, 40]]), 32)
    assert (len(images), images.structure) == (1, 2)
    example = images[0]
    expected = np.zeros((2, 32, 32), np.uint8)
    expected[1, 4:20, 8:24] = 1
    assert np.abs(example.structure.astype(int) - expected).sum() <= 2 * 16
    assert np.array_equal(example.structure[1, 5:19, 9:23], np.ones((14, 14)))
    assert example.captions == ("a box",)
    with pytest.raises(InputError, match="no split 'test'"):
        open_images("coco", "test", tmp_path, 32)
    (tmp_path / "annotations/captions_val2017.json").unlink()
    with pytest.raises(
        InputError, match=r"captions_val2017\.json: an annotation file of COCO is missing"
    ):
        open_images("coco", "val", tmp_path, 32)
    (tmp_path / "annotations/captions_val2017.json").write_text("{}")
    with pytest.raises(InputError, match="no 'annotations'"):
        open_images("coco", "val", tmp_path, 32)


def test_run_lengths_are_column_major():
    mask = instance_mask({"counts": [3, 2, 7]}, 4, 3, "x")
    expected = np.zeros((3, 4), np.uint8)
    expected.flat[3:5] = 1
    assert np.array_equal(mask, expected.T)
    with pytest.raises(InputError, match="run lengths of 4x3"):
        instance_mask({"counts": [3, 2]}, 4, 3, "x")
    with pytest.raises(InputError, match="neither"):
        instance_mask({"counts": "compressed"}, 4, 3, "x")


def test_cells_are_set_where_half_is_covered():
    mask = np.zeros((64, 64), np.uint8)
    mask[:, :33] = 1  # half of the column of cells that starts at 32
    assert cells(mask, Window(0, 0, 64)).sum() == 17 * 32
    mask[:, 32] = 0
    assert cells(mask, Window(0, 0, 64)).sum() == 16 * 32


def test_keypoints_outside_are_left_out():
    shares = np.array([[0, 0], [0.999, 0.5], [1.0, 0.5], [-0.01, 0.1], [0.2, 0.2]])
    maps = keypoint_map(shares, [True, True, True, True, False])
    assert np.argwhere(maps).tolist() == [[0, 0, 0], [1, 16, 31]]


def test_a_window_past_the_border_is_black(tmp_path):
    image = np.full((10, 10, 3), 200, np.uint8)
    write_image(tmp_path / "a.png", image)
    square, window = read_square(tmp_path / "a.png", Window(-5, -5, 20), 20)
    assert np.array_equal(np.unique(np.argwhere(square[0] == 200)), np.arange(5, 15))
    assert (window.left, window.side) == (-5, 20)
    with pytest.raises(InputError, match="no such image"):
        read_square(tmp_path / "b.png", None, 8)


def test_mistakes_are_named(tmp_path):
    for name, split, message in [
        ("birds", "train", "unknown image set 'birds'"),
        ("cifar10", "dev", "no split 'dev'"),
        (f"cifar10:{tmp_path}/none", "train", "no such folder"),
        ("cub", "train", "images.txt: an annotation file of CUB is missing"),
    ]:
        with pytest.raises(InputError, match=message):
            open_images(name, split, None if ":" in name else tmp_path)
    with pytest.raises(InputError, match="4 images but 3 labels"):
        ImageArrays("x", random_image(4, 1, 2, 2), np.zeros(3, int), 2)
    with pytest.raises(InputError, match="labels go from 0 to 2; there are 2"):
        ImageArrays("x", random_image(3, 1, 2, 2), np.arange(3), 2)


@pytest.mark.parametrize(
    ("name", "folder", "split", "count", "shape"),
    [
        ("mnist", "mnist", "test", 10_000, (1, 28, 28)),
        ("cifar10", "cifar10", "test", 1_000, (3, 32, 32)),
        ("imagenet32", "imagenet_sample", "val", 100, (3, 32, 32)),
        ("cub", "cub", "train", 56, (3, 48, 48)),
        ("mpii", "mpii", "test", 5, (3, 48, 48)),
        ("coco", "coco_mini", "val", 79, (3, 48, 48)),
    ],
)
def test_recorded_samples(shared_data, name, folder, split, count, shape):
    images = open_images(name, split, shared_data / folder, 48)
    assert isinstance(images, ImageSet)
    assert len(images) == count
    for index in (0, count - 1):
        example = images[index]
        assert example.image.shape == shape
        assert example.image.dtype == np.uint8
        assert example.image.std() > 10
        assert example.structure.shape == (images.structure, 32, 32)
        assert bool(example.captions) == images.has_captions
        assert bool(images.structure) == bool(example.structure.any())
