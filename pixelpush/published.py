"""Figures printed in the papers, each with its table; the one place where they are written down."""

from __future__ import annotations

# Robot pushing, nats per sub-pixel, by the kind of video model. The O(TN) and baseline rows are
# Kalchbrenner et al.'s (2016), as quoted there.
ROBOT_PUSHING_SOURCE = "Reed et al. 2017, Table 2"
ROBOT_PUSHING: dict[str, dict[str, float]] = {
    "baseline": {"val": 2.06, "test-seen": 2.08, "test-novel": 2.07},
    "otn": {"val": 0.62, "test-seen": 0.64, "test-novel": 0.64},
    "ot": {"train": 1.03, "val": 1.04, "test-seen": 1.04, "test-novel": 1.04},
    "otlogn": {"train": 0.74, "val": 0.74, "test-seen": 1.06, "test-novel": 0.97},
}
# With dilated blocks in the frame encoder (Kalchbrenner et al. 2016).
ROBOT_PUSHING_VARIANTS: dict[str, dict[str, float]] = {
    "otn-dilated": {"val": 0.63, "test-seen": 0.65, "test-novel": 0.64},
}

# Seconds a frame, (plain, in-graph); 32x32 ImageNet at batch 30 for the images, 18 frames of 64x64,
# 5 videos.
SAMPLING_SOURCE = "Reed et al. 2017, Table 4 (Nvidia Quadro M4000)"
SAMPLING_SECONDS: dict[str, tuple[str, float, float | None]] = {
    "pixelcnn": ("O(N) PixelCNN 32x32", 120.0, None),
    "multiscale": ("O(log N) PixelCNN 32x32", 1.17, 1.14),
    "otn": ("O(TN) VPN 64x64", 1929.8, None),
    "ot": ("O(T) VPN 64x64", 0.38, 0.37),
    "otlogn": ("O(T log N) VPN 64x64", 3.82, 3.07),
}

# Down-sampled ImageNet, validation, bits per sub-pixel at 32, 64 and 128 pixels (Reed et al. 2017,
# Table 3).
IMAGENET_BITS: dict[str, dict[int, float]] = {
    "PixelRNN": {32: 3.86, 64: 3.64},
    "PixelCNN": {32: 3.83, 64: 3.57},
    "Real NVP": {32: 4.28, 64: 3.98},
    "Conv. DRAW": {32: 4.40, 64: 4.10},
    "Multiscale PixelCNN": {32: 3.95, 64: 3.70, 128: 3.55},
}

# Text- and structure-to-image, nats per sub-pixel (Reed et al. 2017, Table 1): {data set: {model:
# {split: value}}}.
CONDITIONAL_NATS: dict[str, dict[str, dict[str, float]]] = {
    "cub": {
        "PixelCNN": {"train": 2.91, "val": 2.93, "test": 2.92},
        "Multiscale PixelCNN": {"train": 2.98, "val": 2.99, "test": 2.98},
    },
    "mpii": {
        "PixelCNN": {"train": 2.90, "val": 2.92, "test": 2.92},
        "Multiscale PixelCNN": {"train": 2.91, "val": 3.03, "test": 3.03},
    },
    "coco": {
        "PixelCNN": {"train": 3.07, "val": 3.08},
        "Multiscale PixelCNN": {"train": 3.14, "val": 3.16},
    },
}

# Moving MNIST test, nats per frame of the last 10, the first 10 given: binary cross-entropy of grey
# values taken as probabilities.
MOVING_MNIST_SOURCE = "Kalchbrenner et al. 2016"
MOVING_MNIST_NATS_PER_FRAME = {"lower bound": 86.3, "VPN": 87.6, "VPN baseline": 110.1}

# CIFAR-10 test, bits per dimension, and binary MNIST test, nats per image.
CIFAR10_SOURCE = "van den Oord et al. 2016a, 2016b; Salimans et al. 2017"
CIFAR10_BITS = {
    "Diagonal BiLSTM": 3.00,
    "Row LSTM": 3.07,
    "PixelCNN": 3.14,
    "Gated PixelCNN": 3.03,
    "PixelCNN++": 2.92,
}
BINARY_MNIST_SOURCE = "van den Oord et al. 2016a"
BINARY_MNIST_NATS = {"Diagonal BiLSTM": 79.2, "PixelCNN": 81.3}


def robot_pushing_words(kind: str) -> str | None:
    """Return the published figures of a kind of video model, or None where no paper has them.

    kind: also with a variant, 'otn-dilated'.

    >>> robot_pushing_words("ot")
    '1.04/1.04/1.04 nats per sub-pixel on val, test-seen, test-novel'
    """
    figures = {**ROBOT_PUSHING, **ROBOT_PUSHING_VARIANTS}.get(kind)
    if figures is None:
        return None
    splits = ("val", "test-seen", "test-novel")
    values = "/".join(f"{figures[split]:.2f}" for split in splits)
    return f"{values} nats per sub-pixel on {', '.join(splits)}"


def cifar10_words(model: str) -> str:
    """Return the published figure on CIFAR-10.

    >>> cifar10_words("PixelCNN")
    '3.14 bits/dim published'
    """
    return f"{CIFAR10_BITS[model]:.2f} bits/dim published"


def mnist_words(model: str) -> str:
    """Return the published figure on binary MNIST.

    >>> mnist_words("PixelCNN")
    '81.3 nats an image published'
    """
    return f"{BINARY_MNIST_NATS[model]:.1f} nats an image published"


def imagenet_words(model: str, size: int) -> str:
    """Return the published figure on down-sampled ImageNet of that size.

    >>> imagenet_words("PixelCNN", 32)
    '3.83 bits/dim published'
    """
    return f"{IMAGENET_BITS[model][size]:.2f} bits/dim published"


def conditional_words(data: str) -> str:
    """Return the published figure of Multiscale PixelCNN, on test or else on val.

    >>> conditional_words("cub")
    '2.98 nats per sub-pixel published, at the size of Table 1'
    """
    figures = CONDITIONAL_NATS[data]["Multiscale PixelCNN"]
    value = figures.get("test", figures["val"])
    return f"{value:.2f} nats per sub-pixel published, at the size of Table 1"
