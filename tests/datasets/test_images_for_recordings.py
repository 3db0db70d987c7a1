"""An image set given to 'pixelpush prepare' is refused as what it is, named or not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pixelpush.cli.sources import with_source
from pixelpush.datasets.prepare import prepare
from pixelpush.datasets.readers import recognise
from pixelpush.errors import InputError


def files(*names):
    def write(folder):
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(b"{}")

    return write


def arrays(name, **shapes):
    def write(folder):
        np.savez(folder / name, **{key: np.zeros(s, np.uint8) for key, s in shapes.items()})

    return write


def tfds(folder):
    features = {"image": {"shape": [32, 32, 3]}, "label": {"num_classes": 10}}
    (folder / "features.json").write_text(json.dumps({"featuresDict": {"features": features}}))
    (folder / "cifar10-train.array_record-00000-of-00001").write_bytes(b"")


# What lies there, and how --data names it.
SETS = {
    "CUB": (files("images.txt", "image_class_labels.txt", "images/001.A/a_1.jpg"), "cub:"),
    "MPII, as JSON": (files("train_mpii.json", "a.jpg"), "mpii:"),
    "MPII, annot": (files("annot/train.json", "images/a.jpg"), "mpii:"),
    "COCO 2017": (files("annotations/instances_val2017.json", "val2017/1.jpg"), "coco:"),
    "COCO 2014": (files("annotations/captions_train2014.json", "train2014/1.jpg"), "coco:"),
    "CIFAR-10": (files("data_batch_1.bin", "test_batch.bin"), "cifar10:"),
    "CIFAR-10, sheets": (files("cifar10_batch_0.png", "cifar10_batch_1.png"), "cifar10:"),
    "ImageNet": (arrays("val_data.npz", data=(2, 3 * 32 * 32), labels=(2,)), "imagenet32:"),
    "ImageNet, own": (arrays("own.npz", image=(2, 64, 64, 3)), "imagenet64:"),
    "TFDS": (tfds, "tfds:NAME"),
}


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("kind", SETS)
def test_it_is_named_with_the_way_it_is_used(kind, inside, tmp_path):
    write, data = SETS[kind]
    folder = tmp_path / "set" / "of_an_archive" if inside else tmp_path / "set"
    folder.mkdir(parents=True)
    write(folder)
    whole = data if data.startswith("tfds") else f"{data}{folder}"
    told = f"{folder}: .*an image set, not episodes; .*give --data {whole} to 'pixelpush train'"
    with pytest.raises(InputError, match=told) as caught:
        with_source(["--raw", str(tmp_path / "set")])
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=told):
        prepare("folder", tmp_path / "set", tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_pickles_are_named(tmp_path):
    files("data_batch_1", "batches.meta")(tmp_path)
    with pytest.raises(InputError, match=r"CIFAR-10's Python version.*get the binary one"):
        recognise(tmp_path)


@pytest.mark.parametrize("key", ["action", "actions", "states"])
def test_a_robots_arrays_are_no_image_set(key, tmp_path):
    """As the sample of BAIR has them: pictures called 'image' of 64 pixels, and actions."""
    arrays("run_1.npz", image=(2, 64, 64, 3), **{key: (2, 4)})(tmp_path)
    assert recognise(tmp_path)[0].name == "folder"


@pytest.mark.parametrize(
    ("sample", "data"),
    [
        ("cub", "cub"),
        ("mpii", "mpii"),
        ("coco_mini", "coco"),
        ("cifar10", "cifar10"),
        ("imagenet_sample", "imagenet32"),
    ],
)
def test_the_recorded_samples_are_named(sample, data, shared_data):
    with pytest.raises(InputError, match=f"give --data {data}:{shared_data / sample} "):
        recognise(shared_data / sample)
