"""What a user with a GPU runs once: do the laws hold there, how fast is it, and what differs from a
CPU?

python -m experiments.gpu_check --out gpu-check.json      (make gpu-check)

Writes one JSON file and prints what differs from the CPU. ``--device cpu`` runs the parts that need
no GPU, for the tests. Exit code 1 where a law does not hold or a test fails."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import tyro
from torch.utils.flop_counter import FlopCounterMode

from pixelpush.eval.devices import pick_device
from pixelpush.files import write_json
from pixelpush.image import build_image_model
from pixelpush.image.kind_list import KINDS as IMAGE_KINDS
from pixelpush.vpn import VideoPixelNetwork, build_model
from pixelpush.vpn.decoders import KINDS as VIDEO_KINDS

# Nats a pixel by which the sampler's score may differ from log_prob, and a device from a CPU.
TOLERANCE = 1e-4
# Dense bfloat16 rates by a part of the device's name, in TFLOP/s, as its maker states them.
PEAKS = {"H200": 989.0, "H100": 989.0, "A100": 312.0, "L40S": 362.0, "4090": 165.0, "V100": 125.0}
SMALL = {"channels": 16, "lstm_channels": 16, "decoder_channels": 16, "coarse_scales": 1}


@dataclass(frozen=True)
class Options:
    """Where to compute and what to leave out."""

    out: Path = Path("out/gpu-check.json")
    """File of the findings."""
    device: Literal["cuda", "cpu"] = "cuda"
    """cpu: only what needs no GPU, to try the check itself."""
    preset: str = "push-ot"
    """Model whose training rate is measured."""
    batch: int = 16
    """Clips of a measured training step."""
    frames: int = 20
    """Frames of its clips."""
    size: int = 32
    """Side of the frames on which the laws are tried."""


def video(
    model: VideoPixelNetwork, batch: int, length: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(frames, states, actions) of random content, on the CPU."""
    generator = torch.Generator().manual_seed(0)
    c = model.config
    shape = (batch, length, c.colours, c.frame_size, c.frame_size)
    frames = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    states = torch.randn(batch, length, c.state_dim, generator=generator)
    actions = torch.randn(batch, length, c.action_dim, generator=generator)
    return frames, states, actions


@torch.no_grad()
def law(kind: str, options: Options) -> dict[str, float]:
    """A video kind: sampler against scorer, device against CPU, bfloat16 against float32.

    Differences are the largest, in nats a pixel; bfloat16's is of the means."""
    torch.manual_seed(0)
    model = build_model(kind, frame_size=options.size, **SMALL).eval()
    given = video(model, batch=2, length=5)
    expected = model.log_prob(*given)
    model.to(options.device)
    frames, states, actions = (tensor.to(options.device) for tensor in given)
    found = model.log_prob(frames, states, actions)
    out = model.rollout(frames[:, :2], states, actions, torch.Generator().manual_seed(1))
    again = model.log_prob(torch.cat((frames[:, :2], out.frames), dim=1), states, actions)
    with torch.autocast(options.device, torch.bfloat16):
        rough = model.log_prob(frames, states, actions)
    return {
        "sampler_scorer": float((out.log_prob - again).abs().max()),
        "cpu_device": float((found.cpu() - expected).abs().max()),
        "bf16_float32": float((rough.mean() - found.mean()).abs()),
    }


@torch.no_grad()
def image_law(kind: str, options: Options) -> dict[str, float]:
    """An image kind: sampler against scorer, device against CPU."""
    torch.manual_seed(0)
    sizes = {"filters": 8} if kind == "pixelcnn++" else {"channels": 8}
    model = build_image_model(kind, image_size=8, **sizes).eval()
    shape = (2, 3, 8, 8)
    images = torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(0)).byte()
    expected = model.log_prob(images)
    model.to(options.device)
    found = model.log_prob(images.to(options.device))
    out = model.sample(2, generator=torch.Generator().manual_seed(1))
    return {
        "sampler_scorer": float((out.log_prob - model.log_prob(out.images)).abs().max()),
        "cpu_device": float((found.cpu() - expected).abs().max()),
    }


def training_rate(options: Options) -> dict[str, Any]:
    """Forward and backward passes in bfloat16: clips/s, TFLOP/s, and the share of the peak."""
    model = build_model(options.preset).to(options.device)
    given = [x.to(options.device) for x in video(model, options.batch, options.frames)]

    def step() -> None:
        model.zero_grad(set_to_none=True)
        with torch.autocast(options.device, torch.bfloat16):
            loss = model(*given)["loss"]
        loss.backward()

    with FlopCounterMode(display=False) as counter:
        step()
    seconds = timed(step, options.device, repeats=5 if options.device == "cuda" else 1)
    rate = counter.get_total_flops() / seconds / 1e12
    name = torch.cuda.get_device_name() if options.device == "cuda" else "cpu"
    peak = next((value for part, value in PEAKS.items() if part in name), None)
    return {
        "preset": options.preset,
        "clips_per_second": options.batch / seconds,
        "teraflops_per_second": rate,
        "share_of_peak": None if peak is None else rate / peak,
    }


def timed(work: Callable[[], object], device: str, repeats: int) -> float:
    """Seconds of one call, the device's queue included."""
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(repeats):
        work()
    if device == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - start) / repeats


def command(*words: str) -> dict[str, Any]:
    """Run a command; its exit code and last lines."""
    ended = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True)
    lines = (ended.stdout + ended.stderr).strip().splitlines()
    return {"command": " ".join(words), "exit_code": ended.returncode, "last_lines": lines[-3:]}


def on_gpus(folder: Path) -> dict[str, Any]:
    """What only GPUs can do: their tests, Table 4 with CUDA graphs, two processes with NCCL."""
    table = folder / "gpu-check-table4.json"
    found = {
        "tests": command("pytest", "-q", "-m", "gpu"),
        "table4": command("pixelpush", "speed", "--preset", "paper", "--json", str(table)),
    }
    if table.is_file():
        found["table4"]["rows"] = json.loads(table.read_text())
    if torch.cuda.device_count() > 1:
        run = ["pixelpush", "train", "push-ot-small", "--data", "sim", "--examples", "64"]
        found["nccl"] = command(
            *run, "--batch-size", "2", "--devices", "2", "--run", str(folder / "gpu-check-nccl")
        )
    return found


def check(options: Options) -> dict[str, Any]:
    """All findings, as JSON values. Raises InputError where the device is not there."""
    pick_device(options.device)
    found: dict[str, Any] = {
        "device": torch.cuda.get_device_name() if options.device == "cuda" else "cpu",
        "torch": torch.__version__,
        "video": {kind: law(kind, options) for kind in VIDEO_KINDS},
        "image": {kind: image_law(kind, options) for kind in IMAGE_KINDS},
        "training": training_rate(options),
    }
    return found | (on_gpus(options.out.parent) if options.device == "cuda" else {})


def faults(found: dict[str, Any]) -> list[str]:
    """What does not hold, a line each."""
    lines = [
        f"{family} {kind}: {what} {value:.2g} nats a pixel"
        for family in ("video", "image")
        for kind, values in found[family].items()
        for what, value in values.items()
        if what != "bf16_float32" and not value <= TOLERANCE
    ]
    ran = [found[name] for name in ("tests", "table4", "nccl") if name in found]
    return lines + [
        f"{one['command']}: exit code {one['exit_code']}" for one in ran if one["exit_code"]
    ]


def main(options: Options) -> None:
    """Check, write, and say what differs."""
    found = check(options)
    found["faults"] = faults(found)
    write_json(options.out, found)
    print(f"{found['device']}, torch {found['torch']}; findings in {options.out}")
    for family in ("video", "image"):
        for kind, values in found[family].items():
            said = ", ".join(f"{name} {value:.1e}" for name, value in values.items())
            print(f"{kind}: {said} nats a pixel")
    print(f"training: {found['training']}")
    for line in found["faults"]:
        print(f"! {line}")
    if found["faults"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
