"""Searches over vectors for the one that costs least: the cross-entropy method and MPPI."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pixelpush.errors import InputError
from pixelpush.eval.planning.settings import PlannerSettings
from pixelpush.registry import Registry

# Costs (N,) of candidates (N, D).
Cost = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Found:
    """What a search found. best: (D,), the cheapest of all candidates. cost: its own. costs:
    (iterations, candidates), of all.

    >>> Found(best=np.zeros(2), cost=1.5, costs=np.full((1, 4), 1.5)).cost
    1.5
    """

    best: np.ndarray
    cost: float
    costs: np.ndarray


def search(
    cost: Cost,
    mean: np.ndarray,
    spread: np.ndarray,
    settings: PlannerSettings,
    draw: np.random.Generator,
) -> Found:
    """Search from a normal distribution of ``mean`` and ``spread``, both (D,).

    The cheapest candidate of all iterations is returned, the first of equals. Raises InputError
    where a cost is not finite.

    >>> bowl = lambda x: ((x - 3) ** 2).sum(axis=1)
    >>> settings = PlannerSettings(candidates=100, iterations=8, elites=10)
    >>> search(bowl, np.zeros(2), np.full(2, 4.0), settings, np.random.default_rng(0)).best.round()
    array([3., 3.])
    """
    refit = PLANNERS.find(settings.planner)
    rows = []
    best = mean
    least = np.inf
    for _ in range(settings.iterations):
        candidates = mean + spread * draw.standard_normal((settings.candidates, len(mean)))
        costs = np.asarray(cost(candidates), np.float64)
        if not np.isfinite(costs).all():
            raise InputError(
                "a plan's cost is not finite; the model's weights have diverged; "
                "use an earlier save."
            )
        cheapest = int(costs.argmin())
        if costs[cheapest] < least:
            least = float(costs[cheapest])
            best = candidates[cheapest]
        rows.append(costs)
        mean, spread = refit(candidates, costs, settings)
    return Found(best, least, np.stack(rows))


def _elites(
    candidates: np.ndarray, costs: np.ndarray, settings: PlannerSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread of the cheapest (Rubinstein and Kroese 2004)."""
    chosen = candidates[np.argsort(costs, kind="stable")[: settings.elites]]
    return chosen.mean(axis=0), chosen.std(axis=0)


def _path_integral(
    candidates: np.ndarray, costs: np.ndarray, settings: PlannerSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and spread under weights exp(-sharpness cost) (Williams et al. 2017, eq. 26)."""
    # Scaled to 0..1, so that one sharpness serves costs in pixels and in squared levels.
    scaled = (costs - costs.min()) / max(float(np.ptp(costs)), 1e-12)
    weights = np.exp(-settings.sharpness * scaled)
    weights /= weights.sum()
    mean = weights @ candidates
    return mean, np.sqrt(weights @ (candidates - mean) ** 2)


PLANNERS: Registry[Callable[..., tuple[np.ndarray, np.ndarray]]] = Registry(
    "planner", {"cem": _elites, "mppi": _path_integral}
)
