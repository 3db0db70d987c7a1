"""Devices and data parallelism, through Lightning Fabric."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
from lightning_fabric.utilities.exceptions import MisconfigurationException

from pixelpush.errors import InputError
from pixelpush.precision import use_exact_float32
from pixelpush.training.config import RunOptions

Value = TypeVar("Value")


def make_fabric(options: RunOptions) -> Fabric:
    """Return the launched Fabric.

    One process starts nothing; several are started here unless a launcher already has started them.
    Raises InputError where the devices are not there.

    >>> make_fabric(RunOptions(accelerator="cpu")).world_size
    1
    """
    devices, nodes = process_layout(options)
    check_accelerator(options)
    if options.deterministic:
        # cuBLAS is deterministic only with a workspace of fixed size, set before its first call.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    strategy = DDPStrategy(gradient_as_bucket_view=True) if devices * nodes > 1 else "auto"
    try:
        fabric = Fabric(
            accelerator=options.accelerator,
            devices=devices,
            num_nodes=nodes,
            strategy=strategy,
        )
    # Fabric's ways to say that the devices are not there
    except (ValueError, RuntimeError, MisconfigurationException) as error:
        raise InputError(
            f"{devices} {options.accelerator} devices cannot be used: {error}"
        ) from None
    fabric.launch()
    if fabric.world_size > 1:
        atexit.register(_leave_group)
    _set_performance(fabric.device, options.deterministic)
    return fabric


def check_accelerator(options: RunOptions) -> None:
    """Raise InputError, naming it, where torch does not see the kind of device that is asked for.

    >>> check_accelerator(RunOptions(accelerator="cpu"))
    """
    if options.accelerator == "cuda" and not torch.cuda.is_available():
        raise InputError(
            "no CUDA device is visible; use --accelerator cpu, or check the driver and "
            "CUDA_VISIBLE_DEVICES."
        )
    if options.accelerator == "mps" and not torch.backends.mps.is_available():
        raise InputError("no mps device is visible; use --accelerator cpu.")


def on_first(fabric: Fabric, work: Callable[[], Value]) -> Value:
    """Run ``work`` in the first process alone and give its result to all.

    Its InputError is raised in all.

    >>> on_first(make_fabric(RunOptions(accelerator="cpu")), lambda: 7)
    7
    """
    if fabric.world_size == 1:
        return work()
    outcome: tuple[str | None, Value | None] = (None, None)
    if fabric.global_rank == 0:
        try:
            outcome = (None, work())
        except InputError as error:
            outcome = (str(error), None)
    failure, value = fabric.broadcast(outcome)
    if failure is not None:
        raise InputError(failure)
    return value  # type: ignore[return-value]


def agree(
    fabric: Fabric, requests: Sequence[bool], failure: InputError | None = None
) -> tuple[bool, ...]:
    """Return, for each request, whether any process makes it.

    If any process has failed, its error is raised in all.

    >>> agree(make_fabric(RunOptions(accelerator="cpu")), (True, False), None)
    (True, False)
    """
    if fabric.world_size == 1:
        if failure is not None:
            raise failure
        return tuple(requests)
    # One small all-reduce a step; messages are gathered only after a failure.
    flags = torch.tensor([*map(float, requests), float(failure is not None)], device=fabric.device)
    *totals, failed = fabric.all_reduce(flags, reduce_op="sum").tolist()  # type: ignore[union-attr]
    if failed:
        messages: list[Any] = [None] * fabric.world_size
        torch.distributed.all_gather_object(messages, failure and str(failure))
        raise InputError(next(message for message in messages if message))
    return tuple(total > 0 for total in totals)


def _leave_group() -> None:
    """End the process group before the interpreter ends: its threads, still running then, may abort
    the process."""
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def process_layout(options: RunOptions) -> tuple[int, int]:
    """Return (processes per machine, machines): the options, or what torchrun or Slurm says.

    >>> process_layout(RunOptions(devices=2, nodes=1))
    (2, 1)
    """
    launched = None
    if "LOCAL_WORLD_SIZE" in os.environ:
        local = int(os.environ["LOCAL_WORLD_SIZE"])
        launched = (local, int(os.environ["WORLD_SIZE"]) // local)
    # An interactive allocation sets SLURM_NTASKS too, but has started one process only.
    elif "SLURM_NTASKS" in os.environ and os.environ.get("SLURM_JOB_NAME") not in (
        "bash",
        "interactive",
    ):
        nodes = int(os.environ.get("SLURM_NNODES", "1"))
        launched = (int(os.environ["SLURM_NTASKS"]) // nodes, nodes)
    devices, nodes = launched or (1, 1)
    asked = (options.devices or devices, options.nodes or nodes)
    if launched is not None and asked != launched:
        raise InputError(
            f"--devices {asked[0]} --nodes {asked[1]}, but the launcher started {devices} "
            f"processes on {nodes} nodes"
            ": leave both options out."
        )
    return asked


def _set_performance(device: torch.device, deterministic: bool) -> None:
    if deterministic:
        torch.use_deterministic_algorithms(True)
        torch.backends.cudnn.benchmark = False
    elif device.type == "cuda":
        torch.backends.cudnn.benchmark = True
    use_exact_float32()
