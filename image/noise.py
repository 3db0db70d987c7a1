"""Uniform numbers for samplers: one stream per sample, so that its batch does not change it."""

from __future__ import annotations

import zlib
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
    numbers are drawn on the CPU). Raises InputError where the generators are not one per sample.

    >>> SampleNoise(torch.Generator().manual_seed(0), batch=2).uniforms(3, 4, 4).shape
    torch.Size([2, 3, 4, 4])
    """

    def __init__(self, generator: Generators, batch: int):
        sources = one_each(generator, batch)
        self._streams = [torch.Generator().manual_seed(_draw_seed(source)) for source in sources]

    def uniforms(self, count: int, height: int, width: int) -> Tensor:
        """Return the next numbers of every stream.

        float32 (B, count, height, width) in [0, 1), on the CPU."""
        return torch.stack(
            [torch.rand(count, height, width, generator=stream) for stream in self._streams]
        )


def own_uniforms(images: Tensor, count: int) -> Tensor:
    """Uniform numbers (N, count, H, W) in [0, 1) that each image's own bytes decide.

    For scores that need noise: an image gets the same numbers in every batch and on every device.

    >>> image = torch.zeros(1, 3, 2, 2, dtype=torch.uint8)
    >>> torch.equal(own_uniforms(image, 3), own_uniforms(image.repeat(2, 1, 1, 1), 3)[1:])
    True
    """
    # Two images with the same 32 bits would share noise; their scores would stay right.
    seeds = [zlib.crc32(image.cpu().contiguous().numpy().tobytes()) for image in images]
    streams = [torch.Generator().manual_seed(seed) for seed in seeds]
    size = images.shape[2:]
    drawn = [torch.rand(count, *size, generator=stream) for stream in streams]
    return torch.stack(drawn).to(images.device)


def one_each(generator: Generators, batch: int) -> list[torch.Generator]:
    """Return the generator that each sample's seed is drawn from, in order.

    Raises InputError where the generators are not one per sample.

    >>> len(one_each(torch.Generator(), batch=3))
    3
    """
    if not isinstance(generator, Sequence):
        return [torch.default_generator if generator is None else generator] * batch
    if len(generator) != batch:
        raise InputError(
            f"{len(generator)} generators were given for {batch} samples; give one or one each."
        )
    return list(generator)


def _draw_seed(source: torch.Generator) -> int:
    return int(torch.randint(0, 2**62, (), generator=source, device=source.device))
