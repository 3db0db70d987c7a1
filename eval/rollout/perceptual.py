"""Perceptual measures of sampled futures, with networks that users bring: LPIPS and FVD."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from pixelpush.errors import InputError
from pixelpush.eval.rollout.networks import I3D, LPIPS, filled, read_state
from pixelpush.eval.rollout.video import RolloutVideo

_FEATURES = 400  # of I3D: with fewer videos a covariance has no full rank


@dataclass
class Perceptual:
    """Gathers LPIPS by step and the features of FVD over the rollouts of a run.

    lpips, i3d: the networks, None where they are not asked for.

    >>> Perceptual(distances=[np.array([[0.1, 0.3]])]).to_json()["lpips"]
    {'mean': 0.2, 'by_step': [0.1, 0.3]}
    """

    lpips: LPIPS | None = None
    i3d: I3D | None = None
    device: str = "cpu"
    distances: list[np.ndarray] = field(default_factory=list)  # (N, steps) of each episode
    real: list[np.ndarray] = field(default_factory=list)  # (1, 400) of each episode
    sampled: list[np.ndarray] = field(default_factory=list)  # (N, 400)

    @torch.inference_mode()
    def add(self, video: RolloutVideo) -> None:
        """Measure one rollout. Raises InputError where it has no truth to its end, is grey, too
        small or too short."""
        if video.truth is None or len(video.truth) < video.samples.shape[1]:
            raise InputError(
                "--lpips and --fvd need a recorded truth for every sampled frame; give fewer "
                "--steps, or leave them out."
            )
        if video.given.shape[1] != 3:
            raise InputError("--lpips and --fvd look at colour videos; leave them out.")
        if self.lpips is not None:
            self.distances.append(self._distances(self.lpips, video))
        if self.i3d is not None:
            if video.frames < I3D.fewest_frames:
                raise InputError(
                    f"--fvd needs videos of at least {I3D.fewest_frames} frames, got "
                    f"{video.frames}; give more --steps."
                )
            truth = np.concatenate([video.given, video.truth])[None]
            given = np.broadcast_to(video.given, (len(video.samples), *video.given.shape))
            self.real.append(self._scores(self.i3d, truth))
            futures = np.concatenate([given, video.samples], axis=1)
            self.sampled.append(self._scores(self.i3d, futures))

    def _distances(self, network: LPIPS, video: RolloutVideo) -> np.ndarray:
        assert video.truth is not None
        if min(video.given.shape[2:]) < LPIPS.smallest:
            raise InputError(
                f"--lpips needs frames of at least {LPIPS.smallest} pixels; leave it out."
            )
        truth = torch.from_numpy(video.truth).to(self.device)
        samples = [torch.from_numpy(sample).to(self.device) for sample in video.samples]
        return np.stack([network(sample, truth).cpu().numpy() for sample in samples])

    def _scores(self, network: I3D, videos: np.ndarray) -> np.ndarray:
        each = [torch.from_numpy(video[None]).to(self.device) for video in videos]
        return np.concatenate([network(video).cpu().numpy() for video in each])

    def to_json(self) -> dict[str, object]:
        """The values of perceptual.json."""
        found: dict[str, object] = {"episodes": max(len(self.distances), len(self.real))}
        if self.distances:
            each = np.stack([values.mean(axis=0) for values in self.distances]).astype(np.float64)
            found["lpips"] = {"mean": float(each.mean()), "by_step": each.mean(axis=0).tolist()}
        if self.real:
            real = np.concatenate(self.real).astype(np.float64)
            sampled = np.concatenate(self.sampled).astype(np.float64)
            found["fvd"] = {
                "value": None if min(len(real), len(sampled)) < 2 else frechet(real, sampled),
                "real_videos": len(real),
                "sampled_videos": len(sampled),
                "too_few_videos": min(len(real), len(sampled)) <= _FEATURES,
            }
        return found


def load_perceptual(lpips: Path | None, fvd: Path | None, device: str) -> Perceptual | None:
    """The networks in the given files; None where none is asked for. Raises InputError for a file
    that is no such network.

    >>> load_perceptual(None, None, "cpu") is None
    True
    >>> load_perceptual(Path("nowhere.pt"), None, "cpu")
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: nowhere.pt: no such file; name a file of weights ...
    """
    if lpips is None and fvd is None:
        return None
    found = Perceptual(device=device)
    if lpips is not None:
        found.lpips = LPIPS()
        filled(found.lpips, read_state(lpips), lpips).to(device)
    if fvd is not None:
        found.i3d = I3D()
        filled(found.i3d.blocks, read_state(fvd), fvd)
        found.i3d.eval().to(device)
    return found


def frechet(first: np.ndarray, second: np.ndarray) -> float:
    """Squared Frechet distance of two Gaussians fitted to rows of features, float64 (n, D): the FVD
    of I3D's features (Unterthiner et al. 2018, equation 2).

    >>> features = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> round(frechet(features, features + 2), 6)
    8.0
    """
    difference = first.mean(axis=0) - second.mean(axis=0)
    a = np.cov(first, rowvar=False)
    b = np.cov(second, rowvar=False)
    # tr sqrt(A B) = tr sqrt(sqrt(A) B sqrt(A)), which is symmetric and needs no SciPy.
    values, vectors = np.linalg.eigh(a)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    middle = np.linalg.eigvalsh(root @ b @ root)
    cross = np.sqrt(np.clip(middle, 0, None)).sum()
    return float(difference @ difference + np.trace(a) + np.trace(b) - 2 * cross)
