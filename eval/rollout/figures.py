"""All figures of sampled futures that need the truth: frames, what moves, poses, objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from pixelpush.eval.rollout.movement import (
    Push,
    moving,
    moving_psnr,
    pushes,
    sharpness,
    stray_share,
)
from pixelpush.eval.rollout.pose import pose_error
from pixelpush.eval.rollout.quality import psnr, ssim
from pixelpush.eval.statistics import mean_and_error
from pixelpush.vpn.pose_reader import PoseReader

# Of an episode of 20; a shorter one has the first of these only.
READ_FRAMES = (3, 8, 13, 19)
# What the simulated bin's labels must hold for pushed objects to be followed.
_LABELS = ("object_poses", "object_places", "object_visible", "segmentation")


@dataclass(frozen=True)
class FrameFigures:
    """Figures of frames, means over samples and steps.

    psnr, ssim: of whole frames; psnr_last: of the last one. copy_psnr: of the last given frame,
    repeated. moving_psnr: over the pixels that move; None where none does. sharpness: the samples'
    gradient energy over the truth's where it moves. strays: share of the still pixels off by more
    than 20 levels.

    >>> still = np.zeros((3, 1, 8, 8), np.uint8)
    >>> frame_figures(still, still[None, 1:], context=1).ssim
    1.0
    """

    psnr: float
    psnr_last: float
    copy_psnr: float
    moving_psnr: float | None
    ssim: float
    sharpness: float
    strays: float


@dataclass(frozen=True)
class EpisodeFigures:
    """Figures of one episode.

    poses: float32 (frames, N, 3, S), true states, those read from the true frames and from the
    samples, or None where no reader was given. pushes: objects that the truth pushes, for every
    sample.

    >>> [name for name in EpisodeFigures.__dataclass_fields__]
    ['frames', 'poses', 'pushes']
    """

    frames: FrameFigures
    poses: np.ndarray | None
    pushes: list[Push]


@dataclass(frozen=True)
class PoseReading:
    """Errors of poses read from frame ``frame``: of the samples, and of the true frames.

    >>> PoseReading(3, 1.5, 0.1, true_centimetres=0.5, true_radians=0.02).centimetres
    1.5
    """

    frame: int
    centimetres: float
    radians: float
    true_centimetres: float
    true_radians: float


@dataclass(frozen=True)
class ObjectFigures:
    """Objects that the truth moves by more than 3 cm and shows at both ends.

    pushed: how many, of all samples. followed: those that a sample moves at least half as far in
    the right direction (``Push.follows``). found_in_truth: those that the same matching follows in
    the true frames. pixels, copy_pixels: mean distance from the true place at the end, in samples
    and where the object stood.

    >>> ObjectFigures(pushed=4, followed=3, found_in_truth=4, pixels=1.5, copy_pixels=6.0).followed
    3
    """

    pushed: int
    followed: int
    found_in_truth: int
    pixels: float
    copy_pixels: float


@dataclass(frozen=True)
class FutureFigures:
    """Figures of a set of episodes. psnr_error: standard error over episodes; None for one.

    >>> still = np.zeros((3, 1, 8, 8), np.uint8)
    >>> frames = frame_figures(still, still[None, 1:], context=1)
    >>> FutureFigures(1, frames, psnr_error=None, poses=[], objects=None).frames.strays
    0.0
    """

    episodes: int
    frames: FrameFigures
    psnr_error: float | None
    poses: list[PoseReading]
    objects: ObjectFigures | None


def measure_futures(
    frames: np.ndarray,
    states: np.ndarray,
    samples: np.ndarray,
    extra: Mapping[str, np.ndarray],
    context: int,
    reader: PoseReader | None = None,
) -> EpisodeFigures:
    """Measure one episode's samples.

    frames: uint8 (T, C, H, W), the recorded episode. states: (T, S). samples: (N, T - context, C,
    H, W). extra: the data set's labels; pushed objects need the simulated bin's.

    >>> still, states = np.zeros((3, 1, 8, 8), np.uint8), np.zeros((3, 5), np.float32)
    >>> found = measure_futures(still, states, still[None, 1:], {}, context=1)
    >>> round(found.frames.psnr, 1), found.poses, found.pushes
    (81.1, None, [])
    """
    found: list[Push] = []
    if all(name in extra for name in _LABELS):
        for of_sample in pushes(frames, samples, extra, context):
            found += of_sample
    poses = None if reader is None else _poses(reader, frames, states, samples, context)
    return EpisodeFigures(frame_figures(frames, samples, context), poses, found)


def frame_figures(frames: np.ndarray, samples: np.ndarray, context: int) -> FrameFigures:
    """Return the figures of frames; arguments of ``measure_futures``.

    >>> still = np.zeros((3, 1, 8, 8), np.uint8)
    >>> figures = frame_figures(still, still[None, 1:] + 21, context=1)
    >>> figures.strays, figures.moving_psnr
    (1.0, None)
    """
    truth = frames[context:]
    last = frames[context - 1]
    moves = moving(last, truth)
    quality = psnr(truth[None], samples)
    where_moving = moving_psnr(truth, samples, moves)
    return FrameFigures(
        psnr=float(quality.mean()),
        psnr_last=float(quality[:, -1].mean()),
        copy_psnr=float(psnr(truth, np.broadcast_to(last, truth.shape)).mean()),
        moving_psnr=float(np.nanmean(where_moving)) if moves.any() else None,
        ssim=float(ssim(truth[None], samples).mean()),
        sharpness=sharpness(truth, samples, moves),
        strays=stray_share(truth, samples, last),
    )


def summarise_figures(episodes: Sequence[EpisodeFigures]) -> FutureFigures:
    """Means over episodes; poses and objects over all samples of all episodes.

    >>> still, states = np.zeros((3, 1, 8, 8), np.uint8), np.zeros((3, 5), np.float32)
    >>> one = measure_futures(still, states, still[None, 1:], {}, context=1)
    >>> found = summarise_figures([one, one])
    >>> found.episodes, found.psnr_error
    (2, 0.0)
    """
    error = mean_and_error([episode.frames.psnr for episode in episodes]).standard_error
    read = [episode.poses for episode in episodes if episode.poses is not None]
    poses = _pose_readings(np.concatenate(read, axis=1)) if read else []
    found = [push for episode in episodes for push in episode.pushes]
    objects = _object_figures(found) if found else None
    means = _mean_figures([episode.frames for episode in episodes])
    return FutureFigures(len(episodes), means, error, poses, objects)


def _mean_figures(figures: Sequence[FrameFigures]) -> FrameFigures:
    """The mean of each figure over those that have it; None where none has."""
    means = {}
    for name in vars(figures[0]):
        known = [value for value in (getattr(one, name) for one in figures) if value is not None]
        means[name] = float(np.mean(known)) if known else None
    return FrameFigures(**means)


def _poses(
    reader: PoseReader, frames: np.ndarray, states: np.ndarray, samples: np.ndarray, context: int
) -> np.ndarray:
    found = []
    for frame in [frame for frame in READ_FRAMES if context <= frame < len(frames)]:
        with torch.inference_mode():
            of_truth = reader(torch.from_numpy(frames[frame : frame + 1])).numpy()
            of_samples = reader(torch.from_numpy(samples[:, frame - context])).numpy()
        true = np.broadcast_to(states[frame], of_samples.shape)
        found.append(np.stack((true, np.broadcast_to(of_truth, true.shape), of_samples), axis=1))
    return np.stack(found)


def _pose_readings(found: np.ndarray) -> list[PoseReading]:
    readings = []
    for frame, states in zip(READ_FRAMES, torch.from_numpy(found), strict=False):
        true, of_truth, of_samples = states.unbind(1)
        sampled = pose_error(of_samples, true)
        usual = pose_error(of_truth, true)
        readings.append(
            PoseReading(
                frame, sampled.centimetres, sampled.radians, usual.centimetres, usual.radians
            )
        )
    return readings


def _object_figures(found: Sequence[Push]) -> ObjectFigures:
    # The same search in the true frames: the most that samples can be expected to show.
    in_truth = [Push(push.true_move, push.true_match, 0.0, push.true_match) for push in found]
    return ObjectFigures(
        pushed=len(found),
        followed=sum(push.follows for push in found),
        found_in_truth=sum(push.follows for push in in_truth),
        pixels=float(np.mean([push.distance for push in found])),
        copy_pixels=float(np.mean([np.linalg.norm(push.true_move) for push in found])),
    )
