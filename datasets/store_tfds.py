"""The two files by which TFDS's ``builder_from_directory`` reads a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from google.protobuf import json_format

from pixelpush.datasets.description import FORMAT_VERSION
from pixelpush.datasets.schema import Schema
from pixelpush.files import write_json


@dataclass(frozen=True)
class ShardSize:
    """A shard's number of episodes, and the bytes of their records before they are packed.

    >>> ShardSize(episodes=2, record_bytes=1000).episodes
    2
    """

    episodes: int
    record_bytes: int


def write_tfds_files(
    folder: Path, schema: Schema, splits: Mapping[str, Sequence[ShardSize]]
) -> None:
    """Write dataset_info.json and features.json into a store's folder.

    splits: their shards in order.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_tfds_files(Path(folder), Schema(3, 8, 8, 5, 5), {"val": [ShardSize(1, 9)]})
    ...     sorted(file.name for file in Path(folder).iterdir())
    ['dataset_info.json', 'features.json']
    """
    # It takes a third of a second to import, and reading a store does not need it.
    import tensorflow_datasets as tfds

    image = tfds.features.Image(
        shape=(schema.height, schema.width, schema.channels), encoding_format="png"
    )
    extra = tfds.features.Sequence({"name": tfds.features.Text(), "npy": tfds.features.Text()})
    features = {"frames": tfds.features.Sequence(image), "id": tfds.features.Text(), "extra": extra}
    for name, width in (("states", schema.state_dim), ("actions", schema.action_dim)):
        if width:
            features[name] = tfds.features.Tensor(shape=(None, width), dtype=np.float32)
    proto = tfds.features.FeaturesDict(features).to_proto()
    write_json(folder / "features.json", json_format.MessageToDict(proto))
    # The JSON form of TFDS's DatasetInfo message; its own writer insists on file names that tell
    # the shard count.
    info = {
        "fileFormat": "array_record",
        "name": "episodes",
        "version": f"{FORMAT_VERSION}.0.0",
        "splits": [
            {
                "name": split,
                "filepathTemplate": "{SPLIT}-{SHARD_INDEX}.{FILEFORMAT}",
                "shardLengths": [str(shard.episodes) for shard in shards],
                "numBytes": str(sum(shard.record_bytes for shard in shards)),
            }
            for split, shards in splits.items()
        ],
    }
    write_json(folder / "dataset_info.json", info)
