"""What an image may be conditioned on, and the networks that turn it into a map beside the pixels.

Reed et al. 2017, section 4.2: a character CNN with a GRU and an average over time for captions, a
residual network for spatial structure; both are concatenated, resized bilinearly to the target's
grid and cropped with it. Ours, with ``caption_attention``: every position of the target's grid
reads the caption's words for itself, so that a colour can be bound to a place."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelpush.errors import InputError
from pixelpush.image.captions import (
    CAPTION_LENGTH,
    UNKNOWN,
    CaptionEncoder,
    CaptionReader,
    WordEncoder,
)
from pixelpush.image.layers import ResidualBlock, coordinates

STRUCTURE_SIZE = 32


@dataclass(frozen=True)
class Condition:
    """A batch of what is known beside the pixels.

    A model takes exactly the parts that it was built with; one that was trained with condition
    dropout takes any of them. classes: int64 (N,). captions: int (N, 201) of ``encode_caption``.
    structure: (N, P, 32, 32) of 0 and 1: the cell of each keypoint, or the cells that each class
    covers; -1 in maps that are not known.

    >>> Condition(classes=torch.tensor([4, 7]))[:1].classes
    tensor([4])
    """

    classes: Tensor | None = None
    captions: Tensor | None = None
    structure: Tensor | None = None

    def parts(self) -> dict[str, Tensor]:
        """The parts that are given, by name."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in named.items() if value is not None}

    def __getitem__(self, index: slice | Tensor | list[int]) -> Condition:
        """The condition of some of the samples."""
        return Condition(**{name: value[index] for name, value in self.parts().items()})

    def to(self, device: torch.device | str) -> Condition:
        return Condition(**{name: value.to(device) for name, value in self.parts().items()})


@dataclass(frozen=True)
class ConditionConfig:
    """What a model is conditioned on, and the size of the encoders.

    classes: number of classes, 0 for none. captions: whether there are captions. structure: number
    of spatial maps, 0 for none. channels: width of each part's encoding. layers: residual layers of
    the spatial encoder; the paper has 12. dropout: the probability with which each part of a
    training example is left out; above 0, any part may be left out of a condition. structure_parts:
    the number of maps, counted from the first, that are left out as a group of their own; 0: all
    maps are one group. caption_attention: width of a caption's words where every position reads
    them by attention; 0: one vector for the whole caption, as in the paper.

    >>> ConditionConfig(classes=10, captions=True, channels=8).out_channels
    16
    """

    classes: int = 0
    captions: bool = False
    structure: int = 0
    channels: int = 128
    layers: int = 12
    dropout: float = 0.0
    structure_parts: int = 0
    caption_attention: int = 0

    @property
    def optional(self) -> bool:
        """Whether any part may be left out of a condition."""
        return self.dropout > 0

    @property
    def map_groups(self) -> list[slice]:
        """The maps that are left out together."""
        cuts = sorted({0, self.structure_parts, self.structure})
        return [slice(*pair) for pair in itertools.pairwise(cuts)]

    @property
    def used(self) -> bool:
        return bool(self.classes or self.captions or self.structure)

    @property
    def out_channels(self) -> int:
        """Channels of the conditioning map; 0 without conditioning."""
        return self.channels * (bool(self.classes) + self.captions + bool(self.structure))

    def check(self, condition: Condition | None, count: int) -> Condition:
        """Return the condition if it fits this configuration and ``count`` samples.

        Where parts may be left out, they are filled in as ``unknown``. Raises InputError where it
        does not fit."""
        condition = condition or Condition()
        named = condition.parts()
        if self.optional:
            condition = replace(self.unknown(count), **condition.parts())
        given = condition.parts()
        expected = {
            "classes": (count,) if self.classes else None,
            "captions": (count, CAPTION_LENGTH) if self.captions else None,
            "structure": (count, self.structure, STRUCTURE_SIZE, STRUCTURE_SIZE)
            if self.structure
            else None,
        }
        for name, shape in expected.items():
            if (name in given) != (shape is not None):
                verb = "needs" if shape else "takes no"
                raise InputError(f"this model {verb} {name} in its condition.")
            if shape is not None and tuple(given[name].shape) != shape:
                raise InputError(
                    f"the condition's {name} should be {shape}, got {tuple(given[name].shape)}."
                )
        # The row after the last class stands for a class that is left out.
        _check_range("classes", condition.classes, self.classes + ("classes" not in named))
        _check_range("captions", condition.captions, UNKNOWN + 1)
        return condition

    def unknown(self, count: int) -> Condition:
        """The condition of ``count`` samples of which nothing is known.

        >>> ConditionConfig(classes=10, dropout=0.5).unknown(2).classes
        tensor([10, 10])
        """
        side = STRUCTURE_SIZE
        return Condition(
            torch.full((count,), self.classes) if self.classes else None,
            torch.zeros(count, CAPTION_LENGTH, dtype=torch.uint8) if self.captions else None,
            torch.full((count, self.structure, side, side), -1, dtype=torch.int8)
            if self.structure
            else None,
        )

    def dropped(self, condition: Condition) -> Condition:
        """A checked condition with parts left out at random, each with probability ``dropout``.

        Classes, captions and each group of maps are left out apart. Numbers are torch's own."""
        if not self.optional:
            return condition
        left = dict(condition.parts())
        unknown = self.unknown(1)
        for name in ("classes", "captions"):
            if name in left:
                nothing = unknown.parts()[name].to(left[name])
                left[name] = torch.where(self._chosen(left[name]), nothing, left[name])
        if condition.structure is not None:
            # uint8 maps could not hold the -1 of unknown ones.
            maps = condition.structure.to(torch.int8)
            groups = [
                torch.where(self._chosen(maps), torch.tensor(-1).to(maps), maps[:, group])
                for group in self.map_groups
            ]
            left["structure"] = torch.cat(groups, dim=1)
        return Condition(**left)

    def _chosen(self, values: Tensor) -> Tensor:
        """bool (N, 1, ...): which examples leave out a part."""
        chosen = torch.rand(len(values), device=values.device) < self.dropout
        return chosen.view(-1, *[1] * (values.ndim - 1))


def _check_range(name: str, numbers: Tensor | None, end: int) -> None:
    if numbers is None or numbers.numel() == 0:
        return
    low = int(numbers.min())
    high = int(numbers.max())
    if low < 0 or high >= end:
        raise InputError(
            f"the condition's {name} go from {low} to {high}; this model knows 0 to {end - 1}."
        )


@dataclass(frozen=True)
class Encoded:
    """An encoded condition.

    vector: (N, V) or None. maps: (N, S, 32, 32) or None. read: what positions read in captions, (N,
    R, height, width), given the other two on the same grid, or None; None where nothing is read.

    >>> Encoded(torch.zeros(1, 2), None).on_grid(4, 4).shape
    torch.Size([1, 2, 4, 4])
    """

    vector: Tensor | None
    maps: Tensor | None
    read: Callable[[Tensor | None, tuple[int, int]], Tensor] | None = None

    def on_grid(self, height: int, width: int) -> Tensor | None:
        """The conditioning map (N, V + S + R, height, width); None where there is nothing."""
        parts = []
        if self.maps is not None:
            parts.append(
                F.interpolate(self.maps, (height, width), mode="bilinear", align_corners=False)
            )
        if self.vector is not None:
            parts.append(self.vector[:, :, None, None].expand(-1, -1, height, width))
        known = torch.cat(parts, dim=1) if parts else None
        if self.read is None:
            return known
        found = self.read(known, (height, width))
        return found if known is None else torch.cat([known, found.to(known.dtype)], dim=1)


class StructureEncoder(nn.Module):
    """A residual network on the 32x32 maps that keeps their size.

    Where maps may be left out, those that are not known enter as zeros, beside a map for each
    group that says where it is not known, and every position's row and column.

    >>> StructureEncoder(ConditionConfig(structure=3, channels=8))(torch.zeros(1, 3, 32, 32)).shape
    torch.Size([1, 8, 32, 32])
    """

    def __init__(self, config: ConditionConfig):
        super().__init__()
        channels = config.channels
        self.groups = config.map_groups if config.optional else []
        inputs = config.structure + (len(self.groups) + 2 if self.groups else 0)
        self.enter = nn.Conv2d(inputs, channels, 3, padding=1)
        self.blocks = nn.Sequential(*(ResidualBlock(channels) for _ in range(config.layers // 2)))

    def forward(self, structure: Tensor) -> Tensor:
        maps = structure.to(self.enter.weight.dtype)
        if self.groups:
            # A group is known or unknown as a whole: its first map tells.
            unknown = [(maps[:, group][:, :1] < 0).to(maps) for group in self.groups]
            maps = torch.cat([maps.clamp(min=0), *unknown, coordinates(maps)], dim=1)
        return self.blocks(self.enter(maps))


class ConditionEncoder(nn.Module):
    """The encoders of all parts of a condition.

    With nothing to encode it has no parameters and returns an empty ``Encoded``.

    >>> encoder = ConditionEncoder(ConditionConfig(classes=3, channels=8))
    >>> encoder(Condition(classes=torch.tensor([1]))).vector.shape
    torch.Size([1, 8])
    """

    def __init__(self, config: ConditionConfig):
        super().__init__()
        rows = config.classes + config.optional  # the last one: no class is known
        self.classes = nn.Embedding(rows, config.channels) if config.classes else None
        width = config.caption_attention
        whole = config.captions and not width
        self.captions = CaptionEncoder(config.channels) if whole else None
        self.structure = StructureEncoder(config) if config.structure else None
        self.words = self.reader = None
        if config.captions and width:
            beside = config.out_channels - config.channels
            self.words = WordEncoder(width)
            self.reader = CaptionReader(beside, width, config.channels)

    def forward(self, condition: Condition) -> Encoded:
        vectors = []
        if self.classes is not None and condition.classes is not None:
            vectors.append(self.classes(condition.classes.long()))
        if self.captions is not None and condition.captions is not None:
            vectors.append(self.captions(condition.captions))
        maps = None
        if self.structure is not None and condition.structure is not None:
            maps = self.structure(condition.structure)
        read = None
        if self.words is not None and self.reader is not None and condition.captions is not None:
            read = partial(self.reader, self.words(condition.captions))
        return Encoded(torch.cat(vectors, dim=1) if vectors else None, maps, read)
