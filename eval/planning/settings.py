"""What can be asked of a planner. Light: neither torch nor MuJoCo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pixelpush.errors import InputError
from pixelpush.settings import check_between


@dataclass(frozen=True)
class PlannerSettings:
    """How a plan is searched for. Raises InputError for a value out of range.

    >>> PlannerSettings(candidates=8).iterations
    2
    """

    planner: Literal["cem", "mppi"] = "cem"
    """Cross-entropy method, or model-predictive path integral control."""
    candidates: int = 24
    """Candidates rolled out together in one iteration."""
    iterations: int = 2
    """Iterations of a search; each draws its candidates where the last one found good ones."""
    elites: int = 4
    """CEM: how many candidates the next iteration is drawn round."""
    sharpness: float = 10.0
    """MPPI: weights are exp(-sharpness * cost), costs scaled to the range of the iteration's."""

    def __post_init__(self):
        check_between(self, 1, 100_000, "candidates", "elites")
        check_between(self, 1, 1000, "iterations")
        check_between(self, 0, 1e6, "sharpness")
        if self.elites > self.candidates:
            raise InputError(
                f"--elites {self.elites} of --candidates {self.candidates}: give at most as many."
            )


@dataclass(frozen=True)
class ControlSettings:
    """How a task is worked on. Raises InputError for a value out of range.

    >>> ControlSettings().replan
    8
    """

    steps: int = 15
    """Actions a task has."""
    replan: int = 8
    """Actions that are carried out before the next plan."""
    segments: int = 2
    """Straight segments of a plan."""
    segment_frames: int = 5
    """Frames of a segment."""
    seed: int = 0
    """Of all draws of the search."""

    def __post_init__(self):
        check_between(self, 1, 1000, "steps", "replan", "segments", "segment_frames")
        check_between(self, 0, 2**62, "seed")
