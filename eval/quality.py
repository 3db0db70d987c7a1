"""Frame quality of sampled futures: PSNR and SSIM over the horizon, of all samples and of the best
of N."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pixelpush.errors import InputError
from pixelpush.files import atomic_file

MEASURES = ("psnr", "ssim")
UNITS = {"psnr": "dB", "ssim": ""}
# An exact copy would have infinite PSNR, which no mean survives; it counts as an error of one level
# in every 2,000th sub-pixel, about 81 dB.
_SMALLEST_MSE = 1 / 2000
_SSIM_WINDOW = 7


def psnr(truth: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio in dB over the last three axes. truth, frames: uint8 (..., C, H,
    W)."""
    error = np.square(truth.astype(np.float64) - frames.astype(np.float64)).mean(axis=(-3, -2, -1))
    return 10 * np.log10(255.0**2 / np.maximum(error, _SMALLEST_MSE))


def ssim(truth: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Structural similarity (Wang et al. 2004), scikit-image's: 7x7 windows, mean over channels.
    Shapes of ``psnr``."""
    from skimage.metrics import structural_similarity

    if min(truth.shape[-2:]) < _SSIM_WINDOW:
        raise InputError(
            f"SSIM needs frames of at least {_SSIM_WINDOW} pixels, got {truth.shape[-2:]}."
        )
    truth = np.broadcast_to(truth, frames.shape)
    pairs = zip(
        truth.reshape(-1, *truth.shape[-3:]), frames.reshape(-1, *frames.shape[-3:]), strict=True
    )
    values = [
        structural_similarity(a, b, channel_axis=0, data_range=255, win_size=_SSIM_WINDOW)
        for a, b in pairs
    ]
    return np.array(values).reshape(frames.shape[:-3])


def episode_quality(
    given: np.ndarray, truth: np.ndarray, samples: np.ndarray
) -> dict[str, dict[str, Any]]:
    """Curves of one episode, by measure.

    given: uint8 (context, C, H, W); truth: (steps, C, H, W); samples: (N, steps, C, H, W). 'mean':
    over the samples. 'best': of the sample with the highest mean over the horizon, chosen with the
    truth in hand (best of N), so it grows with N. 'copy': of repeating the last given frame."""
    curves = {}
    for name, measure in (("psnr", psnr), ("ssim", ssim)):
        each = measure(truth[None], samples)
        best = int(each.mean(axis=1).argmax())
        copied = measure(truth, np.broadcast_to(given[-1], truth.shape))
        curves[name] = {
            "mean": each.mean(axis=0),
            "best": each[best],
            "copy": copied,
            "best_sample": best,
        }
    return curves


def summarise_quality(
    episodes: Sequence[dict[str, dict[str, Any]]], samples: int
) -> dict[str, Any]:
    """Mean curves over episodes and their standard errors, as JSON values. Episodes must have one
    horizon."""
    horizons = {len(episode["psnr"]["mean"]) for episode in episodes}
    if len(horizons) != 1:
        raise InputError(
            f"quality over the horizon needs rollouts of one length, not {sorted(horizons)}; give "
            "--steps."
        )
    summary: dict[str, Any] = {
        "episodes": len(episodes),
        "samples": samples,
        "steps": horizons.pop(),
    }
    for name in MEASURES:
        summary[name] = {}
        for curve in ("mean", "best", "copy"):
            values = np.stack([episode[name][curve] for episode in episodes])
            error = values.std(axis=0, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else None
            summary[name][curve] = {
                "mean": float(values.mean()),
                "by_step": values.mean(axis=0).tolist(),
                "standard_error_by_step": None if error is None else error.tolist(),
            }
    return summary


def quality_figure(summary: dict[str, Any], path: Path, context: int) -> None:
    """PSNR and SSIM against the frame index, with one standard error over episodes."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    frames = np.arange(context, context + summary["steps"])
    labels = {
        "mean": f"samples, mean of {summary['samples']}",
        "best": f"best of {summary['samples']}",
        "copy": "last given frame, repeated",
    }
    looks = {"mean": ("#0072B2", "-"), "best": ("#D55E00", "-"), "copy": ("0.4", "--")}
    for axes, name in zip(figure.subplots(1, len(MEASURES)), MEASURES, strict=True):
        for curve, (colour, style) in looks.items():
            values = np.array(summary[name][curve]["by_step"])
            marker = "o" if len(values) == 1 else None
            axes.plot(frames, values, style, color=colour, label=labels[curve], marker=marker)
            error = summary[name][curve]["standard_error_by_step"]
            if error is not None:
                axes.fill_between(
                    frames, values - error, values + error, color=colour, alpha=0.15, lw=0
                )
        unit = f" ({UNITS[name]})" if UNITS[name] else ""
        axes.set(xlabel="frame index", ylabel=name.upper() + unit)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.axes[0].legend(frameon=False, fontsize=8)
    episodes = "1 episode" if summary["episodes"] == 1 else f"{summary['episodes']} episodes"
    figure.suptitle(f"{episodes}, band: one standard error", fontsize=9)
    with atomic_file(path) as partial:
        figure.savefig(partial, dpi=160)
