"""Frames that a model did not expect, with the odds of a false alarm stated.

A frame's nats are compared with those of validation frames at the same place in a clip, as a whole
and region by region; what is far out of line in either way scores high. The score's rank among the
validation frames' own scores is the p-value: exact, whatever their distribution, as long as a frame
without trouble is like a validation frame (conformal prediction; Vovk et al. 2005)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pixelpush.errors import InputError
from pixelpush.eval.clips import Scoring
from pixelpush.vpn.scoring import scoring_windows


@dataclass(frozen=True)
class FrameSurprise:
    """One frame. nats: per sub-pixel. regions: float64 (R, R), the same of every region, in
    standard deviations from validation. score: the larger of the frame's and its strangest region's
    distance. p_value: share of validation frames at least as strange.

    >>> regions = np.array([[0.0, 5.0], [1.0, 0.0]])
    >>> FrameSurprise(7, 1.2, regions, score=5.0, p_value=0.01).strangest
    (0, 1)
    """

    frame: int
    nats: float
    regions: np.ndarray
    score: float
    p_value: float

    @property
    def strangest(self) -> tuple[int, int]:
        """(row, column) of the strangest region."""
        row, column = np.unravel_index(int(self.regions.argmax()), self.regions.shape)
        return int(row), int(column)


@dataclass(frozen=True)
class Usual:
    """What is usual: fitted on validation by ``learn_usual``.

    mean, deviation: float64 (places, R * R + 1), by a frame's place in its clip: of its regions
    and, last, of the whole. peak: (places, 2), mean and deviation of the strangest region's
    distance. scores: the validation frames' own, sorted.

    >>> nats = np.random.default_rng(0).normal(size=(4, 18, 8, 8))
    >>> usual = learn_usual(nats, colours=3, scoring=Scoring(), regions=2)
    >>> [frame.p_value < 0.05 for frame in usual.score(np.full((2, 8, 8), 9.0))]
    [True, True]
    >>> usual.threshold(0.001)
    Traceback (most recent call last):
    pixelpush.errors.InputError: 36 validation frames cannot support a false-alarm rate of ...
    """

    mean: np.ndarray
    deviation: np.ndarray
    peak: np.ndarray
    scores: np.ndarray
    regions: int
    colours: int
    scoring: Scoring

    def score(self, nats: np.ndarray) -> list[FrameSurprise]:
        """Every predicted frame of an episode, from its pixels' nats (T - context, H, W)."""
        features = _features(nats, self.regions, self.colours)
        places = clip_places(len(nats), self.scoring)
        distances, scores = _scores(features, places, self.mean, self.deviation, self.peak)
        at_least = len(self.scores) - np.searchsorted(self.scores, scores, side="left")
        # The new frame counts among those at least as strange as itself: the p-value is never 0.
        p_values = (1 + at_least) / (1 + len(self.scores))
        return [
            FrameSurprise(
                self.scoring.context + index,
                float(features[index, -1]),
                distances[index, :-1].reshape(self.regions, self.regions),
                float(scores[index]),
                float(p_values[index]),
            )
            for index in range(len(nats))
        ]

    def threshold(self, false_alarms: float) -> float:
        """The score above which one frame in 1 / ``false_alarms`` without trouble lies at most.

        Raises InputError where validation has too few frames to tell."""
        if not 0 < false_alarms < 1:
            raise InputError(f"the false-alarm rate must be between 0 and 1, got {false_alarms}.")
        allowed = math.floor(false_alarms * (len(self.scores) + 1)) - 1
        if allowed < 0:
            raise InputError(
                f"{len(self.scores)} validation frames cannot support a false-alarm rate of "
                f"{false_alarms:g}; give at least {math.ceil(1 / false_alarms) - 1} frames or a "
                "higher rate."
            )
        # An alarm is a p-value of at most the rate: at most ``allowed`` scores are as high.
        return float(self.scores[len(self.scores) - 1 - allowed])


def learn_usual(
    nats: Sequence[np.ndarray], colours: int, scoring: Scoring, regions: int = 8
) -> Usual:
    """Fit on the pixels' nats of validation episodes, each (T - context, H, W).

    Every second episode gives means and deviations, the others the scores to rank among: scored by
    their own moments, frames would look calmer than new ones do, and alarms would be too many.

    regions: the picture is cut into regions x regions. Raises InputError where the picture does not
    divide, and for fewer than 20 frames.

    >>> nats = np.random.default_rng(0).normal(size=(4, 18, 8, 8))
    >>> learn_usual(nats, colours=3, scoring=Scoring(), regions=2).scores.shape
    (36,)
    >>> learn_usual(nats, colours=3, scoring=Scoring(), regions=3)
    Traceback (most recent call last):
    pixelpush.errors.InputError: a picture of 8 pixels does not divide into 3 regions; ...
    """
    side = nats[0].shape[-1]
    if regions < 1 or side % regions:
        raise InputError(
            f"a picture of {side} pixels does not divide into {regions} regions; choose "
            "--regions that divide it."
        )
    frames = sum(len(episode) for episode in nats)
    if frames < 20 or len(nats) < 2:
        raise InputError(
            f"{frames} validation frames of {len(nats)} episodes say too little of what is usual; "
            "at least 20 frames of 2 episodes are needed."
        )
    # Every other episode gives the deviations, the rest the ranks: frames that had set the scale
    # themselves would rank as too usual.
    features, places = _all_features(nats[::2], regions, colours, scoring)
    size = int(places.max()) + 1
    mean, deviation = _moments(features, places, size)
    # The largest of R * R regions lies far above 0 in usual frames too, so it has moments of its
    # own. The last feature, the whole frame, is no region.
    peaks = ((features - mean[places]) / deviation[places])[:, :-1].max(axis=1)
    peak = np.concatenate(_moments(peaks[:, None], places, size), axis=1)
    ranked = _all_features(nats[1::2], regions, colours, scoring)
    _, scores = _scores(*ranked, mean, deviation, peak)
    return Usual(mean, deviation, peak, np.sort(scores), regions, colours, scoring)


def clip_places(predicted: int, scoring: Scoring) -> np.ndarray:
    """int (predicted,): how many predicted frames of its clip come before each frame. Early ones
    are harder: less of the scene has been seen.

    >>> clip_places(5, Scoring(context=2, clip_frames=5)).tolist()
    [0, 1, 2, 0, 1]
    """
    windows = scoring_windows(predicted + scoring.context, scoring.clip_frames, scoring.context)
    return np.concatenate([np.arange(len(window) - scoring.context) for window in windows])


def _all_features(
    nats: Sequence[np.ndarray], regions: int, colours: int, scoring: Scoring
) -> tuple[np.ndarray, np.ndarray]:
    """(features, places) of all frames of several episodes."""
    features = [_features(episode, regions, colours) for episode in nats]
    places = [clip_places(len(episode), scoring) for episode in nats]
    return np.concatenate(features), np.concatenate(places)


def _features(nats: np.ndarray, regions: int, colours: int) -> np.ndarray:
    """float64 (frames, R * R + 1): mean nats per sub-pixel of regions and, last, of the frame."""
    frames, height, width = nats.shape
    blocks = nats.reshape(frames, regions, height // regions, regions, width // regions)
    parts = blocks.mean(axis=(2, 4), dtype=np.float64).reshape(frames, -1)
    return np.concatenate((parts, parts.mean(axis=1, keepdims=True)), axis=1) / colours


def _moments(values: np.ndarray, places: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of values (frames, F) by place, (size, F). Places that few clips reach
    take those of all frames."""
    mean = np.tile(values.mean(axis=0), (size, 1))
    deviation = np.tile(values.std(axis=0), (size, 1))
    for place in range(size):
        here = values[places == place]
        if len(here) >= 10:
            mean[place] = here.mean(axis=0)
            deviation[place] = here.std(axis=0)
    return mean, np.maximum(deviation, 1e-6)


def _scores(
    features: np.ndarray,
    places: np.ndarray,
    mean: np.ndarray,
    deviation: np.ndarray,
    peak: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """(distances (frames, R * R + 1) in deviations, scores (frames,))."""
    places = np.minimum(places, len(mean) - 1)
    distances = (features - mean[places]) / deviation[places]
    strangest = (distances[:, :-1].max(axis=1) - peak[places, 0]) / peak[places, 1]
    return distances, np.maximum(distances[:, -1], strangest)


@dataclass(frozen=True)
class Detection:
    """How well trouble is told from none. auc: odds that a troubled frame scores above another;
    caught: share of the troubled frames that alarm; frames: how many there were.

    >>> Detection(auc=0.9, caught=0.5, frames=12).caught
    0.5
    """

    auc: float
    caught: float
    frames: int


def detection(usual_scores: np.ndarray, troubled: np.ndarray, threshold: float) -> Detection:
    """The ROC's area (Mann-Whitney, ties count half) and the share that alarms.

    >>> detection(np.array([1.0, 2.0]), np.array([2.0, 3.0]), threshold=2.5)
    Detection(auc=0.875, caught=0.5, frames=2)
    """
    order = np.sort(usual_scores)
    below = np.searchsorted(order, troubled, side="left")
    upto = np.searchsorted(order, troubled, side="right")
    # P(troubled > usual) + P(equal) / 2: below and upto count the usual scores under and up to each
    # troubled one.
    auc = float((below + upto).mean() / 2 / len(order))
    return Detection(auc, float((troubled > threshold).mean()), len(troubled))


def roc_curve(usual_scores: np.ndarray, troubled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(false-alarm rate, share caught) at every threshold, both rising from 0 to 1.

    >>> alarms, caught = roc_curve(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
    >>> alarms.tolist(), caught.tolist()
    ([0.0, 0.0, 0.5, 1.0], [0.0, 0.5, 1.0, 1.0])
    """
    levels = np.unique(np.concatenate((usual_scores, troubled)))[::-1]
    usual_scores = np.sort(usual_scores)
    troubled = np.sort(troubled)

    def share(scores: np.ndarray) -> np.ndarray:
        above = len(scores) - np.searchsorted(scores, levels, side="left")
        return np.concatenate(([0.0], above / len(scores)))

    return share(usual_scores), share(troubled)
