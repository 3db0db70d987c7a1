"""Table 4: seconds a sampled frame, how they grow with the frame, and what one frame costs in
operations and bytes."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from pixelpush.eval.published import SAMPLING_SECONDS, SAMPLING_SOURCE
from pixelpush.eval.report import MISSING, text_table
from pixelpush.files import atomic_file
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
class SpeedSettings:
    """videos: how many are sampled and averaged, after one for warming up, each of ``frames``
    frames and ``batch`` samples. plain_steps: sub-pixel steps of the plain O(TN) sampler that are
    timed; its seconds are extrapolated. graph: 'cuda' (only on CUDA), 'compile' or 'none'."""

    device: str
    batch: int = 1
    videos: int = 5
    frames: int = 18
    precision: str = "32"
    plain_steps: int = 30
    graph: str = "none"


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
            return GraphedStep(model, settings.batch, precision=settings.precision)
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
    carry, action, _ = static_inputs(model, settings.batch)
    generator = torch.Generator().manual_seed(0)
    shape = (settings.batch, 2, *carry.frame.shape[1:])
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
            seconds.append((time.perf_counter() - begin) / frames / settings.batch)
    return seconds


@torch.no_grad()
def _time_plain_otn(model: VideoPixelNetwork, settings: SpeedSettings) -> Timing:
    """Time ``plain_steps`` full passes; a frame takes one per sub-pixel, each costing the same."""
    decoder: Any = model.decoder
    carry, _, uniforms = static_inputs(model, settings.batch)
    grid = model.config.grid
    features = torch.zeros(
        settings.batch, model.encoder.features, grid, grid, device=settings.device
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
        seconds.append((time.perf_counter() - begin) / steps * total / settings.batch)
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


def measure(
    build: Callable[[str, int], VideoPixelNetwork],
    settings: SpeedSettings,
    sizes: tuple[int, ...],
    table_size: int = 64,
    progress: Callable[[str], object] = lambda _: None,
) -> dict[str, Any]:
    """Time every sampler at every size. build(kind, size) gives the model; the table is drawn at
    ``table_size``."""
    timings, work = [], {}
    for size in sorted({*sizes, table_size}):
        for kind in dict.fromkeys(kind for kind, _, _ in SAMPLERS):
            model = build(kind, size).to(settings.device).eval()
            if size == table_size:
                work[kind] = count_work(model)
            for row_kind, sampler, words in SAMPLERS:
                if row_kind == kind:
                    progress(f"{words}, {size}x{size}")
                    timing = time_sampler(model, sampler, settings)
                    timings += [asdict(timing)] if timing else []
    return {
        "settings": asdict(settings),
        "table_size": table_size,
        "hardware": hardware(settings.device),
        "work": work,
        "timings": timings,
        "published": {"source": SAMPLING_SOURCE, "seconds": SAMPLING_SECONDS},
    }


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


def table4_text(report: dict[str, Any]) -> str:
    """Reed et al. 2017, Table 4, video part, ours beside the published one; a dash where nothing
    was measured."""
    settings, size = report["settings"], report["table_size"]
    found = {(t["kind"], t["sampler"]): t for t in report["timings"] if t["size"] == size}
    slow = found.get(("otn", "plain"))
    rows = []
    for kind, sampler, words in SAMPLERS:
        timing = found.get((kind, sampler))
        published = _published(kind, sampler)
        if timing is None:
            rows.append([words, *[MISSING] * 5, published])
            continue
        seconds = timing["seconds_per_frame"]
        mark = "*" if timing["extrapolated_from_steps"] else ""
        faster = MISSING if slow is None else f"{slow['seconds_per_frame'] / seconds:,.0f}x"
        counts = [f"{timing['evaluations']:,}", f"{timing['sequential_steps']:,}"]
        rows.append(
            [words, f"{seconds:.4g}{mark}", f"{1 / seconds:.4g}", faster, *counts, published]
        )
    header = ["", "s/frame", "frames/s", "speed-up", "evaluations", "steps", "published s"]
    lines = [
        f"Sampling {size}x{size} video: {settings['frames']} frames, mean of {settings['videos']} "
        "videos, batch "
        f"{settings['batch']}, {settings['precision']} on {report['hardware']}",
        text_table(header, rows),
    ]
    if slow:
        lines.append(
            f"* extrapolated from {slow['extrapolated_from_steps']} of {slow['evaluations']:,} "
            "sub-pixel steps"
        )
    for kind, work in report["work"].items():
        lines.append(
            f"{kind}: {work['gigaflop']:.3g} GFLOP a frame, {work['weight_megabytes']:.3g} MB of "
            "weights"
        )
    lines.append(f"published: {SAMPLING_SOURCE}")
    return "\n".join(lines)


def _published(kind: str, sampler: str) -> str:
    if kind not in SAMPLING_SECONDS or sampler in ("cached", "wavefront"):
        return MISSING
    value = SAMPLING_SECONDS[kind][2 if sampler == "graph" else 1]
    return MISSING if value is None else f"{value:g}"


def growth_figure(report: dict[str, Any], path: Path) -> None:
    """Seconds a frame against the side of the frame, both logarithmic."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.add_subplot(
        xscale="log", yscale="log", xlabel="side of the frame (pixels)", ylabel="seconds a frame"
    )
    sizes = sorted({t["size"] for t in report["timings"]})
    for kind, sampler, words in SAMPLERS:
        points = sorted(
            (t["size"], t["seconds_per_frame"])
            for t in report["timings"]
            if (t["kind"], t["sampler"]) == (kind, sampler)
        )
        if points:
            dashed = "--" if sampler in ("plain", "cached") and kind == "otn" else "-"
            axes.plot(*zip(*points, strict=True), dashed, marker="o", label=words)
    axes.set_xticks(sizes, [str(size) for size in sizes], minor=False)
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7)
    with atomic_file(path) as partial:
        figure.savefig(partial, dpi=150)


def _synchronise(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
