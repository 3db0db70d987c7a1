"""Options of a drive. Light: no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pixelpush.settings import Device, check_between, check_seed

# Of sampled frames, least and greatest.
TEMPERATURES = (0.01, 10)


@dataclass(frozen=True)
class DriveSettings:
    """What is driven, and from where. Raises InputError for a value out of range.

    Example:
        >>> DriveSettings().data
        'sim'
    """

    model: str = "push-ot-small"
    """Run folder, saved model or name of a shipped one."""
    data: str = "sim"
    """Where a drive begins: 'sim' (the real physics then runs beside the model), the name of a
    prepared data set, a store's folder, or a folder with two frames of your own, states.csv and
    actions.csv (docs/driving.md)."""
    split: str = "val"
    """Split of the episode."""
    episode: int = 0
    """Number of the episode, from 0."""
    sampler: Literal["sample", "mean"] = "sample"
    """Sampled frames, or the picture that the model composes for each, without sampling."""
    temperature: float = 0.5
    """Of samples."""
    seed: int = 0
    """The same seed and actions give the same frames."""
    precision: Literal["bf16", "32"] = "32"
    """Of the networks."""
    device: Device = "auto"
    """Where to compute; auto takes a GPU where there is one."""

    def __post_init__(self):
        check_between(self, *TEMPERATURES, "temperature")
        check_seed(self.seed)
