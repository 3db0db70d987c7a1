"""Frame quality of sampled futures: PSNR and SSIM over the horizon, of all samples and of the best
of N."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pixelpush.errors import InputError
from pixelpush.eval.figures import figure_file
from pixelpush.words import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CURVES = ("mean", "best", "copy")
# An exact copy would have infinite PSNR, which no mean survives; it counts as an error of one level
# in every 2,000th sub-pixel, about 81 dB.
_SMALLEST_MSE = 1 / 2000
_SSIM_WINDOW = 7
# Wang et al. 2004: (0.01 * 255)^2 and (0.03 * 255)^2.
_SSIM_C1 = 2.55**2
_SSIM_C2 = 7.65**2


def psnr(truth: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio in dB over the last three axes. truth, frames: uint8 (..., C, H,
    W).

    >>> black = np.zeros((3, 4, 4), np.uint8)
    >>> round(float(psnr(black, black + 1)), 2)
    48.13
    """
    error = np.square(truth.astype(np.float64) - frames.astype(np.float64)).mean(axis=(-3, -2, -1))
    return decibels(error)


def decibels(error: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio in dB of mean squared errors, in levels squared; NaN stays NaN.

    >>> decibels(np.array([255.0**2, 0.0])).round(1).tolist()
    [0.0, 81.1]
    """
    return 10 * np.log10(255.0**2 / np.maximum(error, _SMALLEST_MSE))


def ssim(truth: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Structural similarity (Wang et al. 2004, equation 13) over 7x7 windows that lie in the frame,
    with sample covariances; mean over windows and channels, as scikit-image has it. Shapes of
    ``psnr``.

    Raises InputError for frames smaller than a window.

    >>> frames = np.zeros((3, 8, 8), np.uint8)
    >>> float(ssim(frames, frames))
    1.0
    """
    if min(truth.shape[-2:]) < _SSIM_WINDOW:
        raise InputError(
            f"SSIM needs frames of at least {_SSIM_WINDOW} pixels, got {truth.shape[-2:]}."
        )
    x = truth.astype(np.int64)
    y = frames.astype(np.int64)
    pixels = _SSIM_WINDOW**2
    mean_x = _window_sums(x) / pixels
    mean_y = _window_sums(y) / pixels
    # Sample covariances, from exact whole sums: E[xy] - E[x] E[y], times n / (n - 1).
    unbiased = pixels / (pixels - 1)
    variance_x = unbiased * (_window_sums(x * x) / pixels - mean_x**2)
    variance_y = unbiased * (_window_sums(y * y) / pixels - mean_y**2)
    covariance = unbiased * (_window_sums(x * y) / pixels - mean_x * mean_y)
    luminance = (2 * mean_x * mean_y + _SSIM_C1) / (mean_x**2 + mean_y**2 + _SSIM_C1)
    structure = (2 * covariance + _SSIM_C2) / (variance_x + variance_y + _SSIM_C2)
    return (luminance * structure).mean(axis=(-3, -2, -1))


def _window_sums(values: np.ndarray) -> np.ndarray:
    """Sums over all windows inside the last two axes: int64 (..., H, W) -> (..., H - 6, W - 6),
    exact."""
    for axis in (-1, -2):
        # A window's sum is a difference of two running sums: the same work for any window.
        ends = np.cumsum(np.moveaxis(values, axis, -1), axis=-1)
        starts = np.pad(ends[..., :-_SSIM_WINDOW], [(0, 0)] * (ends.ndim - 1) + [(1, 0)])
        values = np.moveaxis(ends[..., _SSIM_WINDOW - 1 :] - starts, -1, axis)
    return values


@dataclass(frozen=True)
class Measure:
    """A measure of frame quality: name, unit, digits to print, function of (truth, frames).

    >>> [(measure.name, measure.unit) for measure in MEASURES]
    [('psnr', 'dB'), ('ssim', '')]
    """

    name: str
    unit: str
    digits: int
    function: Callable[[np.ndarray, np.ndarray], np.ndarray]


# The one list of measures: JSON, figure and results tables go through it.
MEASURES = (Measure("psnr", "dB", 2, psnr), Measure("ssim", "", 3, ssim))


@dataclass(frozen=True)
class Curves:
    """A measure of one episode over the horizon, float64 (steps,) each.

    mean: over the samples. best: of the sample with the highest mean over the horizon, chosen with
    the truth in hand (best of N), so it grows with N; best_sample is its number. copy: of repeating
    the last given frame.

    >>> Curves(np.ones(2), np.full(2, 3.0), np.zeros(2), best_sample=1).best.tolist()
    [3.0, 3.0]
    """

    mean: np.ndarray
    best: np.ndarray
    copy: np.ndarray
    best_sample: int


# One episode's curves by the name of the measure.
EpisodeQuality = dict[str, Curves]


def episode_quality(given: np.ndarray, truth: np.ndarray, samples: np.ndarray) -> EpisodeQuality:
    """Curves of one episode, by measure.

    given: uint8 (context, C, H, W); truth: (steps, C, H, W); samples: (N, steps, C, H, W).

    >>> frames = np.zeros((3, 1, 8, 8), np.uint8)
    >>> float(episode_quality(frames[:1], frames[1:], frames[None, 1:])["ssim"].mean[0])
    1.0
    """
    curves = {}
    for measure in MEASURES:
        each = measure.function(truth[None], samples)
        best = int(each.mean(axis=1).argmax())
        copied = measure.function(truth, np.broadcast_to(given[-1], truth.shape))
        curves[measure.name] = Curves(each.mean(axis=0), each[best], copied, best)
    return curves


@dataclass(frozen=True)
class CurveSummary:
    """A curve, averaged over episodes. standard_error_by_step: over episodes; None for one.

    >>> CurveSummary(2.0, [1.0, 3.0], None).by_step
    [1.0, 3.0]
    """

    mean: float
    by_step: list[float]
    standard_error_by_step: list[float] | None


@dataclass(frozen=True)
class QualitySummary:
    """Mean curves over episodes: ``measures[measure][curve]``, curve one of mean, best, copy.

    >>> QualitySummary(episodes=4, samples=2, steps=3, measures={}).to_json()
    {'episodes': 4, 'samples': 2, 'steps': 3}
    """

    episodes: int
    samples: int
    steps: int
    measures: dict[str, dict[str, CurveSummary]]

    def to_json(self) -> dict[str, object]:
        """The values of quality.json (docs/evaluation.md)."""
        curves = {
            name: {curve: asdict(summary) for curve, summary in by_curve.items()}
            for name, by_curve in self.measures.items()
        }
        counts = {"episodes": self.episodes, "samples": self.samples, "steps": self.steps}
        return {**counts, **curves}


def summarise_quality(episodes: Sequence[EpisodeQuality], samples: int) -> QualitySummary:
    """Mean curves over episodes and their standard errors.

    Raises InputError unless all episodes have one horizon.

    >>> frames = np.zeros((3, 1, 8, 8), np.uint8)
    >>> one = episode_quality(frames[:1], frames[1:], frames[None, 1:])
    >>> summarise_quality([one], samples=1).measures["ssim"]["best"].by_step
    [1.0, 1.0]
    """
    horizons = {len(curves.mean) for episode in episodes for curves in episode.values()}
    if len(horizons) != 1:
        raise InputError(
            f"quality over the horizon needs rollouts of one length, not {sorted(horizons)}; give "
            "--steps."
        )
    measures = {
        measure.name: {
            curve: _summary([getattr(episode[measure.name], curve) for episode in episodes])
            for curve in CURVES
        }
        for measure in MEASURES
    }
    return QualitySummary(len(episodes), samples, horizons.pop(), measures)


def _summary(curves: Sequence[np.ndarray]) -> CurveSummary:
    values = np.stack(curves)
    error = None
    if len(values) > 1:
        error = (values.std(axis=0, ddof=1) / np.sqrt(len(values))).tolist()
    return CurveSummary(float(values.mean()), values.mean(axis=0).tolist(), error)


def quality_figure(summary: QualitySummary, path: Path, context: int) -> None:
    """PSNR and SSIM against the frame index, with one standard error over episodes.

    >>> import tempfile
    >>> frames = np.zeros((3, 1, 8, 8), np.uint8)
    >>> one = episode_quality(frames[:1], frames[1:], frames[None, 1:])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     quality_figure(summarise_quality([one], 1), Path(folder) / "a.svg", context=1)
    ...     (Path(folder) / "a.svg").is_file()
    True
    """
    with figure_file(path, 8, 3.2, dpi=160) as figure:
        for axes, measure in zip(figure.subplots(1, len(MEASURES)), MEASURES, strict=True):
            _draw_measure(axes, measure, summary, context)
        figure.axes[0].legend(frameon=False, fontsize=8)
        episodes = counted(summary.episodes, "episode")
        figure.suptitle(f"{episodes}, band: one standard error", fontsize=9)


def _draw_measure(axes: Axes, measure: Measure, summary: QualitySummary, context: int) -> None:
    frames = np.arange(context, context + summary.steps)
    labels = {
        "mean": f"samples, mean of {summary.samples}",
        "best": f"best of {summary.samples}",
        "copy": "last given frame, repeated",
    }
    looks = {"mean": ("#0072B2", "-"), "best": ("#D55E00", "-"), "copy": ("0.4", "--")}
    for curve, (colour, style) in looks.items():
        found = summary.measures[measure.name][curve]
        values = np.array(found.by_step)
        marker = "o" if len(values) == 1 else None
        axes.plot(frames, values, style, color=colour, label=labels[curve], marker=marker)
        if found.standard_error_by_step is not None:
            error = np.array(found.standard_error_by_step)
            axes.fill_between(
                frames, values - error, values + error, color=colour, alpha=0.15, lw=0
            )
    unit = f" ({measure.unit})" if measure.unit else ""
    axes.set(xlabel="frame index", ylabel=measure.name.upper() + unit)
    axes.locator_params(axis="x", integer=True)
