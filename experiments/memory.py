"""Memory and arithmetic of one training step on one clip: computed without doing it, and measured.

    python -m experiments.memory [--model paper-ot ...] [--frames 20] [--measure] [--json FILE]

Computed: the forward pass runs on tensors without memory, which counts what the backward pass would
find kept and the floating-point operations (two for a multiplication with addition). Measured, with
--measure: the peak resident memory of a process that does one step on a CPU, a process for each;
paper-ot takes some minutes. Nothing here is a test."""

from __future__ import annotations

import multiprocessing
import resource
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro


@dataclass(frozen=True)
class Options:
    """What to measure."""

    model: tuple[str, ...] = ("paper-baseline", "paper-otn", "paper-ot", "paper-otlogn")
    """Model presets."""
    frames: int = 20
    """Frames of the clip."""
    measure: bool = False
    """Do the step too."""
    json: Path | None = None
    """Write the figures here."""


def main(options: Options) -> None:
    from pixelpush.files import write_json

    report: list[dict[str, Any]] = []
    for name in options.model:
        for precision in ("32", "bf16"):
            for checkpointing in (False, True):
                found = {
                    "model": name,
                    "frames": options.frames,
                    "precision": precision,
                    "checkpointing": checkpointing,
                }
                case = (name, options.frames, precision == "bf16", checkpointing)
                found |= computed(*case)
                if options.measure:
                    with multiprocessing.get_context("spawn").Pool(1) as pool:
                        found |= pool.apply(measured, case)
                report.append(found)
                print(
                    "  ".join(
                        f"{key} {value:.4g}" if isinstance(value, float) else f"{value}"
                        for key, value in found.items()
                    )
                )
    if options.json is not None:
        write_json(options.json, report)


def computed(name: str, frames: int, bf16: bool, checkpointing: bool) -> dict[str, float]:
    """What the backward pass of one clip finds kept, GiB; parameters; FLOPs of the forward pass."""
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.autograd.graph import saved_tensors_hooks
    from torch.utils.flop_counter import FlopCounterMode

    from pixelpush.vpn import build_model

    kept: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage._cdata] = storage  # held, so that no other takes its place
        return tensor

    counter = FlopCounterMode(display=False)
    with FakeTensorMode():
        model = build_model(name)
        model.set_checkpointing(checkpointing)
        own = {
            tensor.untyped_storage()._cdata for tensor in (*model.parameters(), *model.buffers())
        }
        clip = video(model.config.frame_size, frames)
        autocast = torch.autocast("cpu", torch.bfloat16, enabled=bf16)
        with counter, saved_tensors_hooks(keep, lambda tensor: tensor), autocast:
            model(*clip)
    activations = sum(storage.nbytes() for key, storage in kept.items() if key not in own)
    return {
        "parameters": float(sum(parameter.numel() for parameter in model.parameters())),
        "kept_gib": activations / 2**30,
        "forward_flops": float(counter.get_total_flops()),
    }


def measured(name: str, frames: int, bf16: bool, checkpointing: bool) -> dict[str, float]:
    """Peak resident memory, GiB, and seconds of one step on one clip, RMSprop as in the paper, one
    thread."""
    import torch

    from pixelpush.training.optimizer import CentredRMSprop
    from pixelpush.vpn import build_model

    torch.set_num_threads(1)
    model = build_model(name).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    model.set_checkpointing(checkpointing)
    optimizer = CentredRMSprop(model.parameters(), 1e-4, 0.95, 1e-8)
    clip = video(model.config.frame_size, frames)
    begin = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        loss = model(*clip)["loss"]
    loss.backward()
    optimizer.step()
    return {
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "seconds": time.perf_counter() - begin,
    }


def video(size: int, frames: int) -> list[Any]:
    """A clip of noise: frames, states, actions."""
    import torch

    pixels = torch.randint(0, 256, (1, frames, 3, size, size), dtype=torch.uint8)
    return [pixels, torch.randn(1, frames, 5), torch.randn(1, frames, 5)]


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
