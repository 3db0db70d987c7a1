"""Whether a model predicts the future that its actions lead to, and whether it is an optimist.

Both futures of a pair are scored under both lists of actions and states: a model that follows its
actions finds each future likelier under its own list. An optimist moves the object although the
push misses it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from pixelpush.datasets.episodes import Episode
from pixelpush.eval.clips import Scoring, pixel_nats
from pixelpush.eval.listening.counterfactuals import MISS, OTHER, Futures
from pixelpush.eval.statistics import MeanAndError, mean_and_error
from pixelpush.eval.text import text_table
from pixelpush.progress import Advance
from pixelpush.training.seeding import derived_seed
from pixelpush.vpn import VideoPixelNetwork

# What a segmentation holds: 0 background, 1 arm, 2 + k object k.
_ARM = 1
_FIRST_OBJECT = 2
# A region of fewer pixels shows too little of the object.
_FEWEST_PIXELS = 6


def crossed(futures: Futures) -> tuple[Episode, Episode]:
    """Each future's frames with the other's states and actions.

    >>> from pixelpush.eval.listening.counterfactuals import Pair
    >>> frames, rows = np.zeros((2, 3, 8, 8), np.uint8), np.zeros((2, 5), np.float32)
    >>> own = Episode(frames, rows, rows, "own")
    >>> other = Episode(frames, rows, rows + 1, "other")
    >>> float(crossed(Futures(Pair("val", 0, OTHER), own, other))[0].actions.mean())
    1.0
    """
    own = futures.own
    other = futures.other
    return (
        replace(own, states=other.states, actions=other.actions),
        replace(other, states=own.states, actions=own.actions),
    )


def target_region(futures: Futures) -> np.ndarray:
    """bool (H, W): the last frame's pixels that show the pushed object in one future and not in the
    other, the arm in neither.

    >>> from pixelpush.eval.listening.counterfactuals import Pair
    >>> frames, rows = np.zeros((1, 3, 1, 3), np.uint8), np.zeros((1, 5), np.float32)
    >>> own = Episode(frames, rows, rows, "own", {"segmentation": np.array([[[2, 0, 1]]])})
    >>> other = Episode(frames, rows, rows, "other", {"segmentation": np.array([[[0, 2, 2]]])})
    >>> target_region(Futures(Pair("val", 0, MISS, target=0), own, other))
    array([[ True,  True, False]])
    """
    label = _FIRST_OBJECT + futures.pair.target
    last = [episode.extra["segmentation"][-1] for episode in (futures.own, futures.other)]
    arm = (last[0] == _ARM) | (last[1] == _ARM)
    return ((last[0] == label) != (last[1] == label)) & ~arm


@dataclass(frozen=True)
class Optimism:
    """What a model makes of pushes that miss; None where no pair shows the object.

    samples: futures sampled of every miss. looks_hit_when_missed: share whose pushed object looks
    as if it had been hit; looks_hit_when_hit: the same when it is hit.
    nats_per_subpixel_against_hit: positive where the model prefers the miss, as it should.

    >>> Optimism(pairs=0, samples=4).looks_hit_when_hit is None
    True
    """

    pairs: int
    samples: int
    looks_hit_when_missed: MeanAndError | None = None
    looks_hit_when_hit: MeanAndError | None = None
    nats_per_subpixel_against_hit: MeanAndError | None = None


@dataclass(frozen=True)
class Following:
    """How a model follows, by kind of pair.

    margin_nats_per_subpixel: nats of a future under the other list minus under its own; positive is
    followed. followed: share of the futures with a positive margin.

    >>> Following({MISS: 1}, {MISS: MeanAndError(0.02, None)}, {MISS: 1.0}, Optimism(0, 4)).followed
    {'miss': 1.0}
    """

    pairs: dict[str, int]
    margin_nats_per_subpixel: dict[str, MeanAndError]
    followed: dict[str, float]
    optimism: Optimism


def measure_following(
    model: VideoPixelNetwork,
    pairs: Sequence[Futures],
    scoring: Scoring,
    samples: int = 4,
    seed: int = 0,
    progress: Advance | None = None,
) -> Following:
    """Margins in nats, share followed, and optimism.

    samples: futures sampled of every miss, from ``seed``.

    >>> from pixelpush.eval.listening.counterfactuals import Pair
    >>> from pixelpush.vpn import build_model
    >>> rows = np.zeros((3, 5), np.float32)
    >>> still = Episode(np.zeros((3, 3, 8, 8), np.uint8), rows, rows, "still")
    >>> alike = Futures(Pair("val", 0, OTHER), own=still, other=still)
    >>> model = build_model("ot", frame_size=8, coarse_scales=0)
    >>> measure_following(model, [alike], Scoring()).followed
    {'other': 0.0}
    """
    margins: dict[str, list[float]] = {OTHER: [], MISS: []}
    misses = _Misses(model, scoring, samples, seed)
    for number, futures in enumerate(pairs):
        own, other, own_false, other_false = pixel_nats(
            model, [futures.own, futures.other, *crossed(futures)], scoring
        )
        subpixels = own.size * model.config.colours
        for true, false in ((own, own_false), (other, other_false)):
            cost = float((false - true).sum(dtype=np.float64)) / subpixels
            margins[futures.pair.kind].append(cost)
        if futures.pair.kind == MISS:
            # Under the missing push: what happened, against the look of a hit.
            misses.add(number, futures, other[-1], own_false[-1])
        if progress is not None:
            progress(1)
    there = {kind: found for kind, found in margins.items() if found}
    return Following(
        pairs={kind: len(found) // 2 for kind, found in margins.items()},
        margin_nats_per_subpixel={kind: mean_and_error(found) for kind, found in there.items()},
        followed={kind: float(np.mean(np.array(found) > 0)) for kind, found in there.items()},
        optimism=misses.describe(),
    )


class _Misses:
    """What is measured of pushes that miss, pair by pair."""

    def __init__(self, model: VideoPixelNetwork, scoring: Scoring, samples: int, seed: int):
        self._model = model
        self._scoring = scoring
        self._samples = samples
        self._seed = seed
        self._nats: list[float] = []
        self._missed: list[float] = []
        self._hit: list[float] = []

    def add(self, number: int, futures: Futures, miss: np.ndarray, hit: np.ndarray) -> None:
        """Take in a pair. miss, hit: nats (H, W) of both last frames under the missing push."""
        region = target_region(futures)
        count = int(region.sum())
        if count < _FEWEST_PIXELS:
            return
        difference = float(hit[region].sum() - miss[region].sum())
        self._nats.append(difference / count / self._model.config.colours)
        self._missed.append(self._share_hit(number, futures, futures.other, region))
        self._hit.append(self._share_hit(number, futures, futures.own, region))

    def _share_hit(self, number: int, futures: Futures, told: Episode, region: np.ndarray) -> float:
        seeds = [derived_seed(self._seed, "optimism", number, i) for i in range(self._samples)]
        last = _sampled_ends(self._model, told, seeds, self._scoring)
        return _looks_hit(last, futures, region)

    def describe(self) -> Optimism:
        """What was found."""
        if not self._nats:
            return Optimism(0, self._samples)
        return Optimism(
            len(self._nats),
            self._samples,
            mean_and_error(self._missed),
            mean_and_error(self._hit),
            mean_and_error(self._nats),
        )


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


def following_text(report: Following, name: str) -> str:
    """The figures, and a verdict on optimism.

    >>> margin = MeanAndError(0.02, 0.005)
    >>> report = Following({MISS: 2}, {MISS: margin}, {MISS: 0.75}, Optimism(0, 4))
    >>> print(following_text(report, "small").splitlines()[-1])
    a push that misses               2        +0.0200 ± 0.0050     75.0%
    """
    rows = []
    for kind, label in ((OTHER, "another motion"), (MISS, "a push that misses")):
        if kind in report.followed:
            margin = report.margin_nats_per_subpixel[kind]
            error = margin.standard_error or math.nan
            rows.append(
                [
                    label,
                    str(report.pairs[kind]),
                    f"{margin.mean:+.4f} ± {error:.4f}",
                    f"{report.followed[kind]:.1%}",
                ]
            )
    header = [f"{name}: the same start under", "pairs", "margin, nats/sub-pixel", "followed"]
    return "\n".join([text_table(header, rows), *_optimism_lines(report.optimism)])


def _optimism_lines(found: Optimism) -> list[str]:
    missed = found.looks_hit_when_missed
    hit = found.looks_hit_when_hit
    nats = found.nats_per_subpixel_against_hit
    if missed is None or hit is None or nats is None:
        return []
    return [
        f"optimism: of {found.pairs} pushes that miss, {missed.mean:.1%} of samples look hit "
        f"({hit.mean:.1%} when it is hit); the model prefers the miss by "
        f"{nats.mean:+.3f} nats per sub-pixel of the object"
    ]
