"""Sampled futures of recorded episodes, or of two frames and a list of actions, written as MP4,
strip and arrays."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from pixelpush.datasets.episodes import Episode, EpisodeDataset
from pixelpush.errors import InputError
from pixelpush.eval.drawing import displacements
from pixelpush.eval.film import Film, film_frames, film_strip, write_mp4, write_png
from pixelpush.files import atomic_file
from pixelpush.training.seeding import derived_seed
from pixelpush.vpn import VideoPixelNetwork

# Without --steps a rollout is as long as the papers': 18 predicted frames, or what the episode has.
USUAL_STEPS = 18


@dataclass(frozen=True)
class RolloutSettings:
    """samples: futures per episode. seed: with the episode's and the sample's number it decides
    every draw.

    steps: frames to sample, None for the usual 18 or what there is. states: whether the recorded
    future states are given to the model (as in the papers' protocol) or predicted by it from the
    actions."""

    samples: int = 4
    seed: int = 0
    temperature: float = 1.0
    steps: int | None = None
    context: int = 2
    states: Literal["recorded", "predicted"] = "recorded"
    batch_size: int = 16
    device: str = "cpu"

    def __post_init__(self):
        for name in ("samples", "context", "batch_size"):
            if getattr(self, name) < 1:
                raise InputError(
                    f"--{name.replace('_', '-')} must be at least 1, got {getattr(self, name)}."
                )
        if self.steps is not None and self.steps < 1:
            raise InputError(f"--steps must be at least 1, got {self.steps}.")
        if self.seed < 0:
            raise InputError(f"--seed must not be negative, got {self.seed}.")
        if not 0 < self.temperature < float("inf"):
            raise InputError(f"--temperature must be above 0, got {self.temperature}.")


@dataclass(frozen=True)
class Futures:
    """Samples of one beginning. frames: uint8 (N, steps, C, H, W). log_prob: float32 (N, steps, H,
    W), nats per pixel of the samples themselves at temperature 1. states: (N, context + steps, S).
    network_evaluations: per frame."""

    frames: np.ndarray
    log_prob: np.ndarray
    states: np.ndarray
    network_evaluations: int


def sample_futures(
    model: VideoPixelNetwork,
    frames: np.ndarray,
    states: np.ndarray,
    actions: np.ndarray,
    steps: int,
    settings: RolloutSettings,
    number: int = 0,
) -> Futures:
    """Sample ``settings.samples`` futures of one beginning.

    frames: uint8 (context, C, H, W); states: (>= context, S); actions: (>= context + steps - 1, A).
    number: the episode's, for the seeds. Sample i depends on (seed, number, i) only, not on how
    many are drawn."""
    seeds = [
        derived_seed(settings.seed, "rollout", number, sample) for sample in range(settings.samples)
    ]
    parts = []
    for first in range(0, len(seeds), settings.batch_size):
        generators = [
            torch.Generator().manual_seed(seed)
            for seed in seeds[first : first + settings.batch_size]
        ]
        copies = (
            torch.from_numpy(np.ascontiguousarray(array))
            .to(settings.device)
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


def rollout_length(recorded_frames: int, settings: RolloutSettings, name: str) -> int:
    """How many frames to sample of an episode of this length. Raises InputError where it is too
    short."""
    available = recorded_frames - settings.context
    if available < 1:
        raise InputError(
            f"episode {name}: {recorded_frames} frames leave nothing to predict after a context "
            f"of {settings.context}."
        )
    if settings.steps is not None and settings.steps > available:
        raise InputError(
            f"episode {name}: --steps {settings.steps} needs {settings.context + settings.steps} "
            "frames with their "
            f"actions, the episode has {recorded_frames}: {settings.steps - available} are missing."
        )
    return settings.steps or min(available, USUAL_STEPS)


def rollout_episode(
    model: VideoPixelNetwork, episode: Episode, number: int, settings: RolloutSettings, title: str
) -> tuple[Film, Futures]:
    """Sample a recorded episode's futures and score its truth under teacher forcing."""
    context, steps = settings.context, rollout_length(len(episode.frames), settings, episode.id)
    total = context + steps
    frames, states, actions = (
        episode.frames[:total],
        episode.states[:total],
        episode.actions[:total],
    )
    given_states = states if settings.states == "recorded" else states[:context]
    futures = sample_futures(
        model, frames[:context], given_states, actions, steps, settings, number
    )
    with torch.inference_mode():
        tensors = (
            torch.from_numpy(array[None]).to(settings.device) for array in (frames, states, actions)
        )
        surprise = -model.log_prob(*tensors, context=context)[0].cpu().numpy()
    film = _film(
        title, frames[:context], frames[context:], futures, surprise, "surprise", states, actions
    )
    return film, futures


def rollout_beginning(
    model: VideoPixelNetwork,
    frames: np.ndarray,
    states: np.ndarray,
    actions: np.ndarray,
    settings: RolloutSettings,
    title: str,
) -> tuple[Film, Futures]:
    """Sample futures where nobody knows the truth: the heat map is the samples' mean surprise at
    themselves, an estimate of the model's own uncertainty (its entropy per pixel)."""
    steps = len(actions) - len(frames) + 1 if settings.steps is None else settings.steps
    futures = sample_futures(model, frames, states, actions, steps, settings)
    entropy = -futures.log_prob.mean(axis=0)
    film = _film(title, frames, None, futures, entropy, "uncertainty", futures.states[0], actions)
    return film, futures


def write_rollout(
    folder: Path, stem: str, film: Film, futures: Futures, frames_per_second: int
) -> dict[str, str]:
    """Write ``stem``.mp4, .png and .npz into ``folder``, each whole or not at all; returns their
    names."""
    pictures = write_film(folder, stem, film, frames_per_second)
    arrays = {
        "given": film.given,
        "samples": futures.frames,
        "sample_log_prob": futures.log_prob,
        "sample_states": futures.states,
        "actions": film.actions,
        film.heat_name: film.heat,
    }
    if film.truth is not None:
        arrays["truth"] = film.truth
    with atomic_file(folder / f"{stem}.npz") as partial, open(partial, "wb") as stream:
        np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    return {**pictures, "npz": f"{stem}.npz"}


def write_film(
    folder: Path, stem: str, film: Film, frames_per_second: int, prefix: str = ""
) -> dict[str, str]:
    """Write ``stem``.mp4 and .png; returns their names under ``prefix`` and their kind."""
    write_mp4(folder / f"{stem}.mp4", film_frames(film), frames_per_second)
    write_png(folder / f"{stem}.png", film_strip(film))
    return {f"{prefix}{kind}": f"{stem}.{kind}" for kind in ("mp4", "png")}


def describe_rollout(
    film: Film, futures: Futures, files: dict[str, str], settings: RolloutSettings
) -> dict[str, Any]:
    """What was sampled, as JSON values. Surprise is of the recorded truth; a sample's own nats are
    at temperature 1."""
    pixels = futures.frames[0].size
    own = -futures.log_prob.astype(np.float64).sum(axis=(1, 2, 3)) / pixels
    return {
        "files": files,
        "steps": futures.frames.shape[1],
        "network_evaluations_per_frame": futures.network_evaluations,
        f"{film.heat_name}_nats_per_subpixel": float(film.frame_nats.mean()),
        "samples_own_nats_per_subpixel": own.tolist(),
        "settings": asdict(settings),
    }


def file_stem(number: int, name: str) -> str:
    """A file name from an episode's number and id."""
    return f"{number:04d}-{re.sub(r'[^A-Za-z0-9._-]+', '_', name)}"


def strips_while_training(
    episodes: EpisodeDataset, settings: RolloutSettings, count: int = 2
) -> Callable[..., None]:
    """What ``training.train`` takes as ``draw_samples``: strips of the first episodes into a
    folder.

    They are sampled where the model lies.
    """

    def draw(model: nn.Module, folder: Path) -> None:
        assert isinstance(model, VideoPixelNetwork)
        was_training = model.training
        model.eval()
        here = replace(settings, device=str(next(model.parameters()).device))
        for number in range(min(count, len(episodes))):
            episode = episodes[number]
            film, _ = rollout_episode(
                model, episode, number, here, f"{episode.id} · {folder.name} examples"
            )
            write_png(folder / f"{file_stem(number, episode.id)}.png", film_strip(film))
        model.train(was_training)

    return draw


def _film(
    title: str,
    given: np.ndarray,
    truth: np.ndarray | None,
    futures: Futures,
    heat: np.ndarray,
    heat_name: str,
    states: np.ndarray,
    actions: np.ndarray,
) -> Film:
    frame_nats = heat.astype(np.float64).mean(axis=(1, 2)) / given.shape[1]
    arrows = displacements(states, actions)
    return Film(title, given, truth, futures.frames, heat, heat_name, frame_nats, actions, arrows)
