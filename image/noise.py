"""Uniform numbers for samplers: one stream per sample, so that its batch does not change it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pixelpush.errors import InputError

Generators = torch.Generator | Sequence[torch.Generator] | None


class SampleNoise:
    """Independent streams of uniform numbers, one per sample of a batch.

    generator: one generator for the batch, or one per sample, or None for PyTorch's global one. A
    seed per sample is drawn from it, in order, and each sample then has its own stream: sample i of
    a batch is the same whatever the batch's size, and whatever device computes the rest (the
    numbers are drawn on the CPU)."""

    def __init__(self, generator: Generators, batch: int):
        if isinstance(generator, Sequence):
            if len(generator) != batch:
                raise InputError(
                    f"{len(generator)} generators were given for {batch} samples; give one or one "
                    "each."
                )
            sources = list(generator)
        else:
            sources = [torch.default_generator if generator is None else generator] * batch
        self._streams = [torch.Generator().manual_seed(_draw_seed(source)) for source in sources]

    def uniforms(self, count: int, height: int, width: int) -> Tensor:
        """(B, count, height, width) float32 in [0, 1), on the CPU; the next numbers of every
        stream."""
        return torch.stack(
            [torch.rand(count, height, width, generator=stream) for stream in self._streams]
        )


def _draw_seed(source: torch.Generator) -> int:
    return int(torch.randint(0, 2**62, (), generator=source, device=source.device))
