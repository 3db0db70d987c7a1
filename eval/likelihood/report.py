"""The typed report of ``pixelpush nll`` on video models (docs/evaluation.md: its JSON)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from pixelpush.eval.likelihood.metrics import HEADLINE, Figure, find_metric
from pixelpush.eval.likelihood.reference import Reference
from pixelpush.eval.likelihood.settings import EvalProtocol
from pixelpush.eval.statistics import FramePoint, Ratio
from pixelpush.vpn.scoring import EpisodeScore

FORMAT = "pixelpush-nll"
VERSION = 1
UNITS = "nats per sub-pixel over every frame after the context"


@dataclass(frozen=True)
class Floor:
    """The noise floor of a split: no model can be better. per_episode_nats: of predicted frames.

    >>> Floor(Ratio(1.5, None), [96.0]).mean.value
    1.5
    """

    mean: Ratio
    per_episode_nats: list[float]


@dataclass(frozen=True)
class SplitFacts:
    """What was scored of a split. whole_split: whether all its episodes were. left_out: episodes
    that are shorter than the papers' sequences, where these are scored; not of
    ``episodes_in_split``.

    >>> SplitFacts("val", None, None, 2, 4, 0, False, 36, 110592, None).to_json()["whole_split"]
    False
    """

    name: str
    source: str | None
    content_sha256: str | None
    episodes: int
    episodes_in_split: int
    left_out: int
    whole_split: bool
    predicted_frames: int
    subpixels: int
    floor: Floor | None

    def to_json(self) -> dict[str, object]:
        """The JSON values of ``splits.NAME``."""
        floor = None
        if self.floor is not None:
            mean = find_metric(HEADLINE).to_json(self.floor.mean)
            floor = {**mean, "per_episode_nats": self.floor.per_episode_nats}
        return {**vars(self), "floor": floor}


@dataclass(frozen=True)
class Summary:
    """One row on one split. figures: by the metric's name. episodes: in the split's order.

    >>> Summary({HEADLINE: Ratio(1.5, 0.1)}, [FramePoint(2, 1.5, 8)], []).headline.value
    1.5
    """

    figures: dict[str, Figure]
    per_frame: list[FramePoint]
    episodes: Sequence[EpisodeScore]

    @property
    def headline(self) -> Ratio:
        """Nats per sub-pixel."""
        figure = self.figures[HEADLINE]
        assert isinstance(figure, Ratio)
        return figure

    def to_json(self) -> dict[str, object]:
        """The JSON values of a summary."""
        values: dict[str, object] = {}
        for name, figure in self.figures.items():
            values |= find_metric(name).to_json(figure)
        values["per_frame"] = [asdict(point) for point in self.per_frame]
        values["per_episode"] = [
            {
                "id": score.id,
                "frames": score.frames,
                "subpixels": score.subpixels,
                "nats": score.nats,
                "nats_per_subpixel": score.nats / score.subpixels,
            }
            for score in self.episodes
        ]
        return values


@dataclass(frozen=True)
class ModelScores:
    """A model's row. kind: its decoder. parameters: how many numbers it has.

    >>> ModelScores("a", "ot", 1_250_000, {}).label
    'a (ot, 1.25M)'
    """

    name: str
    kind: str
    parameters: int
    splits: dict[str, Summary]

    @property
    def label(self) -> str:
        """Name, kind and size, for tables."""
        return f"{self.name} ({self.kind}, {self.parameters / 1e6:.2f}M)"


@dataclass(frozen=True)
class ReferenceScores:
    """The reference row: its fit, and its summary on every split.

    >>> import numpy as np
    >>> one = np.ones((1, 1))
    >>> ReferenceScores(Reference(one, 0 * one, one, 2, 1, 1, 0.0), {}).fit.context
    2
    """

    fit: Reference
    splits: dict[str, Summary]


@dataclass(frozen=True)
class LikelihoodReport:
    """Everything that ``pixelpush nll`` measured of video models.

    data: the data's name. reference_split: on which the reference row was fitted.

    >>> report = LikelihoodReport(EvalProtocol(), [ModelScores("a", "ot", 10, {})], None, {})
    >>> report.rows("reference row"), report.to_json()["units"]
    ([('a', {})], 'nats per sub-pixel over every frame after the context')
    """

    protocol: EvalProtocol
    models: list[ModelScores]
    reference: ReferenceScores | None
    splits: dict[str, SplitFacts]
    data: str = ""
    reference_split: str | None = None

    def rows(self, reference_name: str) -> list[tuple[str, dict[str, Summary]]]:
        """Name and summaries of every row: the models, then the reference row if any."""
        rows = [(model.name, model.splits) for model in self.models]
        if self.reference is not None:
            rows.append((reference_name, self.reference.splits))
        return rows

    def to_json(self) -> dict[str, object]:
        """The JSON values of the report."""
        reference = None
        if self.reference is not None:
            splits = _summaries(self.reference.splits)
            reference = {**self.reference.fit.describe(), "splits": splits}
        return {
            "format": FORMAT,
            "version": VERSION,
            "units": UNITS,
            "protocol": asdict(self.protocol),
            "models": [{**vars(row), "splits": _summaries(row.splits)} for row in self.models],
            "reference": reference,
            "splits": {name: facts.to_json() for name, facts in self.splits.items()},
            "data": self.data,
            "reference_split": self.reference_split,
        }


def _summaries(splits: dict[str, Summary]) -> dict[str, object]:
    return {name: summary.to_json() for name, summary in splits.items()}
