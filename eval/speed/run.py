"""Carry out ``pixelpush speed``: build the models, time them, write, print."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pixelpush.eval.devices import pick_device
from pixelpush.eval.speed.images import PUBLISHED_BATCH, measure_images, table4_images_text
from pixelpush.eval.speed.settings import SpeedSettings
from pixelpush.eval.speed.table import growth_figure, table4_text
from pixelpush.eval.speed.videos import measure
from pixelpush.files import write_json
from pixelpush.vpn import VideoPixelNetwork, build_model
from pixelpush.vpn.decoders import KINDS

GROWTH_SIZES = (16, 32, 64, 128)


@dataclass(frozen=True)
class Outputs:
    """What to write. quiet: say nothing while measuring.

    >>> Outputs(json=Path("speed.json")).quiet
    False
    """

    json: Path | None = None
    figure: Path | None = None
    quiet: bool = False


def time_video_models(
    preset: str,
    distribution: str,
    sizes: Sequence[int] | None,
    settings: SpeedSettings,
    outputs: Outputs,
) -> None:
    """Time every video sampler at every size and print Table 4 at 64.

    sizes: None for those of the growth figure where it is drawn, else for 64 alone. preset:
    'push-small', 'push' or 'paper'. distribution: 'published' gives O(TN) and O(T log N) the
    256-way softmax, 'preset' what their presets have.

    >>> asked = SpeedSettings(device="cpu")
    >>> time_video_models("push-tiny", "preset", (8,), asked, Outputs(quiet=True))
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: unknown video model 'push-otn-tiny'; choose one of baseline, ...
    """
    device = pick_device(settings.device)
    graph = settings.graph
    if graph == "auto":
        graph = "cuda" if device == "cuda" else "none"
    if sizes is None:
        sizes = () if outputs.figure is None else GROWTH_SIZES
    settings = replace(settings, device=device, graph=graph, batch=settings.videos_at_once)

    def say(words: str) -> None:
        if not outputs.quiet:
            print(words, file=sys.stderr, flush=True)

    if settings.minutes:
        say(f"this takes about {settings.minutes:g} minutes at most (--minutes)")
    found = measure(_builder(preset, distribution), settings, sizes, progress=say)
    report = replace(found, preset=preset, distribution=distribution)
    if outputs.json is not None:
        write_json(outputs.json, report.to_json())
    if outputs.figure is not None:
        growth_figure(report, outputs.figure)
    print(table4_text(report))


def _builder(preset: str, distribution: str) -> Callable[[str, int], VideoPixelNetwork]:
    family, _, suffix = preset.partition("-")
    ending = f"-{suffix}" if suffix else ""

    def build(kind: str, size: int) -> VideoPixelNetwork:
        softmax = distribution == "published" and KINDS.find(kind).distribution == "softmax"
        overrides = {"distribution": "softmax"} if softmax else {}
        return build_model(f"{family}-{kind}{ending}", frame_size=size, **overrides)

    return build


def time_image_models(preset: str, settings: SpeedSettings, outputs: Outputs) -> None:
    """Time the image samplers and print the O(N) and O(log N) rows of Table 4.

    >>> PUBLISHED_BATCH  # images sampled at once where ``settings`` do not say
    30
    """
    size = "paper" if preset == "paper" else "small"
    batch = PUBLISHED_BATCH if settings.batch is None else settings.batch
    report = measure_images(size, batch, pick_device(settings.device), settings.plain_steps)
    if outputs.json is not None:
        write_json(outputs.json, report.to_json())
    print(table4_images_text(report))
