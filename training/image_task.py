"""Training an image model on an image set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pixelpush.datasets.hashing import randint
from pixelpush.datasets.image_sets import ImageSet
from pixelpush.errors import InputError
from pixelpush.image import build_image_model
from pixelpush.image.config import ImageConfig
from pixelpush.image.multiscale_pixelcnn import MultiscalePixelCNNConfig
from pixelpush.progress import Progress, silent
from pixelpush.training.config import DataConfig
from pixelpush.training.image_batches import (
    IMAGES,
    check_fits,
    example_arrays,
    read_images,
    split_batch,
)
from pixelpush.training.image_scoring import advancing, score_images
from pixelpush.training.task import SCORE

# Purposes of random numbers, apart from those of video augmentation.
_CAPTION = 48
_MIRROR = 49
# Images that data-dependent initialisation looks at.
_INITIAL_IMAGES = 64


class ImageTask:
    """Whole images of the training split, one per example, with one of its captions; a ``Task``.

    scales: sizes of the Multiscale PixelCNN's scales to train; empty: all together. Scales without
    the base leave the base, and the encoder that it shares, as they are. Raises InputError where
    data and model do not fit.

    >>> from pixelpush.datasets.image_sets import ImageArrays
    >>> plain = ImageArrays("plain", np.zeros((4, 3, 8, 8), np.uint8))
    >>> task = ImageTask(ImageConfig("pixelcnn", image_size=8), DataConfig(), plain)
    >>> task.example(seed=0, epoch=0, index=1)[1]["images"].shape
    (3, 8, 8)
    """

    family = "image"
    headline = SCORE
    frames_per_example = 1

    def __init__(
        self,
        config: ImageConfig,
        data: DataConfig,
        training: ImageSet,
        validation: ImageSet | None = None,
        scales: Sequence[int] = (),
    ):
        if data.jitter or data.colour or data.crop:
            raise InputError(
                "image models are trained on whole images: leave out jitter, colour and crop; "
                "--mirror is possible."
            )
        if scales and not isinstance(config, MultiscalePixelCNNConfig):
            raise InputError(f"{config.kind} has no scales to choose from; leave train_scales out.")
        check_fits(config, training)
        if validation is not None:
            check_fits(config, validation)
        self.config = config
        self.data = data
        self.training = training
        self.validation = validation
        self.scales = tuple(scales)
        self.examples_per_epoch = len(training)

    def describe(self) -> Mapping[str, Any]:
        """Model configuration and the identity of both splits."""
        return {
            "model": asdict(self.config),
            "scales": list(self.scales),
            "training": _identity(self.training),
            "validation": None if self.validation is None else _identity(self.validation),
        }

    def build_model(self) -> nn.Module:
        """A new model of the configuration."""
        return build_image_model(self.config.kind, **asdict(self.config))

    def initialise(self, model: Any, seed: int) -> None:
        """Data-dependent initialisation from a few training images that the seed chooses."""
        count = min(_INITIAL_IMAGES, len(self.training))
        chosen = [randint(len(self.training), seed, _CAPTION, number) for number in range(count)]
        model.initialise(*read_images(self.config, self.training, chosen))

    def example(self, seed: int, epoch: int, index: int) -> tuple[str, dict[str, np.ndarray]]:
        """Return (name, the image uint8 (C, H, W) and its condition).

        Which caption and whether it is mirrored depend on the epoch."""
        example = self.training[index]
        arrays = example_arrays(
            self.config, example, randint(1 << 30, seed, _CAPTION, epoch, index)
        )
        if self.data.mirror and randint(2, seed, _MIRROR, epoch, index):
            for name in (IMAGES, "structure"):
                if name in arrays:
                    arrays[name] = np.ascontiguousarray(arrays[name][..., ::-1])
        return example.id, arrays

    def losses(self, model: Callable[..., Any], batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The model's training loss on a batch."""
        images, condition = split_batch(batch)
        return model(images, condition, self.scales) if self.scales else model(images, condition)

    def validation_cost(self, limit: int) -> float:
        """Images forward, beside images forward and backward."""
        # 3: a training example is a pass forward and a backward pass of two.
        return 0.0 if self.validation is None else min(limit, len(self.validation)) / 3

    def evaluate(
        self,
        model: Any,
        limit: int | None,
        device: torch.device,
        precision: str,
        progress: Progress = silent,
    ) -> dict[str, float]:
        """Exact nats per sub-pixel of the validation images, or of the first ``limit``."""
        if self.validation is None:
            return {}
        count = len(self.validation) if limit is None else min(limit, len(self.validation))
        with progress(count, "scoring") as advance:
            scores = score_images(
                model,
                self.validation,
                limit,
                device=device,
                precision=precision,
                progress=lambda starts: advancing(starts, count, advance),
            )
        return {
            SCORE: scores.nats_per_subpixel,
            "bits_per_dimension": scores.bits_per_dimension,
            "nats_per_image": scores.nats_per_image,
        }


def _identity(images: ImageSet) -> Mapping[str, Any]:
    return {"images": len(images), "name": images.name, "content": images.content_sha256}
