"""Which version of the simulated bin a run was trained on: told by what it recorded of its data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pixelpush.datasets.sim.episodes import training_content
from pixelpush.datasets.sim.generate import identity
from pixelpush.datasets.sim.names import SPLITS, is_simulated, parse_name


def of_another_version(config: Mapping[str, Any]) -> bool:
    """Whether a run's config.json names the simulated bin, but not of this program's version.

    The run's content hash is compared with what this version would give for its laboratory, frame
    size and number of episodes. False where the run had other data, or recorded no hash.

    >>> of_another_version({"data": "bair"})
    False
    """
    data = str(config.get("data") or "")
    task = config.get("task") or {}
    training = task.get("training") or {}
    if not is_simulated(data) or "content" not in training:
        return False
    laboratory, _ = parse_name(data)
    now = identity(laboratory, int(task["model"]["frame_size"]))
    return training["content"] not in {
        training_content(now, split, training["episodes"], noise)
        for split in SPLITS
        for noise in (True, False)
    }
