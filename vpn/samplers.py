"""Ways of sampling a frame: one small class each, a row of the speed table (Table 4).

A kind's record lists its samplers. Most kinds have two: the frame step as it is, and the same step
in one graph."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor

from pixelpush.registry import Registry
from pixelpush.vpn.graph import CompiledStep, GraphedStep, Step, plain_step

if TYPE_CHECKING:
    from pixelpush.vpn.model import VideoPixelNetwork


class Sampler(ABC):
    """One way of sampling frames.

    name: unique within a kind. words: what follows the kind's label in tables. reference: whether
    speed-ups are counted from this sampler. one_frame: whether one frame a video is timed, because
    a frame takes seconds and all frames cost the same.

    >>> WholeFrame().name
    'plain'
    """

    name: ClassVar[str]
    words: ClassVar[str]
    reference: ClassVar[bool] = False
    one_frame: ClassVar[bool] = False

    @abstractmethod
    def sequential_steps(self, model: VideoPixelNetwork) -> int:
        """Return the number of network steps that follow one another in one frame."""

    @abstractmethod
    def step(self, model: VideoPixelNetwork, batch: int, precision: str, graph: str) -> Step | None:
        """Return what samples one frame, or None where this machine or setting cannot run it.

        The result takes the place of ``model.step`` in ``model.rollout(..., step=...)``. precision:
        '32' or 'bf16'. graph: a name of GRAPHS, or 'none'."""


class PartialSampler(Sampler):
    """A sampler too slow to be run whole.

    Some of its steps are timed and the rest extrapolated.

    >>> from pixelpush.vpn.decoders import KINDS
    >>> isinstance(KINDS["otn"].sampler("plain"), PartialSampler)
    True
    """

    @abstractmethod
    def sample_steps(
        self,
        model: VideoPixelNetwork,
        features: Tensor,
        centre: Tensor | None,
        uniforms: Tensor,
        steps: int,
    ) -> None:
        """Run ``steps`` of ``sequential_steps``, all of which cost the same, for one frame.

        Arguments are those of ``Decoder.sample``."""


class WholeFrame(Sampler):
    """The decoder's own sampler, one call a frame.

    >>> from pixelpush.vpn import build_model
    >>> model = build_model("ot", frame_size=8, coarse_scales=0)
    >>> WholeFrame().sequential_steps(model)
    4
    """

    name = "plain"
    words = ""

    def sequential_steps(self, model: VideoPixelNetwork) -> int:
        return model.decoder.evaluations

    def step(self, model: VideoPixelNetwork, batch: int, precision: str, graph: str) -> Step:
        return plain_step(model, precision)


class InOneGraph(Sampler):
    """The whole frame step as one CUDA graph, or compiled.

    >>> InOneGraph().words
    ', in one graph'
    """

    name = "graph"
    words = ", in one graph"

    def sequential_steps(self, model: VideoPixelNetwork) -> int:
        return model.decoder.evaluations

    def step(self, model: VideoPixelNetwork, batch: int, precision: str, graph: str) -> Step | None:
        off_device = graph == "cuda" and model.state_mean.device.type != "cuda"
        if graph == "none" or off_device:
            return None
        if GRAPHS.find(graph) is GraphedStep:
            return GraphedStep(model, batch, precision=precision)
        return CompiledStep(model, precision)


GRAPHS: Registry[type[GraphedStep] | type[CompiledStep]] = Registry(
    "graph", {"cuda": GraphedStep, "compile": CompiledStep}
)
