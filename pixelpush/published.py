"""Figures printed in the papers, each with its table; the one place where they are written down."""

from __future__ import annotations

# Robot pushing, nats per sub-pixel. The O(TN) and baseline rows are Kalchbrenner et al.'s (2016),
# as quoted there.
ROBOT_PUSHING_SOURCE = "Reed et al. 2017, Table 2"
ROBOT_PUSHING: dict[str, tuple[str, dict[str, float]]] = {
    "baseline": ("O(T) baseline", {"val": 2.06, "test-seen": 2.08, "test-novel": 2.07}),
    "otn": ("O(TN) VPN", {"val": 0.62, "test-seen": 0.64, "test-novel": 0.64}),
    "ot": ("O(T) VPN", {"train": 1.03, "val": 1.04, "test-seen": 1.04, "test-novel": 1.04}),
    "otlogn": (
        "O(T log N) VPN",
        {"train": 0.74, "val": 0.74, "test-seen": 1.06, "test-novel": 0.97},
    ),
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
