"""Presets of Multiscale PixelCNN: the papers' settings, and small ones for a CPU."""

from __future__ import annotations

from pixelpush.image.kinds import MNIST, NOT_MEASURED, ImagePreset
from pixelpush.published import IMAGENET_BITS, conditional_words, imagenet_words

_OURS_BASE = "the base: 15 gated layers, as wide as the upscalers, and a softmax head of 256"
_OURS_CONDITIONAL = (_OURS_BASE, "the encoders of captions and maps: 128 units")
_PAPER_CONDITIONAL = {"image_size": 256, "base_size": 4, "captions": True}
# A logistic mixture (Reed et al. 2017, footnote 1): far better than 256 free logits in minutes of
# training.
_SMALL_CONDITIONAL = {
    "image_size": 32,
    "distribution": "logistic",
    "base_size": 4,
    "base_layers": 4,
    "channels": 32,
    "blocks": 2,
    "patch_layers": 2,
    "condition_channels": 32,
    "condition_layers": 4,
    "truncate_captions": True,
}
_OBJECTS = {
    "image_size": 32,
    "distribution": "logistic",
    "base_size": 8,
    "base_layers": 4,
    "channels": 32,
    "widening": 2,
    "blocks": 2,
    "patch_layers": 2,
    "classes": 20,
    "captions": True,
    "structure": 35,
    "structure_parts": 15,
    "condition_channels": 32,
    "condition_layers": 4,
    "condition_dropout": 0.25,
    "caption_attention": 64,
    "guess": 2.0,
}


def _imagenet(size: int) -> ImagePreset:
    """Reed et al. 2017, section 4.4 (table 3, figure 8) and the 512x512 samples of figure 7."""
    published = size in IMAGENET_BITS["Multiscale PixelCNN"]
    whole = "one model from 8x8 to 512x512 pixels: figure 7 gives no sizes of its networks"
    return ImagePreset(
        {"image_size": size, "channels": 256, "classes": 1000},
        "paper-multiscale",
        # Neither TFDS nor the publisher has larger ones: a folder train/CLASS/*.jpeg, val/CLASS/...
        f"imagenet{size}" if size <= 64 else "folder:imagenet",
        expected=imagenet_words("Multiscale PixelCNN", size) if published else NOT_MEASURED,
        ours=(
            _OURS_BASE,
            "a model of its own for each size" if published else whole,
        ),
    )


def _conditional(data: str, structure: int) -> ImagePreset:
    """Reed et al. 2017, section 4.2: captions with part places or masks, so many maps of them."""
    return ImagePreset(
        {**_PAPER_CONDITIONAL, "structure": structure},
        "paper-multiscale",
        data,
        expected=conditional_words(data),
        ours=_OURS_CONDITIONAL,
    )


# Paper: Reed et al. 2017, sections 4.2 and 4.4. Measured: one seed, one core;
# docs/experiments-images.md has the settings.
PRESETS: dict[str, ImagePreset] = {
    **{f"paper-imagenet{size}-multiscale": _imagenet(size) for size in (32, 64, 128, 512)},
    **{
        f"paper-{data}256-multiscale": _conditional(data, structure)
        for data, structure in (("cub", 15), ("mpii", 17), ("coco", 80))
    },
    "mnist-small-multiscale": ImagePreset(
        {
            **MNIST,
            "base_size": 7,
            "upscaler": "A",
            "base_layers": 5,
            "channels": 24,
            "blocks": 2,
        },
        "small",
        "mnist",
    ),
    "cifar-small-multiscale": ImagePreset(
        {
            "distribution": "logistic",
            "base_layers": 5,
            "channels": 32,
            "blocks": 2,
            "patch_layers": 2,
        },
        "small",
        "cifar10",
        minutes="10 for 40,000 examples",
        expected="3.75 bits/dim on 1,000 test images of CIFAR-10",
    ),
    "cub-small-multiscale": ImagePreset(
        {**_SMALL_CONDITIONAL, "captions": True, "structure": 15},
        "small",
        "cub",
        minutes="2 for 3,000 examples",
        expected="3.79 nats per sub-pixel on 38 test images, from 56 images",
    ),
    "mpii-small-multiscale": ImagePreset(
        {**_SMALL_CONDITIONAL, "structure": 17},
        "small",
        "mpii",
        minutes="1 for 1,600 examples",
        expected="training loss of 1.6 nats per sub-pixel, on 5 images",
    ),
    "coco-small-multiscale": ImagePreset(
        {**_SMALL_CONDITIONAL, "captions": True, "structure": 80},
        "small",
        "coco",
        minutes="2 for 2,400 examples",
        expected="training loss of 3.1 nats per sub-pixel, on 79 images",
    ),
    "objects-multiscale": ImagePreset(
        _OBJECTS,
        "small-wide",
        "sim-objects",
        minutes="57 for 77,696 examples",
        expected="2.15 nats per sub-pixel on 32 images of val (floor 0.515)",
    ),
    "cifar-gpu-multiscale": ImagePreset({"channels": 128, "base_layers": 12}, "gpu", "cifar10"),
}
