"""The names of the training presets by family. Light, so that help and a typing error need no
torch; a test holds them equal to ``presets()``, which builds the presets themselves."""

from __future__ import annotations

import sys

from pixelpush.errors import InputError
from pixelpush.registry import nearest

PRESET_NAMES: dict[str, tuple[str, ...]] = {
    "video": (
        "paper-baseline",
        "push-baseline",
        "push-baseline-small",
        "paper-otn",
        "push-otn",
        "push-otn-small",
        "paper-otn-dilated",
        "paper-ot",
        "push-ot",
        "push-ot-small",
        "paper-otlogn",
        "push-otlogn",
        "push-otlogn-small",
        "push-drawing-small",
    ),
    "upscaler": (
        "push-upscale-128",
        "paper-upscale-128",
        "push-upscale-256",
        "paper-upscale-256",
    ),
    "image": (
        "paper-mnist-pixelcnn",
        "paper-cifar-pixelcnn",
        "mnist-small-pixelcnn",
        "cifar-small-pixelcnn",
        "paper-imagenet32-gated-pixelcnn",
        "paper-imagenet64-gated-pixelcnn",
        "paper-cifar-gated-pixelcnn",
        "mnist-small-gated-pixelcnn",
        "cifar-small-gated-pixelcnn",
        "paper-cifar-pixelcnn++",
        "mnist-small-pixelcnn++",
        "cifar-small-pixelcnn++",
        "cifar-gpu-pixelcnn++",
        "paper-cifar-row-lstm",
        "paper-imagenet32-row-lstm",
        "paper-imagenet64-row-lstm",
        "mnist-small-row-lstm",
        "cifar-small-row-lstm",
        "paper-mnist-diagonal-bilstm",
        "paper-cifar-diagonal-bilstm",
        "mnist-small-diagonal-bilstm",
        "cifar-small-diagonal-bilstm",
        "paper-imagenet64-multiscale-pixelrnn",
        "mnist-small-multiscale-pixelrnn",
        "cifar-small-multiscale-pixelrnn",
        "paper-imagenet32-multiscale",
        "paper-imagenet64-multiscale",
        "paper-imagenet128-multiscale",
        "paper-imagenet512-multiscale",
        "paper-cub256-multiscale",
        "paper-mpii256-multiscale",
        "paper-coco256-multiscale",
        "mnist-small-multiscale",
        "cifar-small-multiscale",
        "cub-small-multiscale",
        "mpii-small-multiscale",
        "coco-small-multiscale",
        "objects-multiscale",
        "cifar-gpu-multiscale",
        "paper-imagenet32-real-nvp",
        "paper-imagenet64-real-nvp",
        "cifar-small-real-nvp",
        "objects-real-nvp",
        "cifar-small-conv-draw",
        "objects-conv-draw",
    ),
}


def all_names() -> list[str]:
    """Return every name, family by family.

    >>> all_names()[:2]
    ['paper-baseline', 'push-baseline']
    """
    return [name for names in PRESET_NAMES.values() for name in names]


def check_preset_name(name: str) -> None:
    """Refuse an unknown name, with the three nearest ones.

    >>> check_preset_name("push-small")
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: unknown training preset 'push-small'; nearest: ...
    """
    names = all_names()
    # Once the presets themselves are loaded, they know kinds that were registered since.
    loaded = sys.modules.get("pixelpush.training.presets")
    if loaded is not None:
        names = list(loaded.presets())
    if name not in names:
        raise InputError(
            f"unknown training preset {name!r}; nearest: {', '.join(nearest(name, names))}. "
            "'pixelpush presets' lists all."
        )


def help_text() -> str:
    """Return the names by family, for ``train --help``.

    >>> help_text().split(":")[0]
    'What to train. Video'
    """
    families = "; ".join(f"{family}: {', '.join(names)}" for family, names in PRESET_NAMES.items())
    return f"What to train. {families[0].upper()}{families[1:]}. 'pixelpush presets' says more."
