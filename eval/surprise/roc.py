"""How well surprise finds trouble: disturbed episodes and unlike splits against calm ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pixelpush.datasets.episodes import Episode
from pixelpush.eval.clips import Scoring, pixel_nats
from pixelpush.eval.surprise.disturbances import DISTURBANCES
from pixelpush.eval.surprise.usual import Usual, detection, learn_usual, roc_curve
from pixelpush.progress import Advance
from pixelpush.vpn import VideoPixelNetwork

# Points of a curve that are written down.
_CURVE_POINTS = 101


@dataclass(frozen=True)
class Curve:
    """An ROC curve: share caught at each share of false alarms.

    >>> Curve(false_alarms=[0.0, 0.5, 1.0], caught=[0.0, 0.9, 1.0]).caught[1]
    0.9
    """

    false_alarms: list[float]
    caught: list[float]


@dataclass(frozen=True)
class Trouble:
    """One kind of trouble. auc: area under the curve. caught: share of its frames that alarm.

    >>> Trouble(0.9, 0.5, 12, 0.01, Curve([0.0, 1.0], [0.0, 1.0])).auc
    0.9
    """

    auc: float
    caught: float
    frames: int
    false_alarms_among_calm: float
    curve: Curve


@dataclass(frozen=True)
class RocReport:
    """What ``roc`` measured. usual_frames: those that set the threshold.

    >>> RocReport(0.01, 3.0, 0.02, 500, 200, 8, troubles={}).calm_frames
    200
    """

    false_alarm_rate: float
    threshold: float
    measured_false_alarm_rate: float
    usual_frames: int
    calm_frames: int
    regions: int
    troubles: dict[str, Trouble]


def frame_scores(usual: Usual, nats: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The scores (T - context,) of each episode.

    >>> nats = np.random.default_rng(0).normal(size=(4, 18, 8, 8))
    >>> usual = learn_usual(nats, colours=3, scoring=Scoring(), regions=2)
    >>> [scores.shape for scores in frame_scores(usual, nats[:2])]
    [(18,), (18,)]
    """
    return [np.array([frame.score for frame in usual.score(episode)]) for episode in nats]


def roc(
    model: VideoPixelNetwork,
    validation: Sequence[Episode],
    unlike: Mapping[str, tuple[Sequence[Episode], Sequence[Episode] | None]],
    scoring: Scoring,
    false_alarms: float = 0.01,
    regions: int = 8,
    seed: int = 0,
    progress: Advance | None = None,
) -> RocReport:
    """Area under the ROC, share caught and curve of every trouble.

    Two thirds of ``validation`` say what is usual; every third episode is calm, and is disturbed in
    each way of ``DISTURBANCES`` at one frame. unlike: name -> (episodes all of whose frames are the
    trouble, episodes that are calm for them; None: the calm third).

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0)
    >>> rows = np.zeros((12, 5), np.float32)
    >>> pictures = np.random.default_rng(0).integers(0, 256, (3, 12, 3, 8, 8), np.uint8)
    >>> episodes = [Episode(frames, rows, rows, "noise") for frames in pictures]
    >>> report = roc(model, episodes, {}, Scoring(), false_alarms=0.2, regions=1)
    >>> report.usual_frames, len(report.troubles)
    (10, 6)
    """
    usual_part = [episode for index, episode in enumerate(validation) if index % 3 != 2]
    calm_part = list(validation[2::3])
    usual = learn_usual(
        pixel_nats(model, usual_part, scoring), model.config.colours, scoring, regions
    )
    threshold = usual.threshold(false_alarms)
    calm = np.concatenate(frame_scores(usual, pixel_nats(model, calm_part, scoring)))
    found: dict[str, Trouble] = {}
    # What is trouble of one kind may be calm beside another: scored once.
    scored: dict[int, np.ndarray] = {}

    def scores_of(episodes: Sequence[Episode]) -> np.ndarray:
        if id(episodes) not in scored:
            nats = pixel_nats(model, episodes, scoring)
            scored[id(episodes)] = np.concatenate(frame_scores(usual, nats))
        return scored[id(episodes)]

    for name, (episodes, beside) in unlike.items():
        against = calm if beside is None else scores_of(beside)
        found[name] = _described(against, scores_of(episodes), threshold)
        if progress is not None:
            progress(1)
    for number, (name, disturb) in enumerate(DISTURBANCES.items()):
        draw = np.random.default_rng([seed, number])
        troubled = []
        for index, episode in enumerate(calm_part):
            other = calm_part[(index + 1) % len(calm_part)]
            # Late enough for a past, early enough for a future.
            at = int(draw.integers(scoring.context + 1, len(episode.frames) - 2))
            changed = disturb(episode, other, at, draw)
            scores = frame_scores(usual, pixel_nats(model, [changed.episode], scoring))[0]
            troubled.append(scores[[frame - scoring.context for frame in changed.shows]])
        found[name] = _described(calm, np.concatenate(troubled), threshold)
        if progress is not None:
            progress(1)
    return RocReport(
        false_alarm_rate=false_alarms,
        threshold=threshold,
        measured_false_alarm_rate=float((calm > threshold).mean()),
        usual_frames=len(usual.scores),
        calm_frames=len(calm),
        regions=regions,
        troubles=found,
    )


def _described(calm: np.ndarray, troubled: np.ndarray, threshold: float) -> Trouble:
    measured = detection(calm, troubled, threshold)
    alarms, caught = roc_curve(calm, troubled)
    at = np.linspace(0, 1, _CURVE_POINTS)
    return Trouble(
        measured.auc,
        measured.caught,
        measured.frames,
        float((calm > threshold).mean()),
        Curve(np.round(at, 4).tolist(), np.round(np.interp(at, alarms, caught), 4).tolist()),
    )
