"""Exact likelihood of whole splits of images, and its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from pixelpush.datasets.image_sets import ImageSet, open_images
from pixelpush.eval.devices import pick_device
from pixelpush.eval.images.scales import Share, scales_of, shares
from pixelpush.eval.likelihood.metrics import Figure, Scores, find_metric, measure
from pixelpush.eval.likelihood.settings import ScoringSettings
from pixelpush.image import ImageModel
from pixelpush.progress import Progress, silent
from pixelpush.training.image_scoring import advancing, score_images
from pixelpush.vpn import load_model

FORMAT = "pixelpush-image-nll"
VERSION = 1


@dataclass(frozen=True)
class ImageSummary:
    """One model on one split. figures: by the metric's name. shares: of a multiscale model's scales
    and groups, else empty.

    >>> ImageSummary({}, images=3, images_in_split=4, content_sha256=None).whole_split
    False
    """

    figures: dict[str, Figure]
    images: int
    images_in_split: int
    content_sha256: str | None
    shares: list[Share] = field(default_factory=list)

    @property
    def whole_split(self) -> bool:
        """Whether every image of the split was scored."""
        return self.images == self.images_in_split

    def to_json(self) -> dict[str, object]:
        """The JSON values of ``models[].splits.NAME`` (docs/evaluation.md)."""
        values: dict[str, object] = {}
        for name, figure in self.figures.items():
            values |= find_metric(name).to_json(figure)
        return {
            **values,
            "images": self.images,
            "images_in_split": self.images_in_split,
            "whole_split": self.whole_split,
            "content_sha256": self.content_sha256,
            **({"shares": [asdict(share) for share in self.shares]} if self.shares else {}),
        }


@dataclass(frozen=True)
class ImageModelScores:
    """A model's row. kind: of image model. image_size: side in pixels. parameters: how many.

    >>> ImageModelScores("runs/a", "gated-pixelcnn", 32, parameters=1000, splits={}).image_size
    32
    """

    name: str
    kind: str
    image_size: int
    parameters: int
    splits: dict[str, ImageSummary]


@dataclass(frozen=True)
class ImageReport:
    """Everything that ``pixelpush nll`` measured of image models. data: as it was asked for.

    >>> ImageReport("objects", [], "32", "cpu").to_json()["format"]
    'pixelpush-image-nll'
    """

    data: str
    models: list[ImageModelScores]
    precision: str
    device: str

    def to_json(self) -> dict[str, object]:
        """The JSON values of the report (docs/evaluation.md)."""
        models = [
            {**vars(row), "splits": {name: found.to_json() for name, found in row.splits.items()}}
            for row in self.models
        ]
        about = {"format": FORMAT, "version": VERSION, "data": self.data}
        return {**about, "models": models, "precision": self.precision, "device": self.device}


def evaluate_images(
    names: Sequence[str],
    data: str,
    splits: Sequence[str],
    settings: ScoringSettings,
    progress: Progress = silent,
) -> ImageReport:
    """Score saved image models on splits of an image set (``data``: NAME or NAME:FOLDER).

    >>> evaluate_images([], "objects", ["test"], ScoringSettings(device="cpu")).models
    []
    """
    device = pick_device(settings.device)
    rows = []
    for name in names:
        model = load_model(name, device, family="image")
        found = {split: _score(model, data, split, settings, device, progress) for split in splits}
        parameters = sum(parameter.numel() for parameter in model.parameters())
        config = model.config
        short = Path(name).name
        rows.append(ImageModelScores(short, config.kind, config.image_size, parameters, found))
    return ImageReport(data, rows, settings.precision, device)


def _score(
    model: ImageModel,
    data: str,
    split: str,
    settings: ScoringSettings,
    device: str,
    progress: Progress,
) -> ImageSummary:
    images: ImageSet = open_images(data, split, size=model.config.image_size)
    sizes = scales_of(model)
    count = len(images) if settings.episodes is None else min(settings.episodes, len(images))
    with progress(count, split) as advance:
        scores = score_images(
            model,
            images,
            settings.episodes,
            settings.batch_size or 16,
            device,
            settings.precision,
            lambda starts: advancing(starts, count, advance),
        )
    nats = scores.nats.tolist()
    floors = _floors(images, len(nats), scores.subpixels)
    subpixels = [scores.subpixels] * len(nats)
    figures = measure("image", Scores(nats, subpixels, [1] * len(nats), floors))
    parts = shares(torch.from_numpy(-scores.mean_map)[None], sizes) if sizes else []
    return ImageSummary(figures, len(nats), len(images), images.content_sha256, parts)


def _floors(images: ImageSet, count: int, subpixels: int) -> list[float] | None:
    """Nats of the sensor noise of each image, where it is known."""
    if images[0].noise_floor is None:
        return None
    return [(images[index].noise_floor or 0.0) * subpixels for index in range(count)]
