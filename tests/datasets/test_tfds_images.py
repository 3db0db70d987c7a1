"""Images from a set in TFDS's own layout: records serialised by TFDS, in a folder named and
described as it does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pixelpush.datasets.image_sets import open_images
from pixelpush.datasets.images import encode_png
from pixelpush.errors import InputError


def write_tfds(
    data_dir: Path, splits: dict[str, list[tuple[np.ndarray, int]]], classes: int = 10
) -> None:
    """cifar10 3.0.2 in array_record form with these (image uint8 (H, W, 3), label), in shards of
    three."""
    import tensorflow_datasets as tfds
    from array_record.python.array_record_module import ArrayRecordWriter
    from google.protobuf import json_format
    from tensorflow_datasets.core.example_serializer import ExampleSerializer

    from pixelpush.files import write_json

    size = next(iter(splits.values()))[0][0].shape
    label = tfds.features.ClassLabel(num_classes=classes)
    features = tfds.features.FeaturesDict(
        {"image": tfds.features.Image(shape=size), "label": label}
    )
    serializer = ExampleSerializer(features.get_serialized_info())
    folder = data_dir / "cifar10" / "3.0.2"
    folder.mkdir(parents=True)
    described = []
    for split, examples in splits.items():
        shards = [examples[first : first + 3] for first in range(0, len(examples), 3)]
        for index, shard in enumerate(shards):
            path = folder / f"cifar10-{split}.array_record-{index:05d}-of-{len(shards):05d}"
            writer = ArrayRecordWriter(str(path), "group_size:1")
            for image, number in shard:
                writer.write(
                    serializer.serialize_example({"image": encode_png(image), "label": number})
                )
            writer.close()
        lengths = [str(len(shard)) for shard in shards]
        template = "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"
        described.append(
            {"name": split, "filepathTemplate": template, "shardLengths": lengths, "numBytes": "1"}
        )
    write_json(folder / "features.json", json_format.MessageToDict(features.to_proto()))
    info = {
        "fileFormat": "array_record",
        "name": "cifar10",
        "version": "3.0.2",
        "splits": described,
    }
    write_json(folder / "dataset_info.json", info)


def pictures(count: int, height: int = 8, width: int = 8) -> list[tuple[np.ndarray, int]]:
    draw = np.random.default_rng(count)
    return [
        (draw.integers(0, 256, (height, width, 3), dtype=np.uint8), number % 10)
        for number in range(count)
    ]


def test_images_and_labels_come_back(tmp_path: Path):
    train, test = pictures(7), pictures(4)
    write_tfds(tmp_path, {"train": train, "test": test})
    for split, written in (("train", train), ("test", test)):
        found = open_images("tfds:cifar10", split, root=tmp_path)
        assert (len(found), found.classes) == (len(written), 10)
        for index, (image, label) in enumerate(written):
            np.testing.assert_array_equal(found[index].image, image.transpose(2, 0, 1))
            assert found[index].label == label
    assert (
        open_images("tfds:cifar10", "train", root=tmp_path).content_sha256 != found.content_sha256
    )


def test_mistakes_are_one_clear_line(tmp_path: Path):
    write_tfds(tmp_path, {"train": pictures(3), "test": pictures(2, height=8, width=6)})
    with pytest.raises(InputError, match=r"no split 'validation' \(splits: .*train"):
        open_images("tfds:cifar10", "val", root=tmp_path)
    with pytest.raises(InputError, match=r"\(8, 6, 3\) is no square"):
        open_images("tfds:cifar10", "test", root=tmp_path)[0]
    with pytest.raises(InputError, match="the set is not prepared"):
        open_images("tfds:cifar10", "train", root=tmp_path / "elsewhere")
    with pytest.raises(InputError, match="tfds:no_such_set"):
        open_images("tfds:no_such_set", "train", root=tmp_path)
    (tmp_path / "cifar10/3.0.2/cifar10-train.array_record-00000-of-00001").unlink()
    with pytest.raises(InputError, match="tfds:cifar10"):
        open_images("tfds:cifar10", "train", root=tmp_path)


def test_a_damaged_shard_is_named_or_read_rightly(tmp_path: Path):
    written = pictures(3)
    write_tfds(tmp_path, {"train": written})
    (shard,) = (tmp_path / "cifar10/3.0.2").glob("*array_record-*")
    sound = shard.read_bytes()
    outcomes = set()
    for place in range(0, len(sound), len(sound) // 12):
        for damaged in (
            sound[:place],
            sound[:place] + bytes([sound[place] ^ 255]) + sound[place + 1 :],
        ):
            shard.write_bytes(damaged)
            try:
                found = open_images("tfds:cifar10", "train", root=tmp_path)
                read = [found[index].image for index in range(3)]
            except InputError as error:
                outcomes.add(
                    "named" if "tfds" in str(error) and "\n" not in str(error) else str(error)
                )
            else:
                outcomes.add("read")
                for image, (truth, _) in zip(read, written, strict=True):
                    np.testing.assert_array_equal(image, truth.transpose(2, 0, 1))
    assert outcomes == {"named", "read"}
