"""A training command's request, checked before torch is loaded."""

from __future__ import annotations

from pixelpush.datasets.registry import count_episodes
from pixelpush.training.config import RunOptions
from pixelpush.training.options import TrainingData
from pixelpush.training.preset_names import PRESET_NAMES, check_preset_name
from pixelpush.training.trackers import check_trackers


def check_training(preset: str, source: TrainingData, options: RunOptions) -> None:
    """Refuse a preset, a tracker or a set of episodes that is not there.

    Image sets are looked for when they are opened. Raises InputError.

    >>> check_training("push-ot-small", TrainingData("sim"), RunOptions())
    """
    check_preset_name(preset)
    check_trackers(options.track)
    if preset not in PRESET_NAMES["image"]:
        count_episodes(source.data, source.train_split)
        for data in source.also:
            count_episodes(data, "train")
