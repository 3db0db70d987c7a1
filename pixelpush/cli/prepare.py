"""The command ``pixelpush prepare``: one sub-command for each source of episodes."""

from __future__ import annotations

from collections.abc import Callable

from pixelpush.datasets import commands as recorded
from pixelpush.datasets.sim.commands import (
    prepare_sim,
    prepare_sim_cameras,
    prepare_sim_diverse,
)
from pixelpush.errors import InputError

# The one list of what can be prepared.
SOURCES: dict[str, Callable[..., None]] = {
    "sim": prepare_sim,
    "sim-diverse": prepare_sim_diverse,
    "sim-cameras": prepare_sim_cameras,
    "google-push": recorded.prepare_google_push,
    "bair": recorded.prepare_bair,
    "folder": recorded.prepare_folder,
    "moving-mnist": recorded.prepare_moving_mnist,
}


def prepare() -> None:
    """Turn recordings, or the simulator, into a data set: pixelpush prepare
    {sim,google-push,bair,folder,...}."""
    raise InputError(f"name what to prepare: pixelpush prepare {{{','.join(SOURCES)}}} --help.")
