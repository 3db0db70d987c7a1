"""Exact likelihood of whole splits of images."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from pixelpush.datasets.image_sets import ImageSet
from pixelpush.errors import InputError
from pixelpush.image import ImageModel
from pixelpush.progress import Advance
from pixelpush.training.image_batches import check_fits, read_images


@dataclass(frozen=True)
class ImageScores:
    """The scores of images.

    nats: minus log-likelihood of every image, float64 (N,). subpixels: sub-pixels of one image.
    mean_map: nats of every pixel, mean over images, float64 (H, W).

    >>> ImageScores(np.array([10.0, 14.0]), 6, np.full((1, 2), 6.0)).nats_per_subpixel
    2.0
    """

    nats: np.ndarray
    subpixels: int
    mean_map: np.ndarray

    @property
    def nats_per_image(self) -> float:
        return float(self.nats.sum() / len(self.nats))

    @property
    def nats_per_subpixel(self) -> float:
        return self.nats_per_image / self.subpixels

    @property
    def bits_per_dimension(self) -> float:
        return self.nats_per_subpixel / math.log(2)


@torch.no_grad()
def score_images(
    model: ImageModel,
    images: ImageSet,
    limit: int | None = None,
    batch_size: int = 64,
    device: torch.device | str = "cpu",
    precision: str = "32",
    progress: Callable[[range], object] = iter,
) -> ImageScores:
    """Score a split, or its first ``limit`` images; each image is conditioned on its first caption.

    The model is evaluated on ``device`` in evaluation mode, which is set back. bf16 is autocast.
    Raises InputError for a set that does not fit the model and for fewer than one image in all or
    at once.

    >>> from pixelpush.datasets.image_sets import ImageArrays
    >>> from pixelpush.image import build_image_model
    >>> model = build_image_model("pixelcnn", image_size=4, channels=4, layers=1, hidden=8)
    >>> plain = ImageArrays("plain", np.zeros((4, 3, 4, 4), np.uint8))
    >>> len(score_images(model, plain, limit=2).nats)
    2
    """
    if batch_size < 1:
        raise InputError(
            f"images scored at once (batch_size) must be at least 1, got {batch_size}."
        )
    if limit is not None and limit < 1:
        raise InputError(
            f"{images.name}: the number of images to score must be at least 1, got {limit}."
        )
    check_fits(model.config, images)
    count = len(images) if limit is None else min(limit, len(images))
    training = model.training
    model.eval().to(device)
    nats = np.empty(count)
    size = model.config.image_size
    total = np.zeros((size, size))
    kind = torch.device(device).type
    try:
        for start in progress(range(0, count, batch_size)):  # type: ignore[attr-defined]
            window = range(start, min(start + batch_size, count))
            pixels, condition = read_images(model.config, images, window)
            with torch.autocast(kind, dtype=torch.bfloat16, enabled=precision == "bf16"):
                score = model.log_prob(pixels, condition)
            # Summed in float64, which not every GPU has: float32 would lose digits over a split.
            exact = -score.cpu().double()
            nats[window.start : window.stop] = exact.sum(dim=(1, 2)).numpy()
            total += exact.sum(dim=0).numpy()
    finally:
        model.train(training)
    return ImageScores(nats, model.config.colours * size**2, total / count)


def advancing(starts: range, count: int, advance: Advance) -> Iterator[int]:
    """Yield the starts of the batches; what each batch scored is reported when it is done.

    >>> list(advancing(range(0, 5, 2), 5, lambda count, note="": print(count)))
    2
    2
    1
    [0, 2, 4]
    """
    for start in starts:
        yield start
        advance(min(starts.step, count - start))
