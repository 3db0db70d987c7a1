"""From examples of an image set to what an image model takes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from pixelpush.datasets.image_sets import ImageExample, ImageSet
from pixelpush.errors import InputError
from pixelpush.image import Condition, encode_caption
from pixelpush.image.config import ImageConfig

# Names of a batch's arrays: the image and the parts of a Condition.
IMAGES = "images"
PARTS = ("classes", "captions", "structure")


def check_fits(config: ImageConfig, images: ImageSet) -> None:
    """Raise InputError unless the set has what the model needs.

    It needs images of the model's shape and everything that the model is conditioned on.

    >>> from pixelpush.datasets.image_sets import ImageArrays
    >>> images = ImageArrays("plain", np.zeros((1, 3, 8, 8), np.uint8))
    >>> check_fits(ImageConfig("pixelcnn", image_size=8), images)
    """
    if len(images) == 0:
        raise InputError(f"{images.name}: this split has no image; choose another.")
    found = images[0].image.shape
    wanted = (config.colours, config.image_size, config.image_size)
    if found != wanted:
        raise InputError(
            f"{images.name}: images are {found}, the model takes {wanted}; set image_size or "
            "colours."
        )
    if config.classes and not 0 < images.classes <= config.classes:
        raise InputError(
            f"{images.name} has {images.classes} classes, the model knows {config.classes}; "
            "choose another --data or model."
        )
    if config.captions and not images.has_captions:
        raise InputError(
            f"{images.name} has no captions, on which the model is conditioned; choose a "
            "set with some."
        )
    if config.structure and images.structure != config.structure:
        raise InputError(
            f"{images.name} has {images.structure} spatial maps, the model takes "
            f"{config.structure}."
        )


def example_arrays(
    config: ImageConfig, example: ImageExample, caption: int = 0
) -> dict[str, np.ndarray]:
    """Return the image and the parts of the condition that the model takes, by name.

    caption: chooses among several (modulo). Raises InputError where a caption is missing or too
    long.

    >>> from pixelpush.datasets.image_sets import ImageArrays
    >>> images = ImageArrays("plain", np.zeros((1, 3, 8, 8), np.uint8))
    >>> list(example_arrays(ImageConfig("pixelcnn", image_size=8), images[0]))
    ['images']
    """
    arrays: dict[str, np.ndarray] = {IMAGES: example.image}
    if config.classes:
        arrays["classes"] = np.array(example.label, dtype=np.int64)
    if config.captions:
        if not example.captions:
            raise InputError(f"{example.id}: no caption.")
        text = example.captions[caption % len(example.captions)]
        try:
            arrays["captions"] = np.array(
                encode_caption(text, config.truncate_captions), dtype=np.uint8
            )
        except InputError as error:
            raise InputError(f"{example.id}: {error} (--set truncate_captions=true)") from None
    if config.structure:
        arrays["structure"] = example.structure
    return arrays


def split_batch(batch: Mapping[str, Tensor]) -> tuple[Tensor, Condition]:
    """Return (images, condition) of stacked arrays.

    >>> batch = {"images": torch.zeros(2, 3, 8, 8), "classes": torch.zeros(2)}
    >>> images, condition = split_batch(batch)
    >>> list(condition.parts())
    ['classes']
    """
    return batch[IMAGES], Condition(**{name: batch[name] for name in PARTS if name in batch})


def read_images(
    config: ImageConfig, images: ImageSet, indices: range | list[int]
) -> tuple[Tensor, Condition]:
    """Return (images, condition) of some examples, with each one's first caption.

    >>> from pixelpush.datasets.image_sets import ImageArrays
    >>> plain = ImageArrays("plain", np.zeros((4, 3, 8, 8), np.uint8))
    >>> read_images(ImageConfig("pixelcnn", image_size=8), plain, range(2))[0].shape
    torch.Size([2, 3, 8, 8])
    """
    examples = [example_arrays(config, images[index]) for index in indices]
    return split_batch(
        {name: torch.from_numpy(np.stack([e[name] for e in examples])) for name in examples[0]}
    )
