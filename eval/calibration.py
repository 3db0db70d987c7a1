"""Calibration: where the true level falls within its predicted distribution.

Under a calibrated model the predicted cumulative probability of what really comes is uniform. For
levels, which are discrete, each one spreads its share evenly over the interval of probability that
it covers (the non-randomised transform of Czado, Gneiting and Held 2009, Biometrics 65): uniform
again, without a random number. A hump in the middle means that predictions are too cautious, a bowl
that they are too sure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from pixelpush.datasets.episodes import Episode
from pixelpush.eval.coding.walks import walk_video
from pixelpush.eval.figures import figure_file
from pixelpush.eval.text import text_table
from pixelpush.image.choosing import Walk
from pixelpush.progress import Advance
from pixelpush.vpn import VideoPixelNetwork
from pixelpush.vpn.scoring import scoring_windows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BINS = 20
COVERAGES = (0.5, 0.8, 0.9, 0.95, 0.99)
# A pixel moves where a channel differs from the frame before by more levels than noise explains.
MOVING_LEVELS = 8
GROUPS = ("still", "moving")


@dataclass(frozen=True)
class GroupCalibration:
    """A group of sub-pixels; both lists are empty where there are none.

    histogram: density of the rank in each bin, 1 where calibrated. coverage: share of the truth in
    each central predicted interval, by the interval's probability.

    >>> GroupCalibration(0, [], {}).subpixels
    0
    """

    subpixels: int
    histogram: list[float]
    coverage: dict[str, float]


@dataclass(frozen=True)
class Calibration:
    """What ``calibration`` found, by group. moving_levels: a change of more levels makes
    a pixel moving.

    >>> Calibration(episodes=4, moving_levels=8, groups={}).episodes
    4
    """

    episodes: int
    moving_levels: int
    groups: dict[str, GroupCalibration]


@dataclass
class Tally:
    """Sums for one group of sub-pixels. below: float64, share of the mass below each edge, summed
    over sub-pixels: first the ``BINS`` + 1 edges of the histogram, then both ends of each predicted
    interval.

    >>> tally = Tally()
    >>> tally.add(torch.zeros(2, dtype=torch.float64), torch.ones(2, dtype=torch.float64))
    >>> round(sum(tally.describe().histogram) / BINS, 6)
    1.0
    """

    count: int = 0
    below: np.ndarray = field(default_factory=lambda: np.zeros(len(_edges())))

    def add(self, low: Tensor, high: Tensor) -> None:
        """Take in sub-pixels whose levels cover the probabilities ``low`` to ``high``, (n,)."""
        width = (high - low).clamp(min=1e-12)[:, None]
        # Mass below an edge e of a uniform distribution on [low, high]: (e - low) / (high - low),
        # within 0 and 1.
        share = ((torch.from_numpy(_edges()) - low[:, None]) / width).clamp(0, 1)
        self.count += len(low)
        self.below += share.sum(0).numpy()

    def describe(self) -> GroupCalibration:
        """The shares that were found."""
        if not self.count:
            return GroupCalibration(0, [], {})
        below = self.below / self.count
        ends = below[BINS + 1 :].reshape(-1, 2)
        return GroupCalibration(
            self.count,
            (np.diff(below[: BINS + 1]) * BINS).tolist(),
            {
                str(nominal): float(high - low)
                for nominal, (low, high) in zip(COVERAGES, ends, strict=True)
            },
        )


def _edges() -> np.ndarray:
    intervals = [((1 - c) / 2, (1 + c) / 2) for c in COVERAGES]
    return np.concatenate((np.linspace(0, 1, BINS + 1), np.ravel(intervals)))


class MeasuringWalk(Walk):
    """Looks up where each true level falls within its predicted distribution.

    >>> issubclass(MeasuringWalk, Walk)
    True
    """

    def __init__(self, pixels: Tensor, moving: Tensor, tallies: dict[str, Tally]):
        super().__init__(pixels)
        self.moving = moving
        self.tallies = tallies

    def levels(self, probabilities: Tensor, levels: Tensor, places: Tensor, channel: int) -> Tensor:
        cumulative = probabilities.double().cumsum(dim=1)
        at = levels.long()[:, None]
        total = cumulative[:, -1]
        # F(level) and F(level - 1): the interval of probability that the level covers.
        high = cumulative.gather(1, at)[:, 0] / total
        low = high - probabilities.double().gather(1, at)[:, 0] / total
        moving = self.moving[places]
        for name, group in zip(GROUPS, (~moving, moving), strict=True):
            self.tallies[name].add(low[group], high[group])
        return levels


def calibration(
    model: VideoPixelNetwork,
    episodes: Sequence[Episode],
    context: int = 2,
    clip_frames: int = 20,
    progress: Advance | None = None,
) -> Calibration:
    """Rank histogram and coverage over all predicted sub-pixels of the episodes, for pixels that
    are still and that move (by more than ``MOVING_LEVELS`` since the frame before).

    Costs as much as coding the episodes: the whole distribution of every sub-pixel is computed.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0)
    >>> rows = np.zeros((3, 5), np.float32)
    >>> episode = Episode(np.zeros((3, 3, 8, 8), np.uint8), rows, rows, "a")
    >>> calibration(model, [episode]).groups["still"].subpixels
    192
    """
    tallies = {name: Tally() for name in GROUPS}
    for episode in episodes:
        frames = torch.from_numpy(episode.frames.copy())[None]
        numbers = iter(_predicted(len(frames[0]), context, clip_frames))

        def walk(frame: Tensor, frames: Tensor = frames, numbers: Any = numbers) -> Walk:
            before = frames[:, next(numbers) - 1].short()
            moving = ((frame.short() - before).abs() > MOVING_LEVELS).any(dim=1).flatten()
            return MeasuringWalk.of(frame, moving, tallies)

        states, actions = (
            torch.from_numpy(x.copy())[None] for x in (episode.states, episode.actions)
        )
        windows = scoring_windows(len(episode.frames), clip_frames, context)
        walk_video(model, frames, states, actions, windows, context, walk)
        if progress is not None:
            progress(1)
    groups = {name: tally.describe() for name, tally in tallies.items()}
    return Calibration(len(episodes), MOVING_LEVELS, groups)


def _predicted(length: int, context: int, clip_frames: int) -> list[int]:
    """Numbers of the predicted frames, in the order in which they are walked."""
    windows = scoring_windows(length, clip_frames, context)
    return [number for window in windows for number in window[context:]]


def coverage_text(report: Calibration) -> str:
    """Predicted intervals and what they held.

    >>> found = GroupCalibration(10, [1.0] * BINS, {str(c): c for c in COVERAGES})
    >>> coverage_text(Calibration(1, 8, {"still": found})).splitlines()[-1].split()[:3]
    ['still', '10', '0.500']
    """
    rows = [
        [name, f"{group.subpixels:,}", *(f"{group.coverage[str(c)]:.3f}" for c in COVERAGES)]
        for name, group in report.groups.items()
        if group.subpixels
    ]
    return text_table(["predicted intervals hold", "sub-pixels", *map(str, COVERAGES)], rows)


def draw_ranks(report: Calibration, axes: Axes) -> None:
    """Draw the rank histograms.

    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> found = GroupCalibration(10, [1.0] * BINS, {str(c): c for c in COVERAGES})
    >>> draw_ranks(Calibration(1, 8, {"still": found, "moving": found}), axes)
    >>> axes.get_title()
    'rank of the truth'
    """
    for name, colour, group in _drawn_groups(report):
        density = [*group.histogram, group.histogram[-1]]
        edges = np.linspace(0, 1, BINS + 1)
        axes.step(edges, density, where="post", lw=1.2, color=colour, label=name)
    axes.axhline(1, ls=":", color="0.4")
    axes.set(title="rank of the truth", xlabel="predicted cumulative probability")
    axes.set(ylabel="density", ylim=(0, None))
    axes.legend(fontsize=7, frameon=False)


def draw_coverage(report: Calibration, axes: Axes) -> None:
    """Draw what the predicted intervals hold.

    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> found = GroupCalibration(10, [1.0] * BINS, {str(c): c for c in COVERAGES})
    >>> draw_coverage(Calibration(1, 8, {"still": found, "moving": found}), axes)
    >>> axes.get_title()
    'predicted intervals'
    """
    for name, colour, group in _drawn_groups(report):
        found = [0.0, *(group.coverage[str(c)] for c in COVERAGES), 1.0]
        nominal = [0.0, *COVERAGES, 1.0]
        axes.plot(nominal, found, marker="o", ms=3, lw=1.2, color=colour, label=name)
    axes.plot([0, 1], [0, 1], ls=":", color="0.4")
    axes.set(title="predicted intervals", xlabel="predicted probability")
    axes.set(ylabel="share of the truth")
    axes.legend(fontsize=7, frameon=False)


def _drawn_groups(report: Calibration) -> list[tuple[str, str, GroupCalibration]]:
    """Name, colour and figures of the groups that have sub-pixels."""
    colours = zip(GROUPS, ("#0072B2", "#D55E00"), strict=True)
    return [
        (name, colour, report.groups[name])
        for name, colour in colours
        if report.groups[name].subpixels
    ]


def calibration_figure(report: Calibration, path: Path) -> None:
    """Both panels in a file of their own.

    >>> import tempfile
    >>> found = GroupCalibration(10, [1.0] * BINS, {str(c): c for c in COVERAGES})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.png"
    ...     calibration_figure(Calibration(1, 8, {"still": found, "moving": found}), file)
    ...     file.is_file()
    True
    """
    with figure_file(path, 7, 3) as figure:
        ranks, coverage = figure.subplots(1, 2)
        draw_ranks(report, ranks)
        draw_coverage(report, coverage)
