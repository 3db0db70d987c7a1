"""One sampled frame as one graph: encoder step and all pixel groups, captured once and replayed.

Launching the few hundred kernels of a small frame one by one costs more than running them.
``GraphedStep`` captures them as a CUDA graph over static buffers; ``CompiledStep`` compiles the
same function, and also runs on a CPU. Both take the place of ``VideoPixelNetwork.step`` in a
rollout: ``model.rollout(..., step=GraphedStep(model, batch=1))``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor
from torch.utils import _pytree as tree

from pixelpush.errors import InputError
from pixelpush.vpn.carry import StepCarry

if TYPE_CHECKING:
    from pixelpush.vpn.model import VideoPixelNetwork

Values = TypeVar("Values")
# What samples one frame: (carry, action, uniforms, temperature) -> (new carry, nats (B, H, W)).
Step = Callable[..., tuple[StepCarry, Tensor]]


def plain_step(
    model: VideoPixelNetwork,
    precision: str = "32",
    sample: Callable[..., tuple[Tensor, Tensor]] | None = None,
) -> Step:
    """Return ``model.step``, in bfloat16 autocast if precision is 'bf16'.

    Distributions are computed in float32 either way. sample: the sampler that ``model.step`` calls,
    default the decoder's own. Raises InputError for another precision.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0)
    >>> carry, nats = plain_step(model)(*static_inputs(model, batch=1))
    >>> nats.shape
    torch.Size([1, 8, 8])
    """
    if precision not in ("32", "bf16"):
        raise InputError(f"unknown sampling precision {precision!r}; choose 32 or bf16.")

    def step(
        carry: StepCarry, action: Tensor, uniforms: Tensor, temperature: float = 1.0
    ) -> tuple[StepCarry, Tensor]:
        with torch.autocast(uniforms.device.type, torch.bfloat16, enabled=precision == "bf16"):
            return model.step(carry, action, uniforms, temperature, sample)

    return step


class GraphedStep:
    """``plain_step`` captured as a CUDA graph for one batch size and one temperature.

    The static buffers are this object's; what a call returns is copied out of them. Raises
    InputError off CUDA, for a decoder that is not ``static`` (O(TN)), and for a batch or
    temperature other than the captured one.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0)
    >>> GraphedStep(model, batch=1)
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: a CUDA graph needs a model on a CUDA device, this one is on cpu.
    """

    def __init__(
        self, model: VideoPixelNetwork, batch: int, temperature: float = 1.0, precision: str = "32"
    ):
        self.batch = batch
        self.temperature = temperature
        device = model.state_mean.device
        if device.type != "cuda":
            raise InputError(
                f"a CUDA graph needs a model on a CUDA device, this one is on {device}."
            )
        if not model.decoder.static:
            raise InputError(
                f"the sampler of {model.config.kind!r} cannot be captured as one graph; use its "
                "plain step."
            )
        step = plain_step(model, precision)
        self._inputs = static_inputs(model, batch)
        self._graph = torch.cuda.CUDAGraph()
        # The model's device, which need not be the current one.
        with torch.cuda.device(device):
            # Warm-up on a side stream: libraries choose kernels and allocate workspaces before the
            # capture.
            stream = torch.cuda.Stream()
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                for _ in range(3):
                    step(*self._inputs, temperature)
            torch.cuda.current_stream().wait_stream(stream)
            with torch.cuda.graph(self._graph):
                self._outputs = step(*self._inputs, temperature)

    def __call__(
        self, carry: StepCarry, action: Tensor, uniforms: Tensor, temperature: float = 1.0
    ) -> tuple[StepCarry, Tensor]:
        if len(action) != self.batch or temperature != self.temperature:
            raise InputError(
                f"this graph was captured for batch {self.batch} at temperature "
                f"{self.temperature}, "
                f"got {len(action)} at {temperature}."
            )
        overwrite(self._inputs, (carry, action, uniforms))
        with torch.cuda.device(uniforms.device):
            self._graph.replay()
        return cloned(self._outputs)


class CompiledStep:
    """``plain_step`` through ``torch.compile`` with static shapes.

    It needs a C++ compiler where it runs on a CPU; nothing is compiled before the first call.

    >>> from pixelpush.vpn.samplers import GRAPHS
    >>> GRAPHS.find("compile").__name__
    'CompiledStep'
    """

    def __init__(self, model: VideoPixelNetwork, precision: str = "32"):
        self._step = torch.compile(plain_step(model, precision), dynamic=False)

    def __call__(
        self, carry: StepCarry, action: Tensor, uniforms: Tensor, temperature: float = 1.0
    ) -> tuple[StepCarry, Tensor]:
        with torch.no_grad():
            return self._step(carry, action, uniforms, temperature)


def static_inputs(model: VideoPixelNetwork, batch: int) -> tuple[StepCarry, Tensor, Tensor]:
    """Return (carry, action, uniforms) of the shapes that one step of this model takes.

    All are filled with zeros.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0)
    >>> carry, action, uniforms = static_inputs(model, batch=2)
    >>> uniforms.shape
    torch.Size([2, 4, 8, 8])
    """
    c = model.config
    device = model.state_mean.device
    frame = torch.zeros(
        batch, c.colours, c.frame_size, c.frame_size, dtype=torch.uint8, device=device
    )
    state, action = (
        torch.zeros(batch, size, device=device) for size in (c.state_dim, c.action_dim)
    )
    uniforms = torch.zeros(
        batch, model.decoder.uniforms_per_pixel, c.frame_size, c.frame_size, device=device
    )
    return StepCarry(cloned(model.encoder.initial(batch, device)), frame, state), action, uniforms


def cloned(values: Values) -> Values:
    """Copy every tensor of a structure; anything else, such as a missing background, stays.

    >>> cloned((torch.zeros(1), None))
    (tensor([0.]), None)
    """
    return tree.tree_map_only(Tensor, torch.clone, values)


def overwrite(buffers: object, values: object) -> None:
    """Copy the tensors of one structure into those of another of the same form.

    >>> buffers = torch.zeros(1), None
    >>> overwrite(buffers, (torch.ones(1), None))
    >>> buffers[0].item()
    1.0
    """
    for buffer, value in zip(tree.tree_leaves(buffers), tree.tree_leaves(values), strict=True):
        if isinstance(buffer, Tensor):
            buffer.copy_(value, non_blocking=True)
