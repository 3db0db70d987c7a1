"""Does a model follow its actions to what would really have happened? And is it an optimist?

Nats of both futures of a pair under both lists of actions and states: a model that follows finds
each future likelier under its own. An optimist moves the object although the push misses it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from pixelpush.datasets.episodes import Episode
from pixelpush.eval.clips import Scoring, pixel_nats
from pixelpush.eval.listening.counterfactuals import MISS, OTHER, Futures
from pixelpush.eval.statistics import mean_and_error
from pixelpush.eval.text import text_table
from pixelpush.training.seeding import derived_seed
from pixelpush.vpn import VideoPixelNetwork

# What a segmentation holds: 0 background, 1 arm, 2 + k object k.
_ARM = 1
_FIRST_OBJECT = 2
# A region of fewer pixels shows too little of the object.
_FEWEST_PIXELS = 6


def crossed(futures: Futures) -> tuple[Episode, Episode]:
    """Each future's frames with the other's states and actions."""
    own = futures.own
    other = futures.other
    return (
        replace(own, states=other.states, actions=other.actions),
        replace(other, states=own.states, actions=own.actions),
    )


def target_region(futures: Futures) -> np.ndarray:
    """bool (H, W): the last frame's pixels that show the pushed object in one future and not in the
    other, the arm in neither."""
    label = _FIRST_OBJECT + futures.pair.target
    last = [episode.extra["segmentation"][-1] for episode in (futures.own, futures.other)]
    arm = (last[0] == _ARM) | (last[1] == _ARM)
    return ((last[0] == label) != (last[1] == label)) & ~arm


def measure_following(
    model: VideoPixelNetwork,
    pairs: Sequence[Futures],
    scoring: Scoring,
    samples: int = 4,
    seed: int = 0,
    progress: Callable[[int], object] | None = None,
) -> dict[str, Any]:
    """Margins in nats, share followed, and optimism, as JSON values.

    margin: nats of a future under the other list minus under its own, per sub-pixel; positive is
    followed. optimism: of sampled futures under a push that misses, the share whose pushed object
    looks as if it had been hit, beside the share that does so when it is hit. samples: futures
    sampled of every miss."""
    margins: dict[str, list[float]] = {OTHER: [], MISS: []}
    region_nats: list[float] = []
    moved: dict[str, list[float]] = {"missed": [], "hit": []}
    for number, futures in enumerate(pairs):
        own, other, own_false, other_false = pixel_nats(
            model, [futures.own, futures.other, *crossed(futures)], scoring
        )
        subpixels = own.size * model.config.colours
        for true, false in ((own, own_false), (other, other_false)):
            cost = float((false - true).sum(dtype=np.float64)) / subpixels
            margins[futures.pair.kind].append(cost)
        region = target_region(futures) if futures.pair.kind == MISS else np.zeros(0, bool)
        if region.sum() >= _FEWEST_PIXELS:
            # Under the missing push: what happened, against the look of a hit.
            true = other[-1][region].sum()
            hit = own_false[-1][region].sum()
            region_nats.append(float(hit - true) / int(region.sum()) / model.config.colours)
            for name, told in (("missed", futures.other), ("hit", futures.own)):
                seeds = [derived_seed(seed, "optimism", number, i) for i in range(samples)]
                last = _sampled_ends(model, told, seeds, scoring)
                moved[name].append(_looks_hit(last, futures, region))
        if progress is not None:
            progress(1)
    return {
        "pairs": {kind: len(found) // 2 for kind, found in margins.items()},
        "margin_nats_per_subpixel": {
            kind: mean_and_error(found) for kind, found in margins.items() if found
        },
        "followed": {
            kind: float(np.mean([m > 0 for m in found])) for kind, found in margins.items() if found
        },
        "optimism": {
            "pairs": len(region_nats),
            "samples": samples,
            "looks_hit_when_missed": mean_and_error(moved["missed"]) if region_nats else None,
            "looks_hit_when_hit": mean_and_error(moved["hit"]) if region_nats else None,
            # Positive: the model holds the miss for likelier, as it should.
            "nats_per_subpixel_against_hit": mean_and_error(region_nats) if region_nats else None,
        },
    }


@torch.inference_mode()
def _sampled_ends(
    model: VideoPixelNetwork, told: Episode, seeds: Sequence[int], scoring: Scoring
) -> np.ndarray:
    """Last frames uint8 (N, C, H, W) of futures sampled from an episode's first frames, with its
    states and actions given."""
    copies = [
        torch.from_numpy(x.copy())[None].expand(len(seeds), *x.shape).to(scoring.device)
        for x in (told.frames[: scoring.context], told.states, told.actions)
    ]
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    return model.rollout(*copies, generator=generators).frames[:, -1].cpu().numpy()


def _looks_hit(last: np.ndarray, futures: Futures, region: np.ndarray) -> float:
    """Share of the frames (N, C, H, W) that are nearer to the hit's last frame in the region."""
    distances = [
        np.abs(last[..., region] - truth.frames[-1][..., region].astype(np.float64)).sum((1, 2))
        for truth in (futures.own, futures.other)
    ]
    return float(np.mean(distances[0] < distances[1]))


def following_text(report: dict[str, Any], name: str) -> str:
    """The figures, and a verdict on optimism."""
    rows = []
    for kind, label in ((OTHER, "another motion"), (MISS, "a push that misses")):
        if kind in report["followed"]:
            margin = report["margin_nats_per_subpixel"][kind]
            error = margin["standard_error"] or math.nan
            rows.append(
                [
                    label,
                    str(report["pairs"][kind]),
                    f"{margin['mean']:+.4f} ± {error:.4f}",
                    f"{report['followed'][kind]:.1%}",
                ]
            )
    header = [f"{name}: the same start under", "pairs", "margin, nats/sub-pixel", "followed"]
    table = text_table(header, rows)
    optimism = report["optimism"]
    if not optimism["pairs"]:
        return table
    return (
        f"{table}\noptimism: of {optimism['pairs']} pushes that miss, "
        f"{optimism['looks_hit_when_missed']['mean']:.1%} of samples look hit "
        f"({optimism['looks_hit_when_hit']['mean']:.1%} when it is hit); the model holds the miss "
        f"for likelier by {optimism['nats_per_subpixel_against_hit']['mean']:+.3f} nats per "
        "sub-pixel of the object"
    )
