"""Recorded and simulated episodes: readers, the one on-disk store, ordering, augmentation.

``open_dataset(name_or_path, split)`` gives a split as a sequence of ``Episode``. Recordings get
into a store by ``pixelpush prepare`` (prepare.py); clips, their order and their augmentation are
pure functions of a seed (order.py, augment.py). This package imports none of the others, and
importing it loads NumPy alone."""

from pixelpush.datasets.augment import Augmentation, Mirror, Reflection, augment
from pixelpush.datasets.episodes import Episode, EpisodeDataset
from pixelpush.datasets.order import epoch_order, training_clip
from pixelpush.datasets.registry import available, open_dataset
from pixelpush.datasets.root import data_root
from pixelpush.datasets.sim.names import is_simulated

__all__ = [
    "Augmentation",
    "Episode",
    "EpisodeDataset",
    "Mirror",
    "Reflection",
    "augment",
    "available",
    "data_root",
    "epoch_order",
    "is_simulated",
    "open_dataset",
    "training_clip",
]
