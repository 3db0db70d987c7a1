"""Exact negative log-likelihood of whole splits: models, the reference row and, where it is known,
the noise floor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pixelpush.datasets.episodes import EpisodeDataset, Prefix
from pixelpush.errors import InputError
from pixelpush.eval.likelihood.metrics import Scores, measure
from pixelpush.eval.likelihood.reference import Reference, fit_reference
from pixelpush.eval.likelihood.report import (
    Floor,
    LikelihoodReport,
    ModelScores,
    ReferenceScores,
    SplitFacts,
    Summary,
)
from pixelpush.eval.likelihood.settings import EvalProtocol
from pixelpush.eval.statistics import episode_floor, frame_curve, ratio
from pixelpush.progress import Progress, silent
from pixelpush.vpn import VideoPixelNetwork
from pixelpush.vpn.scoring import EpisodeScore, score_episodes

# Episode scores by split.
_BySplit = dict[str, list[EpisodeScore]]


@dataclass(frozen=True)
class TableRow:
    """A model as a row of a table. kind: its decoder.

    >>> from pixelpush.vpn import build_model
    >>> row = TableRow("a", "ot", build_model("ot", frame_size=8, coarse_scales=0))
    >>> row.model.config.frame_size
    8
    """

    name: str
    kind: str
    model: VideoPixelNetwork


@dataclass(frozen=True)
class _Survey:
    """What is known of a split without a model. floors: nats of the noise of every episode."""

    reference: list[EpisodeScore] | None
    floors: list[float] | None

    def summary(self, scores: list[EpisodeScore], context: int, compared: bool) -> Summary:
        """A row's summary. compared: whether it is set against the reference row."""
        reference = self.reference if compared else None
        figures = measure(
            "video",
            Scores(
                nats=[score.nats for score in scores],
                subpixels=[score.subpixels for score in scores],
                frames=[score.frames for score in scores],
                floors=self.floors,
                reference=None if reference is None else [score.nats for score in reference],
            ),
        )
        return Summary(figures, frame_curve(scores, context), scores)


def evaluate(
    rows: Sequence[TableRow],
    splits: Mapping[str, EpisodeDataset],
    protocol: EvalProtocol,
    reference_data: EpisodeDataset | None = None,
    prefix: int | None = None,
    progress: Progress = silent,
) -> LikelihoodReport:
    """Score every row on every split.

    reference_data: the training split on which the reference row is fitted; None leaves the row
    out. prefix: only this many first episodes of every split. Raises InputError for a prefix that
    is longer than a split.

    >>> import numpy as np
    >>> from pixelpush.datasets.episodes import Episode
    >>> from pixelpush.vpn import build_model
    >>> from pixelpush.eval.likelihood.sequences import Sequences
    >>> rows = np.zeros((20, 5), np.float32)
    >>> episode = Episode(np.zeros((20, 3, 8, 8), np.uint8), rows, rows, "a")
    >>> row = TableRow("a", "ot", build_model("ot", frame_size=8, coarse_scales=0))
    >>> report = evaluate([row], {"val": Sequences([episode])}, EvalProtocol())
    >>> report.splits["val"].subpixels
    3456
    """
    used = {name: _first_episodes(whole, prefix) for name, whole in splits.items()}
    scores = [_score(row, used, protocol, progress) for row in rows]
    reference = None
    if reference_data is not None:
        with progress(len(reference_data), "fitting the reference row") as advance:
            reference = fit_reference(reference_data, protocol.context, advance)
    surveys = {
        name: _survey(episodes, protocol.context, reference, progress)
        for name, episodes in used.items()
    }

    def summaries(by_split: _BySplit, compared: bool) -> dict[str, Summary]:
        return {
            name: surveys[name].summary(found, protocol.context, compared)
            for name, found in by_split.items()
        }

    models = [
        ModelScores(row.name, row.kind, _parameters(row.model), summaries(found, compared=True))
        for row, found in zip(rows, scores, strict=True)
    ]
    reference_row = None
    if reference is not None:
        known = {name: survey.reference or [] for name, survey in surveys.items()}
        reference_row = ReferenceScores(reference, summaries(known, compared=False))
    facts = {
        name: _facts(whole, scores[0][name], surveys[name].floors) for name, whole in splits.items()
    }
    return LikelihoodReport(protocol, models, reference_row, facts)


def _first_episodes(whole: EpisodeDataset, count: int | None) -> EpisodeDataset:
    if count is None:
        return whole
    if not 1 <= count <= len(whole):
        raise InputError(
            f"{whole.name} has {len(whole)} episodes; --episodes must be 1 to {len(whole)}."
        )
    return Prefix(whole, count)


def _score(
    row: TableRow,
    splits: Mapping[str, EpisodeDataset],
    protocol: EvalProtocol,
    progress: Progress,
) -> _BySplit:
    row.model.to(protocol.device)
    scores = {}
    for name, episodes in splits.items():
        with progress(len(episodes), f"{row.name} on {name}") as advance:
            scores[name] = score_episodes(
                row.model,
                episodes,
                context=protocol.context,
                clip_frames=protocol.clip_frames,
                batch_size=protocol.batch_size,
                device=protocol.device,
                precision=protocol.precision,
                progress=advance,
            )
    return scores


def _survey(
    episodes: EpisodeDataset, context: int, reference: Reference | None, progress: Progress
) -> _Survey:
    """Reference scores and noise floors of a split in one reading; floors where all have one."""
    scores: list[EpisodeScore] = []
    floors: list[float | None] = []
    with progress(len(episodes), "reference and floor") as advance:
        for index in range(len(episodes)):
            episode = episodes[index]
            floors.append(episode_floor(episode, context))
            if reference is not None:
                scores.append(reference.score(episode))
            advance(1)
    known = [floor for floor in floors if floor is not None]
    if known and len(known) < len(floors):
        raise InputError(
            f"{episodes.name}: only {len(known)} of {len(floors)} episodes tell their noise "
            "floor; prepare the data again."
        )
    return _Survey(scores if reference is not None else None, known or None)


def _facts(
    whole: EpisodeDataset, scores: list[EpisodeScore], floors: list[float] | None
) -> SplitFacts:
    subpixels = [score.subpixels for score in scores]
    return SplitFacts(
        name=whole.name,
        source=getattr(whole, "metadata", {}).get("source"),
        content_sha256=getattr(whole, "content_sha256", None),
        episodes=len(scores),
        episodes_in_split=len(whole),
        left_out=getattr(whole, "left_out", 0),
        whole_split=len(scores) == len(whole),
        predicted_frames=sum(score.frames for score in scores),
        subpixels=sum(subpixels),
        floor=None if floors is None else Floor(ratio(floors, subpixels), floors),
    )


def _parameters(model: VideoPixelNetwork) -> int:
    return sum(weights.numel() for weights in model.parameters())


def row_names(paths: Sequence[str]) -> list[str]:
    """Short names of runs: the last part of each path, or the whole path where two would be alike.

    >>> row_names(["x/a", "y/a", "z/c"])
    ['x/a', 'y/a', 'c']
    """
    short = [Path(path).name or path for path in paths]
    return [
        path if short.count(name) > 1 else name for path, name in zip(paths, short, strict=True)
    ]
