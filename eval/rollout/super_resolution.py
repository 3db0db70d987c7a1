"""A rollout rendered larger by the video super-resolution models: 64 -> 128 -> 256."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from pixelpush.errors import InputError
from pixelpush.eval.rollout.video import RolloutVideo
from pixelpush.training.seeding import derived_seed
from pixelpush.vpn import VideoUpscaler, load_model, upscale_video


def load_upscalers(
    names: Sequence[str], size: int, target: int, device: str
) -> list[VideoUpscaler]:
    """The chain of 2x models from ``size`` to ``target`` pixels (0: none); names left out are the
    shipped ones.

    Raises InputError where the target is no doubling of the size or the chain does not fit.

    >>> load_upscalers((), size=64, target=0, device="cpu")
    []
    >>> load_upscalers((), size=64, target=100, device="cpu")
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: --upscale 100: must be the model's frame size doubled once ...
    """
    if target == 0:
        return []
    sizes = []
    while size < target:
        size *= 2
        sizes.append(size)
    if not sizes or size != target:
        raise InputError(
            f"--upscale {target}: must be the model's frame size doubled once or more."
        )
    names = names or [f"push-upscale-{large}" for large in sizes]
    if len(names) != len(sizes):
        raise InputError(
            f"--upscale {target}: needs {len(sizes)} upscalers (to {sizes}), got {len(names)}."
        )
    models = [load_model(name, device, family="upscaler") for name in names]
    for name, model, large in zip(names, models, sizes, strict=True):
        if model.config.frame_size != large:
            raise InputError(
                f"{name}: renders {model.config.frame_size} pixels; this step of --upscale needs "
                f"{large}."
            )
    return models


def super_resolve(
    video: RolloutVideo,
    upscalers: Sequence[VideoUpscaler],
    large_truth: np.ndarray | None,
    seed: int,
    number: int,
    device: str,
    temperature: float = 1.0,
) -> RolloutVideo:
    """The same video with its samples sampled larger, each from a seed of its own, at a
    ``temperature``.

    large_truth: uint8 (>= context + steps, C, H', W') of the same episode where it is known: its
    context frames start the chain, the rest is the truth row. Without it the context is shown
    enlarged, the chain starts without a large frame, and no truth is shown.

    >>> from pixelpush.vpn.super_resolution import build_upscaler
    >>> frames, none = np.zeros((2, 3, 8, 8), np.uint8), np.zeros((1, 2), np.float32)
    >>> heat = np.ones((1, 8, 8))
    >>> rest = (heat, "surprise", heat.mean((1, 2)), none, none)
    >>> video = RolloutVideo("a", frames[:1], frames[1:], frames[None, 1:], *rest)
    >>> model = build_upscaler(frame_size=16).eval()
    >>> super_resolve(video, [model], None, seed=0, number=0, device="cpu").samples.shape
    (1, 1, 3, 16, 16)
    """
    factor = 2 ** len(upscalers)
    context = video.context
    steps = video.samples.shape[1]
    count = len(video.samples)
    if large_truth is None:
        given = _enlarge(video.given, factor)
        truth = first = None  # an enlarged frame has no detail that is worth remembering
    else:
        given = large_truth[:context]
        truth = large_truth[context : context + steps]
        last = torch.from_numpy(np.ascontiguousarray(given[-1:])).to(device)
        first = last.expand(count, -1, -1, -1)
    seeds = (derived_seed(seed, "upscale", number, sample) for sample in range(count))
    samples = upscale_video(
        upscalers,
        torch.from_numpy(np.ascontiguousarray(video.samples)).to(device),
        first,
        [torch.Generator().manual_seed(value) for value in seeds],
        temperature,
    )
    heat = _enlarge(video.heat, factor)
    return replace(video, given=given, truth=truth, samples=samples.cpu().numpy(), heat=heat)


def _enlarge(pictures: np.ndarray, factor: int) -> np.ndarray:
    return pictures.repeat(factor, axis=-2).repeat(factor, axis=-1)
