"""The on-disk store: a folder that is a TFDS data set in array_record form, written and read
without TensorFlow.

    store.json                format, schema, splits (shards, lengths, content hash), origin
    dataset_info.json         with features.json: what TFDS's builder_from_directory needs
    train-00000.array_record  shards, one record per episode (``records.py``)
    COMPLETE                  written last; without it the folder does not count

Two ways to write one. ``write_store`` streams all splits into a folder that appears only when
whole. For long jobs that must survive a kill, ``write_shard`` finishes shards one by one in a
working folder, ``finished_shards`` tells which are done, and ``seal_store`` turns the folder into a
store; all three may be repeated after a kill at any moment."""

from pixelpush.datasets.description import read_description, store_splits, summary
from pixelpush.datasets.shards import Shard, finished_shards, write_shard
from pixelpush.datasets.store_reader import EpisodeStore
from pixelpush.datasets.store_writer import refuse_existing, seal_store, write_store

__all__ = [
    "EpisodeStore",
    "Shard",
    "finished_shards",
    "read_description",
    "refuse_existing",
    "seal_store",
    "store_splits",
    "summary",
    "write_shard",
    "write_store",
]
