"""Image models by name: the papers' sizes (``paper-*``) and small ones for a CPU. Light: nothing
imports torch."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from pixelpush.errors import InputError
from pixelpush.image.config import KINDS, ImageConfig
from pixelpush.settings import check_settings

_MNIST = {"image_size": 28, "colours": 1, "distribution": "bernoulli"}
_CIFAR = {"image_size": 32, "head_hidden": 1024}
_SMALL = {"image_size": 32, "head_hidden": 64}
_PAPER_CONDITIONAL = {
    "kind": "multiscale-pixelcnn",
    "image_size": 256,
    "base_size": 4,
    "captions": True,
}
# A logistic mixture (Reed et al. 2017, footnote 1): far better than 256 free logits in minutes of
# training.
_SMALL_CONDITIONAL = {
    "kind": "multiscale-pixelcnn",
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

PRESETS: dict[str, dict[str, Any]] = {
    # van den Oord et al. 2016a, section 4: sizes of the models on MNIST, CIFAR-10, ImageNet 32 and
    # 64.
    "paper-mnist-pixelcnn": {
        **_MNIST,
        "kind": "pixelcnn",
        "channels": 16,
        "layers": 7,
        "hidden": 32,
    },
    "paper-mnist-diagonal-bilstm": {
        **_MNIST,
        "kind": "diagonal-bilstm",
        "channels": 16,
        "layers": 7,
        "hidden": 32,
    },
    "paper-cifar-pixelcnn": {**_CIFAR, "kind": "pixelcnn"},
    "paper-cifar-row-lstm": {**_CIFAR, "kind": "row-lstm"},
    "paper-cifar-diagonal-bilstm": {**_CIFAR, "kind": "diagonal-bilstm"},
    "paper-imagenet32-row-lstm": {**_CIFAR, "kind": "row-lstm", "channels": 384},
    "paper-imagenet64-row-lstm": {
        **_CIFAR,
        "kind": "row-lstm",
        "image_size": 64,
        "channels": 512,
        "layers": 4,
        "residual": False,
    },
    "paper-imagenet64-multiscale-pixelrnn": {
        **_CIFAR,
        "kind": "multiscale-pixelrnn",
        "image_size": 64,
        "base_size": 16,
        "channels": 512,
        "layers": 4,
        "residual": False,
    },
    # van den Oord et al. 2016b: width and depth of the ImageNet model; the paper gives none for
    # CIFAR-10.
    "paper-imagenet32-gated-pixelcnn": {
        **_CIFAR,
        "kind": "gated-pixelcnn",
        "channels": 384,
        "layers": 20,
        "kernel": 5,
        "classes": 1000,
    },
    "paper-cifar-gated-pixelcnn": {
        **_CIFAR,
        "kind": "gated-pixelcnn",
        "channels": 128,
        "layers": 15,
    },
    # Salimans et al. 2017.
    "paper-cifar-pixelcnn++": {"kind": "pixelcnn++", "distribution": "logistic"},
    # Reed et al. 2017, sections 4.2 and 4.4.
    "paper-imagenet128-multiscale": {
        "kind": "multiscale-pixelcnn",
        "image_size": 128,
        "channels": 256,
        "classes": 1000,
    },
    "paper-cub256-multiscale": {**_PAPER_CONDITIONAL, "structure": 15},
    "paper-mpii256-multiscale": {**_PAPER_CONDITIONAL, "structure": 17},
    "paper-coco256-multiscale": {**_PAPER_CONDITIONAL, "structure": 80},
    # Small models, minutes on a CPU.
    "mnist-small-pixelcnn": {
        **_MNIST,
        "kind": "pixelcnn",
        "channels": 16,
        "layers": 5,
        "hidden": 32,
    },
    "mnist-small-gated-pixelcnn": {**_MNIST, "kind": "gated-pixelcnn", "channels": 24, "layers": 5},
    "mnist-small-pixelcnn++": {
        **_MNIST,
        "kind": "pixelcnn++",
        "filters": 16,
        "resnets": 1,
        "dropout": 0.0,
    },
    "mnist-small-row-lstm": {
        **_MNIST,
        "kind": "row-lstm",
        "channels": 16,
        "layers": 3,
        "hidden": 32,
    },
    "mnist-small-diagonal-bilstm": {
        **_MNIST,
        "kind": "diagonal-bilstm",
        "channels": 16,
        "layers": 3,
        "hidden": 32,
    },
    "mnist-small-multiscale-pixelrnn": {
        **_MNIST,
        "kind": "multiscale-pixelrnn",
        "channels": 16,
        "layers": 2,
        "hidden": 32,
        "base_size": 7,
    },
    "mnist-small-multiscale": {
        **_MNIST,
        "kind": "multiscale-pixelcnn",
        "base_size": 7,
        "upscaler": "A",
        "base_layers": 5,
        "channels": 24,
        "blocks": 2,
    },
    "cifar-small-pixelcnn": {
        **_SMALL,
        "kind": "pixelcnn",
        "channels": 24,
        "layers": 5,
        "hidden": 64,
    },
    "cifar-small-gated-pixelcnn": {**_SMALL, "kind": "gated-pixelcnn", "channels": 32, "layers": 6},
    "cifar-small-pixelcnn++": {
        "kind": "pixelcnn++",
        "distribution": "logistic",
        "filters": 32,
        "resnets": 1,
        "dropout": 0.0,
    },
    "cifar-small-row-lstm": {
        **_SMALL,
        "kind": "row-lstm",
        "channels": 24,
        "layers": 3,
        "hidden": 64,
    },
    "cifar-small-diagonal-bilstm": {
        **_SMALL,
        "kind": "diagonal-bilstm",
        "channels": 24,
        "layers": 2,
        "hidden": 64,
    },
    "cifar-small-multiscale-pixelrnn": {
        **_SMALL,
        "kind": "multiscale-pixelrnn",
        "channels": 24,
        "layers": 2,
        "hidden": 64,
    },
    "cifar-small-multiscale": {
        "kind": "multiscale-pixelcnn",
        "distribution": "logistic",
        "base_layers": 5,
        "channels": 32,
        "blocks": 2,
        "patch_layers": 2,
    },
    "cub-small-multiscale": {**_SMALL_CONDITIONAL, "captions": True, "structure": 15},
    "mpii-small-multiscale": {**_SMALL_CONDITIONAL, "structure": 17},
    "coco-small-multiscale": {**_SMALL_CONDITIONAL, "captions": True, "structure": 80},
    # For one GPU.
    "cifar-gpu-pixelcnn++": {
        "kind": "pixelcnn++",
        "distribution": "logistic",
        "filters": 96,
        "resnets": 3,
    },
    "cifar-gpu-multiscale": {"kind": "multiscale-pixelcnn", "channels": 128, "base_layers": 12},
}


def image_config(name: str, **overrides: Any) -> ImageConfig:
    """The configuration of a preset or of a bare kind ('pixelcnn', ...), with overrides; unknown
    ones are refused."""
    if name not in PRESETS and name not in KINDS:
        raise InputError(
            f"unknown image model {name!r}; choose one of {', '.join([*KINDS, *PRESETS])}."
        )
    settings = {**PRESETS.get(name, _kind_defaults(name)), **overrides}
    kind = KINDS.get(settings["kind"])
    if kind is None:
        raise InputError(
            f"unknown image model kind {settings['kind']!r}; choose one of {', '.join(KINDS)}."
        )
    known = {field.name: None if field.name == "kind" else field.default for field in fields(kind)}
    check_settings(name, settings, known)
    return kind(**settings)


def _kind_defaults(kind: str) -> dict[str, Any]:
    return {"kind": kind, "distribution": "logistic" if kind == "pixelcnn++" else "softmax"}
