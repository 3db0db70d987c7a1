"""What must agree between the two ends of a code: the model, to the bit, and the arithmetic that
turns it into probabilities."""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version

import torch
from torch import nn

from pixelpush.errors import InputError
from pixelpush.image import Condition, ImageModel
from pixelpush.image.captions import CAPTION_LENGTH
from pixelpush.image.conditioning import STRUCTURE_SIZE, ConditionConfig
from pixelpush.vpn import VideoPixelNetwork


@dataclass(frozen=True)
class Arithmetic:
    """The arithmetic that made a code. fingerprint: of the model's likelihood of a fixed input, in
    all its bits; it differs wherever sums are taken in another order. The rest says why it may
    differ.

    >>> Arithmetic("ab12", 1, "2.6.0", "0.4.1", "x86_64 AVX2").threads
    1
    """

    fingerprint: str
    threads: int
    torch: str
    constriction: str
    processor: str


def model_sha256(model: VideoPixelNetwork | ImageModel) -> str:
    """Hash of a model's configuration and of every weight's name, shape and bytes.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0).eval()
    >>> before = model_sha256(model)
    >>> with torch.no_grad():
    ...     _ = next(model.parameters()).add_(1)
    >>> before == model_sha256(model)
    False
    """
    digest = hashlib.sha256(json.dumps(asdict(model.config), sort_keys=True).encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name}{tensor.dtype}{tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def this_arithmetic(model: VideoPixelNetwork | ImageModel) -> Arithmetic:
    """The arithmetic of this process, with the threads that it has now.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0).eval()
    >>> this_arithmetic(model) == this_arithmetic(model)
    True
    """
    return Arithmetic(
        _fingerprint(model),
        torch.get_num_threads(),
        torch.__version__,
        version("constriction"),
        f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}",
    )


def check_arithmetic(
    model: VideoPixelNetwork | ImageModel, written: Arithmetic, where: str
) -> None:
    """Raise InputError, naming what differs, unless this process computes what the writer did.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0).eval()
    >>> check_arithmetic(model, this_arithmetic(model), "a.coded")
    """
    own = this_arithmetic(model)
    if own.fingerprint == written.fingerprint:
        return
    ours = asdict(own)
    theirs = asdict(written)
    differing = [
        f"{name} {theirs[name]} there, {ours[name]} here"
        for name in ours
        if name != "fingerprint" and ours[name] != theirs[name]
    ]
    raise InputError(
        f"{where}: the model's arithmetic here differs from the writer's "
        f"({'; '.join(differing) or 'for no reason that versions show'}); decode it where it was "
        "made, or with the same versions on the same kind of processor."
    )


def check_on_cpu(model: nn.Module) -> None:
    """Raise InputError for a model on another device, whose sums may differ from run to run.

    >>> check_on_cpu(nn.Linear(2, 2))
    >>> check_on_cpu(nn.Linear(2, 2, device="meta"))
    Traceback (most recent call last):
    pixelpush.errors.InputError: coding computes on the CPU, this model is on meta; move it there.
    """
    device = next(model.parameters()).device
    if device.type != "cpu":
        raise InputError(f"coding computes on the CPU, this model is on {device}; move it there.")


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute with this many threads within the block: another number may sum in another order.

    >>> with threads(1):
    ...     torch.get_num_threads()
    1
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _blank_condition(config: ConditionConfig, count: int) -> Condition:
    return Condition(
        torch.zeros(count, dtype=torch.long) if config.classes else None,
        torch.zeros(count, CAPTION_LENGTH, dtype=torch.long) if config.captions else None,
        torch.zeros(count, config.structure, STRUCTURE_SIZE, STRUCTURE_SIZE)
        if config.structure
        else None,
    )


@torch.inference_mode()
def _fingerprint(model: VideoPixelNetwork | ImageModel) -> str:
    """Hash of the log-probability of a fixed pseudo-random input."""
    # Any input will do: two machines that round differently give other last bits for it.
    generator = torch.Generator().manual_seed(0)
    model.eval()
    if isinstance(model, ImageModel):
        c = model.config
        size = (2, c.colours, c.image_size, c.image_size)
        images = torch.randint(0, 256, size, dtype=torch.uint8, generator=generator)
        probability = model.score(images, _blank_condition(model.conditioning, len(images)))
    else:
        c = model.config
        size = (1, 4, c.colours, c.frame_size, c.frame_size)
        frames = torch.randint(0, 256, size, dtype=torch.uint8, generator=generator)
        states = torch.randn(1, 4, c.state_dim, generator=generator)
        actions = torch.randn(1, 4, c.action_dim, generator=generator)
        probability = model.log_prob(frames, states, actions)
    return hashlib.sha256(probability.contiguous().numpy().tobytes()).hexdigest()
