"""Sampled futures of recorded episodes, or of two frames and a list of actions, written as MP4,
strip and arrays."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from pixelpush.datasets.episodes import Episode
from pixelpush.eval.rollout.drawing import displacements
from pixelpush.eval.rollout.frame_table import write_frame_table
from pixelpush.eval.rollout.horizon import plan_horizon
from pixelpush.eval.rollout.movie import movie_frames
from pixelpush.eval.rollout.mp4 import write_gif, write_mp4, write_png
from pixelpush.eval.rollout.settings import RolloutSettings
from pixelpush.eval.rollout.video import RolloutVideo, rollout_strip
from pixelpush.files import atomic_file
from pixelpush.training.seeding import derived_seed
from pixelpush.vpn import VideoPixelNetwork


@dataclass(frozen=True)
class Futures:
    """Futures sampled from one context.

    frames: uint8 (N, steps, C, H, W). log_prob: float32 (N, steps, H,
    W), nats per pixel of the samples themselves at temperature 1. states: (N, context + steps, S).
    network_evaluations: per frame. state_error: float64 (N, known), of predicted states where the
    recorded ones are known: root mean square over the entries, in standard deviations of the
    training states.

    >>> frames = np.zeros((2, 3, 1, 8, 8), np.uint8)
    >>> Futures(frames, np.zeros((2, 3, 8, 8)), np.zeros((2, 5, 4)), 1).frames.shape[1]
    3
    """

    frames: np.ndarray
    log_prob: np.ndarray
    states: np.ndarray
    network_evaluations: int
    state_error: np.ndarray | None = None


def sample_futures(
    model: VideoPixelNetwork,
    frames: np.ndarray,
    states: np.ndarray,
    actions: np.ndarray,
    steps: int,
    settings: RolloutSettings,
    number: int = 0,
) -> Futures:
    """Sample ``settings.samples`` futures of one context.

    frames: uint8 (context, C, H, W); states: (>= context, S); actions: (>= context + steps - 1, A).
    number: the episode's, for the seeds. Sample i depends on (seed, number, i) only, not on how
    many are drawn.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0).eval()
    >>> frames, rows = np.zeros((2, 3, 8, 8), np.uint8), np.zeros((4, 5), np.float32)
    >>> sample_futures(model, frames, rows, rows, 3, RolloutSettings(samples=2)).frames.shape
    (2, 3, 3, 8, 8)
    """
    # A stream for every sample: neither the number of samples nor the batch changes a future.
    seeds = [
        derived_seed(settings.seed, "rollout", number, sample) for sample in range(settings.samples)
    ]
    device = device_of(model)
    parts = []
    for first in range(0, len(seeds), settings.batch_size):
        generators = [
            torch.Generator().manual_seed(seed)
            for seed in seeds[first : first + settings.batch_size]
        ]
        copies = (
            torch.from_numpy(np.ascontiguousarray(array))
            .to(device)
            .expand(len(generators), *array.shape)
            for array in (frames, states, actions)
        )
        parts.append(
            model.rollout(
                *copies, generator=generators, temperature=settings.temperature, steps=steps
            )
        )

    def joined(name: str) -> np.ndarray:
        return torch.cat([getattr(part, name).cpu() for part in parts]).numpy()

    return Futures(
        joined("frames"), joined("log_prob"), joined("states"), parts[0].network_evaluations
    )


def rollout_episode(
    model: VideoPixelNetwork,
    episode: Episode,
    number: int,
    settings: RolloutSettings,
    title: str,
    context: int = 2,
    own_actions: np.ndarray | None = None,
) -> tuple[RolloutVideo, Futures]:
    """Sample a recorded episode's futures and score its truth under teacher forcing.

    own_actions: what the arm does in place of the recorded actions (``plan_horizon``). What would
    then have happened is not recorded, so the heat map is the model's uncertainty.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0).eval()
    >>> rows = np.zeros((4, 5), np.float32)
    >>> episode = Episode(np.zeros((4, 3, 8, 8), np.uint8), rows, rows, "a")
    >>> video, futures = rollout_episode(model, episode, 0, RolloutSettings(samples=1), "title")
    >>> video.heat_name, len(futures.frames[0])
    ('surprise', 2)
    """
    horizon = plan_horizon(episode, context, settings, own_actions)
    given = episode.frames[:context]
    futures = sample_futures(
        model, given, horizon.states, horizon.actions, horizon.steps, settings, number
    )
    if horizon.known == 0:
        return _unknown_future(title, given, futures, horizon.actions)
    total = context + horizon.known
    recorded = (episode.frames[:total], episode.states[:total], episode.actions[:total])
    with torch.inference_mode():
        tensors = (torch.from_numpy(array[None]).to(device_of(model)) for array in recorded)
        surprise = -model.log_prob(*tensors, context=context)[0].cpu().numpy()
    video = _rollout_video(
        title,
        given,
        episode.frames[context:total],
        futures,
        surprise,
        "surprise",
        episode.states[:total],
        horizon.actions,
    )
    if settings.states == "predicted" and episode.states.shape[1]:
        futures = replace(futures, state_error=state_error(model, futures, episode.states, total))
    return video, futures


def state_error(
    model: VideoPixelNetwork, futures: Futures, states: np.ndarray, total: int
) -> np.ndarray:
    """How far predicted states are from the recorded ones, float64 (N, known): root mean square
    over the entries, in standard deviations of the training states.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0)
    >>> predicted = np.ones((1, 3, 5), np.float32)
    >>> futures = Futures(np.zeros((1, 1, 3, 8, 8)), np.zeros((1, 1, 8, 8)), predicted, 1)
    >>> state_error(model, futures, np.zeros((3, 5)), total=3).tolist()
    [[1.0]]
    """
    context = futures.states.shape[1] - futures.frames.shape[1]
    deviation = model.state_std.cpu().numpy().astype(np.float64)
    error = (futures.states[:, context:total] - states[context:total]) / deviation
    return np.sqrt(np.square(error).mean(axis=-1))


def rollout_context(
    model: VideoPixelNetwork,
    frames: np.ndarray,
    states: np.ndarray,
    actions: np.ndarray,
    settings: RolloutSettings,
    title: str,
) -> tuple[RolloutVideo, Futures]:
    """Sample futures of frames whose true future is not known.

    The heat map is the mean of the samples' own nats. It estimates the entropy of the model's
    prediction at each pixel.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0).eval()
    >>> frames, rows = np.zeros((2, 3, 8, 8), np.uint8), np.zeros((3, 5), np.float32)
    >>> video, _ = rollout_context(model, frames, rows, rows, RolloutSettings(samples=1), "title")
    >>> video.heat_name, video.truth is None, video.frames
    ('uncertainty', True, 4)
    """
    steps = len(actions) - len(frames) + 1 if settings.steps is None else settings.steps
    futures = sample_futures(model, frames, states, actions, steps, settings)
    return _unknown_future(title, frames, futures, actions)


def _unknown_future(
    title: str, given: np.ndarray, futures: Futures, actions: np.ndarray
) -> tuple[RolloutVideo, Futures]:
    entropy = -futures.log_prob.mean(axis=0)
    states = futures.states[0]
    video = _rollout_video(title, given, None, futures, entropy, "uncertainty", states, actions)
    return video, futures


def write_rollout(
    folder: Path, stem: str, video: RolloutVideo, futures: Futures, frames_per_second: int
) -> dict[str, str]:
    """Write ``stem``.mp4, .gif, .png, .csv and .npz into ``folder``, each whole or not at all;
    returns their names.

    >>> import tempfile
    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0).eval()
    >>> frames, rows = np.zeros((2, 3, 8, 8), np.uint8), np.zeros((3, 5), np.float32)
    >>> found = rollout_context(model, frames, rows, rows, RolloutSettings(samples=1), "title")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_rollout(Path(folder), "0000-a", *found, frames_per_second=5)["npz"]
    '0000-a.npz'
    """
    pictures = write_pictures(folder, stem, video, frames_per_second)
    arrays = {
        "given": video.given,
        "samples": futures.frames,
        "sample_log_prob": futures.log_prob,
        "sample_states": futures.states,
        "actions": video.actions,
        video.heat_name: video.heat,
    }
    if video.truth is not None:
        arrays["truth"] = video.truth
    with atomic_file(folder / f"{stem}.npz") as partial, open(partial, "wb") as stream:
        np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    write_frame_table(folder / f"{stem}.csv", video, futures.log_prob, futures.state_error)
    return {**pictures, "csv": f"{stem}.csv", "npz": f"{stem}.npz"}


def write_pictures(
    folder: Path, stem: str, video: RolloutVideo, frames_per_second: int, prefix: str = ""
) -> dict[str, str]:
    """Write ``stem``.mp4, .gif and .png; returns their names under ``prefix`` and their kind.

    >>> import tempfile
    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0).eval()
    >>> frames, rows = np.zeros((2, 3, 8, 8), np.uint8), np.zeros((3, 5), np.float32)
    >>> video, _ = rollout_context(model, frames, rows, rows, RolloutSettings(samples=1), "title")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_pictures(Path(folder), "a", video, 5, prefix="large_")
    {'large_mp4': 'a.mp4', 'large_gif': 'a.gif', 'large_png': 'a.png'}
    """
    movie = movie_frames(video)
    write_mp4(folder / f"{stem}.mp4", movie, frames_per_second)
    write_gif(folder / f"{stem}.gif", movie, frames_per_second)
    write_png(folder / f"{stem}.png", rollout_strip(video))
    return {f"{prefix}{kind}": f"{stem}.{kind}" for kind in ("mp4", "gif", "png")}


def describe_rollout(
    video: RolloutVideo,
    futures: Futures,
    files: dict[str, str],
    settings: RolloutSettings,
    device: str,
) -> dict[str, object]:
    """What was sampled, as JSON values. Surprise is of the recorded truth; a sample's own nats are
    at temperature 1.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0).eval()
    >>> frames, rows = np.zeros((2, 3, 8, 8), np.uint8), np.zeros((3, 5), np.float32)
    >>> settings = RolloutSettings(samples=1)
    >>> found = rollout_context(model, frames, rows, rows, settings, "title")
    >>> describe_rollout(*found, {}, settings, "cpu")["steps"]
    2
    """
    pixels = futures.frames[0].size
    own = -futures.log_prob.astype(np.float64).sum(axis=(1, 2, 3)) / pixels
    found = {}
    if futures.state_error is not None:
        found["state_error"] = float(futures.state_error.mean())
    return {
        "files": files,
        "steps": futures.frames.shape[1],
        "network_evaluations_per_frame": futures.network_evaluations,
        f"{video.heat_name}_nats_per_subpixel": float(video.frame_nats.mean()),
        "samples_own_nats_per_subpixel": own.tolist(),
        **found,
        "settings": {**asdict(settings), "context": video.context, "device": device},
    }


def device_of(model: VideoPixelNetwork) -> str:
    """The device that holds the model's weights, as ``settings`` in rollout.json name it.

    >>> from pixelpush.vpn import build_model
    >>> device_of(build_model("ot", frame_size=8, coarse_scales=0))
    'cpu'
    """
    return next(model.parameters()).device.type


def file_stem(number: int, name: str) -> str:
    """A file name from an episode's number and id.

    >>> file_stem(7, "bin 3/episode")
    '0007-bin_3_episode'
    """
    return f"{number:04d}-{re.sub(r'[^A-Za-z0-9._-]+', '_', name)}"


def _rollout_video(
    title: str,
    given: np.ndarray,
    truth: np.ndarray | None,
    futures: Futures,
    heat: np.ndarray,
    heat_name: str,
    states: np.ndarray,
    actions: np.ndarray,
) -> RolloutVideo:
    frame_nats = heat.astype(np.float64).mean(axis=(1, 2)) / given.shape[1]
    arrows = displacements(states, actions)
    return RolloutVideo(
        title, given, truth, futures.frames, heat, heat_name, frame_nats, actions, arrows
    )
