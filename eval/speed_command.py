"""The ``speed`` command. Light: torch is imported on a call."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from pixelpush.errors import InputError
from pixelpush.eval.commands import Device, check_outputs, pick_device


@dataclass(frozen=True)
class SpeedOptions:
    """Options of ``pixelpush speed``."""

    preset: Literal["push-small", "push", "paper"] = "push-small"
    """Sizes of the models: those for two CPU cores, for a GPU, or the paper's. Weights do not
    matter and are random."""
    images: bool = False
    """Image models instead: plain, cached and multiscale sampling of 32x32 images in float32. Of
    the other options they take --preset, --batch, --plain-steps, --device and --json."""
    sizes: tuple[int, ...] = (16, 32, 64, 128)
    """Sides of the frames for the growth figure; the table is at 64."""
    batch: int | None = None
    """Videos or images sampled at once. Left out: 1 video, 30 images."""
    videos: int = 5
    """Videos averaged, after one for warming up."""
    frames: int = 18
    """Frames in a video."""
    plain_steps: int = 30
    """Sub-pixel steps of the plain O(TN) sampler that are timed; a whole frame is extrapolated from
    them."""
    graph: Literal["auto", "cuda", "compile", "none"] = "auto"
    """How the frame step becomes one graph: a CUDA graph, torch.compile, or not at all; auto: CUDA
    if it is there."""
    distribution: Literal["published", "preset"] = "published"
    """Outputs of O(TN) and O(T log N): the published 256-way softmax, or what the preset has."""
    precision: Literal["32", "bf16"] = "32"
    """Arithmetic of the networks; distributions are float32 in both."""
    device: Device = "auto"
    """Where to compute; auto takes a GPU where there is one."""
    json: Path | None = None
    """Write every figure to this file."""
    figure: Path | None = None
    """Draw the growth with the frame's side into this PNG, PDF or SVG file."""
    quiet: bool = False
    """Say nothing while measuring."""


def speed(options: Annotated[SpeedOptions, tyro.conf.arg(name="")]) -> None:
    """Table 4: seconds a sampled frame for every video sampler, beside the published figures."""
    for name in ("batch", "videos", "frames", "plain_steps"):
        count = getattr(options, name)
        if count is not None and count < 1:
            raise InputError(f"--{name.replace('_', '-')} must be at least 1, got {count}.")
    check_outputs(options.json, options.figure)
    if options.images:
        from pixelpush.eval.image_commands import image_speed

        return image_speed(options)

    from pixelpush.eval.speed import SpeedSettings, growth_figure, measure, table4_text
    from pixelpush.files import write_json
    from pixelpush.vpn import VideoPixelNetwork, build_model

    device = pick_device(options.device)
    graph = options.graph if options.graph != "auto" else "cuda" if device == "cuda" else "none"
    settings = SpeedSettings(
        *(
            device,
            options.batch or 1,
            options.videos,
            options.frames,
            options.precision,
            options.plain_steps,
            graph,
        )
    )

    def build(kind: str, size: int) -> VideoPixelNetwork:
        suffix = "-small" if options.preset == "push-small" else ""
        softmax = options.distribution == "published" and kind in ("otn", "otlogn")
        overrides = {"distribution": "softmax"} if softmax else {}
        return build_model(
            f"{options.preset.removesuffix('-small')}-{kind}{suffix}", frame_size=size, **overrides
        )

    def say(words: str) -> None:
        if not options.quiet:
            print(f"timing {words}", file=sys.stderr, flush=True)

    report = {
        "preset": options.preset,
        "distribution": options.distribution,
        **measure(build, settings, options.sizes, progress=say),
    }
    if options.json is not None:
        write_json(options.json, report)
    if options.figure is not None:
        growth_figure(report, options.figure)
    print(table4_text(report))
