"""Time the video samplers: seconds a sampled frame, and what one frame costs in operations."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from pixelpush.eval.published import SAMPLING_SECONDS, SAMPLING_SOURCE
from pixelpush.eval.speed.settings import SpeedSettings
from pixelpush.vpn import VideoPixelNetwork
from pixelpush.vpn.graph import CompiledStep, GraphedStep, plain_step, static_inputs

# Rows in the order of the table: (kind, sampler, words for it).
SAMPLERS = (
    ("otn", "plain", "O(TN) VPN, a full pass per sub-pixel"),
    ("otn", "cached", "O(TN) VPN, cached, pixel by pixel"),
    ("otn", "wavefront", "O(TN) VPN, cached, wavefront"),
    ("baseline", "plain", "O(T) baseline"),
    ("baseline", "graph", "O(T) baseline, in one graph"),
    ("ot", "plain", "O(T) VPN"),
    ("ot", "graph", "O(T) VPN, in one graph"),
    ("otlogn", "plain", "O(T log N) VPN"),
    ("otlogn", "graph", "O(T log N) VPN, in one graph"),
)


@dataclass(frozen=True)
class Timing:
    """One row. seconds_per_frame: mean over videos, per sample of the batch; spread: largest minus
    smallest of them.

    sequential_steps: network steps one after another; evaluations: the paper's count, a step per
    sub-pixel for O(TN)."""

    kind: str
    sampler: str
    size: int
    seconds_per_frame: float
    spread: float
    evaluations: int
    sequential_steps: int
    extrapolated_from_steps: int | None = None


def time_sampler(model: VideoPixelNetwork, sampler: str, settings: SpeedSettings) -> Timing | None:
    """Time one sampler of one model; None where this machine or this setting cannot run it."""
    size, kind = model.config.frame_size, model.config.kind
    steps = model.decoder.evaluations
    if kind == "otn":
        steps = {"plain": steps, "cached": size * size, "wavefront": 3 * size - 2}[sampler]
        if sampler == "plain":
            return _time_plain_otn(model, settings)
    step = _frame_step(model, sampler, settings)
    if step is None:
        return None
    # A frame of the pixel-by-pixel sampler takes seconds and all cost the same: one a video is
    # enough.
    frames = 1 if sampler == "cached" else settings.frames
    seconds = _time_videos(model, step, settings, frames)
    mean, spread = statistics.mean(seconds), max(seconds) - min(seconds)
    return Timing(kind, sampler, size, mean, spread, model.decoder.evaluations, steps)


def _frame_step(
    model: VideoPixelNetwork, sampler: str, settings: SpeedSettings
) -> Callable[..., Any] | None:
    if sampler == "graph":
        if settings.graph == "none" or (settings.graph == "cuda" and settings.device != "cuda"):
            return None
        if settings.graph == "cuda":
            return GraphedStep(model, settings.videos_at_once, precision=settings.precision)
        return CompiledStep(model, settings.precision)
    if sampler == "cached":
        return _raster_step(model, settings.precision)
    return plain_step(model, settings.precision)


def _raster_step(model: VideoPixelNetwork, precision: str) -> Callable[..., Any]:
    """``plain_step`` with the O(TN) decoder's pixel-by-pixel order in the place of the
    wavefront."""
    decoder: Any = model.decoder
    whole = plain_step(model, precision)

    def step(carry: Any, action: Any, uniforms: Any, temperature: float = 1.0) -> Any:
        wavefront = decoder.sample
        decoder.sample = lambda *inputs: wavefront(*inputs, order="raster")
        try:
            return whole(carry, action, uniforms, temperature)
        finally:
            del decoder.sample

    return step


def _time_videos(
    model: VideoPixelNetwork, step: Callable[..., Any], settings: SpeedSettings, frames: int
) -> list[float]:
    carry, action, _ = static_inputs(model, settings.videos_at_once)
    generator = torch.Generator().manual_seed(0)
    shape = (settings.videos_at_once, 2, *carry.frame.shape[1:])
    given = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator).to(settings.device)
    states = carry.state[:, None].expand(-1, 2, -1)
    actions = action[:, None].expand(-1, frames + 1, -1)
    seconds = []
    for video in range(settings.videos + 1):
        _synchronise(settings.device)
        begin = time.perf_counter()
        model.rollout(given, states, actions, generator=generator, steps=frames, step=step)
        _synchronise(settings.device)
        if video:
            seconds.append((time.perf_counter() - begin) / frames / settings.videos_at_once)
    return seconds


@torch.no_grad()
def _time_plain_otn(model: VideoPixelNetwork, settings: SpeedSettings) -> Timing:
    """Time ``plain_steps`` full passes; a frame takes one per sub-pixel, each costing the same."""
    decoder: Any = model.decoder
    carry, _, uniforms = static_inputs(model, settings.videos_at_once)
    grid = model.config.grid
    features = torch.zeros(
        settings.videos_at_once, model.encoder.features, grid, grid, device=settings.device
    )
    total = decoder.evaluations
    steps = min(settings.plain_steps, total)
    centre = carry.frame.float() if model.config.centred else None

    def sample(steps: int) -> None:
        with torch.autocast(
            uniforms.device.type, torch.bfloat16, enabled=settings.precision == "bf16"
        ):
            decoder.sample_plain(features, centre, uniforms, steps=steps)

    sample(1)
    seconds = []
    for _ in range(2):
        _synchronise(settings.device)
        begin = time.perf_counter()
        sample(steps)
        _synchronise(settings.device)
        seconds.append((time.perf_counter() - begin) / steps * total / settings.videos_at_once)
    spread = max(seconds) - min(seconds)
    mean = statistics.mean(seconds)
    return Timing("otn", "plain", model.config.frame_size, mean, spread, total, total, steps)


@torch.no_grad()
def count_work(model: VideoPixelNetwork) -> dict[str, float]:
    """'gigaflop' of one sampled frame at batch 1, and 'weight_megabytes' in float32, read at least
    once a frame."""
    carry, action, uniforms = static_inputs(model, 1)
    with FlopCounterMode(display=False) as counter:
        model.step(carry, action, uniforms)
    parameters = sum(p.numel() for p in model.parameters())
    return {"gigaflop": counter.get_total_flops() / 1e9, "weight_megabytes": 4 * parameters / 1e6}


@dataclass(frozen=True)
class SpeedReport:
    """Everything that was measured of the video samplers.

    work: by kind, as ``count_work`` gives it. preset, distribution: what was built; '' where the
    caller built its own."""

    settings: SpeedSettings
    table_size: int
    hardware: str
    work: dict[str, dict[str, float]]
    timings: list[Timing]
    preset: str = ""
    distribution: str = ""

    def at(self, size: int) -> dict[tuple[str, str], Timing]:
        """The timings at one size, by kind and sampler."""
        return {(row.kind, row.sampler): row for row in self.timings if row.size == size}

    def to_json(self) -> dict[str, object]:
        """The JSON values of the report."""
        published = {"source": SAMPLING_SOURCE, "seconds": SAMPLING_SECONDS}
        return {**asdict(self), "published": published}


def measure(
    build: Callable[[str, int], VideoPixelNetwork],
    settings: SpeedSettings,
    sizes: Sequence[int],
    table_size: int = 64,
    progress: Callable[[str], object] = lambda _: None,
) -> SpeedReport:
    """Time every sampler at every size. build(kind, size) gives the model; the table is drawn at
    ``table_size``. progress(words) is called before each timing."""
    timings: list[Timing] = []
    work: dict[str, dict[str, float]] = {}
    for size in sorted({*sizes, table_size}):
        for kind in dict.fromkeys(kind for kind, _, _ in SAMPLERS):
            model = build(kind, size).to(settings.device).eval()
            if size == table_size:
                work[kind] = count_work(model)
            for row_kind, sampler, words in SAMPLERS:
                if row_kind == kind:
                    progress(f"{words}, {size}x{size}")
                    timing = time_sampler(model, sampler, settings)
                    timings += [timing] if timing else []
    return SpeedReport(settings, table_size, hardware(settings.device), work, timings)


def hardware(device: str) -> str:
    """The device in words, with the library that drove it."""
    if device == "cuda":
        return f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [
            line.split(":", 1)[1].strip()
            for line in info.read_text().splitlines()
            if line.startswith("model name")
        ]
        model = names[0] if names else model
    return f"{model}, {torch.get_num_threads()} threads, torch {torch.__version__}"


def _synchronise(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
