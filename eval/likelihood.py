"""Exact negative log-likelihood of whole splits: models, the reference row and, where it is known,
the noise floor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelpush.datasets.episodes import EpisodeDataset, Prefix
from pixelpush.errors import InputError
from pixelpush.eval.reference import Reference, fit_reference
from pixelpush.eval.statistics import (
    bits_per_dimension,
    difference,
    episode_floor,
    frame_curve,
    ratio,
)
from pixelpush.vpn.scoring import EpisodeScore, score_episodes

if TYPE_CHECKING:
    from pixelpush.vpn import VideoPixelNetwork

REPORT_FORMAT = "pixelpush-nll"
REPORT_VERSION = 1


@dataclass(frozen=True)
class Protocol:
    """What is counted and how it is computed. context: given frames, not counted. clip_frames:
    longer episodes are cut into clips of this many frames, each with its own context, so that every
    other frame is predicted once."""

    context: int = 2
    clip_frames: int = 20
    precision: str = "32"
    device: str = "cpu"
    batch_size: int = 16


@dataclass(frozen=True)
class Scored:
    """A model as a row of a table. kind: its decoder."""

    name: str
    kind: str
    model: VideoPixelNetwork


class Silent:
    """A progress bar that shows nothing; ``tqdm`` has the same two methods."""

    def __call__(self, total: int, name: str) -> AbstractContextManager[Any]:
        return self

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *_: object) -> None: ...

    def update(self, count: int) -> None: ...


def evaluate(
    models: Sequence[Scored],
    splits: dict[str, EpisodeDataset],
    protocol: Protocol,
    reference_data: EpisodeDataset | None = None,
    prefix: int | None = None,
    bars: Any = None,
) -> dict[str, Any]:
    """The report of ``pixelpush nll`` as JSON values (docs/evaluation.md has the schema).

    reference_data: the training split on which the reference row is fitted; None leaves the row
    out. prefix: only this many first episodes of every split. bars: ``bars(total, name)`` makes a
    progress bar."""
    bars = bars or Silent()
    report: dict[str, Any] = {
        "format": REPORT_FORMAT,
        "version": REPORT_VERSION,
        "units": "nats per sub-pixel over every frame after the context",
        "protocol": asdict(protocol),
        "models": [
            {
                "name": entry.name,
                "kind": entry.kind,
                "parameters": sum(weights.numel() for weights in entry.model.parameters()),
                "splits": {},
            }
            for entry in models
        ],
        "reference": None,
        "splits": {},
    }
    for whole in splits.values():
        if prefix is not None and not 1 <= prefix <= len(whole):
            raise InputError(
                f"{whole.name} has {len(whole)} episodes; --episodes must be 1 to {len(whole)}."
            )
    used = {
        name: whole if prefix is None else Prefix(whole, prefix) for name, whole in splits.items()
    }
    scores: dict[tuple[int, str], list[EpisodeScore]] = {}
    for row, entry in enumerate(models):
        entry.model.to(protocol.device)
        for name, episodes in used.items():
            with bars(len(episodes), f"{entry.name} on {name}") as bar:
                scores[row, name] = score_episodes(
                    entry.model,
                    episodes,
                    **asdict(protocol),
                    progress=lambda count, bar=bar: bar.update(count),
                )
    reference = None
    if reference_data is not None:
        with bars(len(reference_data), "fitting the reference row") as bar:
            reference = fit_reference(reference_data, protocol.context, bar.update)
        report["reference"] = {**reference.describe(), "splits": {}}
    for name, episodes in used.items():
        reference_scores, floors = _survey(episodes, protocol.context, reference, bars)
        first = scores[0, name]
        report["splits"][name] = _describe_split(splits[name], first, floors)
        for row, entry in enumerate(report["models"]):
            entry["splits"][name] = _summary(
                scores[row, name], protocol.context, floors, reference_scores
            )
        if reference_scores is not None:
            report["reference"]["splits"][name] = _summary(
                reference_scores, protocol.context, floors, None
            )
    return report


def _survey(
    episodes: Any, context: int, reference: Reference | None, bars: Any
) -> tuple[list[EpisodeScore] | None, list[float] | None]:
    """Reference scores and noise floors of a split in one reading. Floors are None unless every
    episode has one."""
    scores, floors = [], []
    with bars(len(episodes), "reference and floor") as bar:
        for index in range(len(episodes)):
            episode = episodes[index]
            floors.append(episode_floor(episode, context))
            if reference is not None:
                scores.append(reference.score(episode))
            bar.update(1)
    known = [floor for floor in floors if floor is not None]
    if known and len(known) < len(floors):
        raise InputError(
            f"{episodes.name}: only {len(known)} of {len(floors)} episodes tell their noise floor."
        )
    return scores if reference is not None else None, known or None


def _describe_split(
    whole: EpisodeDataset, scores: list[EpisodeScore], floors: list[float] | None
) -> dict[str, Any]:
    subpixels = [score.subpixels for score in scores]
    return {
        "name": whole.name,
        "source": getattr(whole, "metadata", {}).get("source"),
        "content_sha256": getattr(whole, "content_sha256", None),
        "episodes": len(scores),
        "episodes_in_split": len(whole),
        "whole_split": len(scores) == len(whole),
        "predicted_frames": sum(score.frames for score in scores),
        "subpixels": sum(subpixels),
        "floor": None
        if floors is None
        else {**asdict_ratio(ratio(floors, subpixels)), "per_episode_nats": floors},
    }


def _summary(
    scores: list[EpisodeScore],
    context: int,
    floors: list[float] | None,
    reference: list[EpisodeScore] | None,
) -> dict[str, Any]:
    overall = ratio([score.nats for score in scores], [score.subpixels for score in scores])
    above_floor = None if floors is None else asdict_ratio(difference(scores, floors))
    against = (
        None
        if reference is None
        else asdict_ratio(difference(scores, [other.nats for other in reference]))
    )
    return {
        **asdict_ratio(overall),
        "bits_per_dimension": bits_per_dimension(overall.value),
        "nats_per_frame": math.fsum(score.nats for score in scores)
        / sum(score.frames for score in scores),
        "above_floor": above_floor,
        "above_reference": against,
        "per_frame": [asdict(point) for point in frame_curve(scores, context)],
        "per_episode": [
            {
                "id": score.id,
                "frames": score.frames,
                "subpixels": score.subpixels,
                "nats": score.nats,
                "nats_per_subpixel": score.nats / score.subpixels,
            }
            for score in scores
        ],
    }


def asdict_ratio(value: Any) -> dict[str, float | None]:
    return {"nats_per_subpixel": value.value, "standard_error": value.standard_error}


def row_names(paths: Sequence[str]) -> list[str]:
    """Short names of runs: the last part of the path, or the whole path where two would be the
    same."""
    short = [Path(path).name or path for path in paths]
    return [
        path if short.count(name) > 1 else name for path, name in zip(paths, short, strict=True)
    ]
