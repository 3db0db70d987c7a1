"""Time the video samplers: seconds a sampled frame, and what one frame costs in operations."""

from __future__ import annotations

import math
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from pixelpush.eval.speed.settings import SpeedSettings
from pixelpush.published import SAMPLING_SECONDS, SAMPLING_SOURCE
from pixelpush.vpn import VideoPixelNetwork
from pixelpush.vpn.decoders import KINDS
from pixelpush.vpn.graph import static_inputs
from pixelpush.vpn.kinds import VideoKind
from pixelpush.vpn.samplers import PartialSampler, Sampler


def sampler_rows() -> list[tuple[VideoKind, Sampler]]:
    """Return the rows of the table, from the records of the kinds.

    The kind that speed-ups are counted from comes first.

    >>> kind, sampler = sampler_rows()[0]
    >>> kind.label + sampler.words
    'O(TN) VPN, a full pass per sub-pixel'
    """
    rows = [(kind, sampler) for kind in KINDS.values() for sampler in kind.samplers]
    first = reference_row()[0]
    return sorted(rows, key=lambda row: row[0].name != first)


def reference_row() -> tuple[str, str]:
    """Return the names of the kind and the sampler that speed-ups are counted from.

    >>> reference_row()
    ('otn', 'plain')
    """
    return next(
        (kind.name, sampler.name)
        for kind in KINDS.values()
        for sampler in kind.samplers
        if sampler.reference
    )


@dataclass(frozen=True)
class Timing:
    """One row. seconds_per_frame: mean over videos, per sample of the batch; spread: largest minus
    smallest of them.

    sequential_steps: network steps one after another; evaluations: the paper's count, a step per
    sub-pixel for O(TN). videos, frames: how many were timed, and of how many frames each.

    >>> Timing("ot", "plain", 64, 0.02, spread=0.001, evaluations=1, sequential_steps=1).frames
    1
    """

    kind: str
    sampler: str
    size: int
    seconds_per_frame: float
    spread: float
    evaluations: int
    sequential_steps: int
    extrapolated_from_steps: int | None = None
    videos: int = 1
    frames: int = 1


def time_sampler(
    model: VideoPixelNetwork, name: str, settings: SpeedSettings, seconds: float = math.inf
) -> Timing | None:
    """Time one sampler of one model; None where this machine or this setting cannot run it.

    seconds: about how long that may take. Raises InputError for a name that the model's kind does
    not have.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0).eval()
    >>> settings = SpeedSettings(videos=1, frames=1, device="cpu", graph="none")
    >>> time_sampler(model, "plain", settings, seconds=0.0).frames
    1
    """
    kind = KINDS.find(model.config.kind)
    sampler = kind.sampler(name)
    if isinstance(sampler, PartialSampler):
        return _time_part(model, sampler, settings, seconds)
    step = sampler.step(model, settings.videos_at_once, settings.precision, settings.graph)
    if step is None:
        return None
    found, frames = _time_videos(model, step, settings, sampler.one_frame, seconds)
    return Timing(
        kind.name,
        name,
        model.config.frame_size,
        statistics.mean(found),
        max(found) - min(found),
        model.decoder.evaluations,
        sampler.sequential_steps(model),
        videos=len(found),
        frames=frames,
    )


def videos_in(seconds: float, one_frame: float, videos: int, frames: int) -> tuple[int, int]:
    """Return (videos, frames in each) that can be sampled in so many seconds, at least (1, 1).

    one_frame: seconds that a frame takes. Videos give way before frames do.

    >>> videos_in(100.0, 1.0, videos=5, frames=18)
    (5, 18)
    >>> videos_in(40.0, 1.0, videos=5, frames=18), videos_in(7.0, 1.0, videos=5, frames=18)
    ((2, 18), (1, 7))
    """
    affordable = seconds / max(one_frame, 1e-9)
    if affordable < frames:
        return 1, max(1, int(affordable))
    return int(min(videos, affordable // frames)), frames


def _time_videos(
    model: VideoPixelNetwork,
    step: Callable[..., Any],
    settings: SpeedSettings,
    one_frame: bool,
    limit: float,
) -> tuple[list[float], int]:
    """Seconds a frame and sample of every video timed, and how many frames each had. One frame
    warms up, a second one tells how many can be afforded; where no more can, it is the timing."""
    carry, action, _ = static_inputs(model, settings.videos_at_once)
    generator = torch.Generator().manual_seed(0)
    shape = (settings.videos_at_once, 2, *carry.frame.shape[1:])
    given = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator).to(settings.device)
    states = carry.state[:, None].expand(-1, 2, -1)
    actions = action[:, None].expand(-1, settings.frames + 1, -1)

    def sample(frames: int) -> float:
        _synchronise(settings.device)
        begin = time.perf_counter()
        model.rollout(given, states, actions, generator=generator, steps=frames, step=step)
        _synchronise(settings.device)
        return time.perf_counter() - begin

    begin = time.perf_counter()
    sample(1)
    first = sample(1)
    left = limit - (time.perf_counter() - begin)
    if left < first:  # a slow sampler: the second frame is what is reported
        return [first / settings.videos_at_once], 1
    videos, frames = videos_in(left, first, settings.videos, 1 if one_frame else settings.frames)
    seconds = [sample(frames) / frames / settings.videos_at_once for _ in range(videos)]
    return seconds, frames


@torch.no_grad()
def _time_part(
    model: VideoPixelNetwork, sampler: PartialSampler, settings: SpeedSettings, limit: float
) -> Timing:
    """Time ``plain_steps`` of a frame's steps, or what the limit allows; each costs the same."""
    carry, _, uniforms = static_inputs(model, settings.videos_at_once)
    grid = model.config.grid
    features = torch.zeros(
        settings.videos_at_once, model.encoder.features, grid, grid, device=settings.device
    )
    total = sampler.sequential_steps(model)
    steps = min(settings.plain_steps, total)
    centre = carry.frame.float() if model.config.centred else None

    def sample(steps: int) -> None:
        with torch.autocast(
            uniforms.device.type, torch.bfloat16, enabled=settings.precision == "bf16"
        ):
            sampler.sample_steps(model, features, centre, uniforms, steps)

    sample(1)  # warms up
    begin = time.perf_counter()
    sample(1)
    first = time.perf_counter() - begin
    if limit < math.inf:
        # Two steps are spent by now, and two measurements are to come.
        steps = max(1, min(steps, int((limit - 2 * first) / 2 / first)))
    seconds = []
    for _ in range(2):
        _synchronise(settings.device)
        begin = time.perf_counter()
        sample(steps)
        _synchronise(settings.device)
        seconds.append((time.perf_counter() - begin) / steps * total / settings.videos_at_once)
    return Timing(
        model.config.kind,
        sampler.name,
        model.config.frame_size,
        statistics.mean(seconds),
        max(seconds) - min(seconds),
        model.decoder.evaluations,
        total,
        steps,
    )


@torch.no_grad()
def count_work(model: VideoPixelNetwork) -> dict[str, float]:
    """'gigaflop' of one sampled frame at batch 1, and 'weight_megabytes' in float32, read at least
    once a frame.

    >>> from pixelpush.vpn import build_model
    >>> work = count_work(build_model("ot", frame_size=8, coarse_scales=0))
    >>> sorted(work), work["gigaflop"] > 0
    (['gigaflop', 'weight_megabytes'], True)
    """
    carry, action, uniforms = static_inputs(model, 1)
    with FlopCounterMode(display=False) as counter:
        model.step(carry, action, uniforms)
    parameters = sum(p.numel() for p in model.parameters())
    return {"gigaflop": counter.get_total_flops() / 1e9, "weight_megabytes": 4 * parameters / 1e6}


@dataclass(frozen=True)
class SpeedReport:
    """Everything that was measured of the video samplers.

    work: by kind, as ``count_work`` gives it. preset, distribution: what was built; '' where the
    caller built its own.

    >>> row = Timing("ot", "plain", 64, 0.02, 0.0, 1, 1)
    >>> SpeedReport(SpeedSettings(), 64, "a CPU", {}, [row]).at(64)["ot", "plain"].evaluations
    1
    """

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
    ``table_size``. progress(words) is called before and after each timing. The minutes that are
    left are shared evenly by the rows that are left.

    >>> list(dict.fromkeys(kind.name for kind, _ in sampler_rows()))  # what ``build`` is asked for
    ['otn', 'baseline', 'ot', 'otlogn']
    """
    timings: list[Timing] = []
    work: dict[str, dict[str, float]] = {}
    every = sorted({*sizes, table_size})
    left = len(every) * len(sampler_rows())
    end = time.monotonic() + 60 * settings.minutes if settings.minutes else math.inf
    for size in every:
        for name, rows in groupby(sampler_rows(), key=lambda row: row[0].name):
            progress(f"building {name}, {size}x{size}")
            model = build(name, size).to(settings.device).eval()
            if size == table_size:
                work[name] = count_work(model)
            for kind, sampler in rows:
                words = f"{kind.label}{sampler.words}, {size}x{size}"
                # The time that is left, in equal parts to the rows that are left.
                share = max(0.0, (end - time.monotonic()) / left)
                at_most = "" if share == math.inf else f", about {share:.0f} s, or two frames"
                progress(f"timing {words}{at_most}")
                timing = time_sampler(model, sampler.name, settings, share)
                left -= 1
                if timing is None:
                    progress("  cannot run with these settings")
                    continue
                timings.append(timing)
                progress(f"  {timing.seconds_per_frame:.4g} s a frame")
    return SpeedReport(settings, table_size, hardware(settings.device), work, timings)


def hardware(device: str) -> str:
    """The device in words, with the library that drove it.

    >>> hardware("cpu").endswith(f"torch {torch.__version__}")
    True
    """
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
