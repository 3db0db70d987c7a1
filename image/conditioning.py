"""What an image may be conditioned on, and the networks that turn it into a map beside the pixels.

Reed et al. 2017, section 4.2: a character CNN with a GRU and an average over time for captions, a
residual network for spatial structure; both are concatenated, resized bilinearly to the target's
grid and cropped with it."""

from __future__ import annotations

import string
from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelpush.errors import InputError
from pixelpush.image.layers import ResidualBlock

CAPTION_LENGTH = 201
# Position 0 pads; letters are lower-cased; everything else is one 'unknown' character.
ALPHABET = string.ascii_lowercase + string.digits + string.punctuation + " "
UNKNOWN = len(ALPHABET) + 1
STRUCTURE_SIZE = 32


def encode_caption(text: str, truncate: bool = False) -> list[int]:
    """Return 201 character numbers, padded with 0.

    Letters are lower-cased and runs of spaces become one. A longer caption raises InputError,
    unless ``truncate``.

    >>> encode_caption("a b")[:4]
    [1, 69, 2, 0]
    """
    text = " ".join(text.lower().split())
    if len(text) > CAPTION_LENGTH and not truncate:
        raise InputError(
            f"a caption of {len(text)} characters is longer than {CAPTION_LENGTH}; shorten it or "
            "ask to truncate."
        )
    numbers = [ALPHABET.find(character) + 1 or UNKNOWN for character in text[:CAPTION_LENGTH]]
    return numbers + [0] * (CAPTION_LENGTH - len(numbers))


@dataclass(frozen=True)
class Condition:
    """A batch of what is known beside the pixels.

    A model takes exactly the parts that it was built with. classes: int64 (N,). captions: int (N,
    201) of ``encode_caption``. structure: (N, P, 32, 32): keypoint maps, or the share of each class
    in each cell of a segmentation.

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
    the spatial encoder; the paper has 12.

    >>> ConditionConfig(classes=10, captions=True, channels=8).out_channels
    16
    """

    classes: int = 0
    captions: bool = False
    structure: int = 0
    channels: int = 128
    layers: int = 12

    @property
    def used(self) -> bool:
        return bool(self.classes or self.captions or self.structure)

    @property
    def out_channels(self) -> int:
        """Channels of the conditioning map; 0 without conditioning."""
        return self.channels * (bool(self.classes) + self.captions + bool(self.structure))

    def check(self, condition: Condition | None, count: int) -> Condition:
        """Return the condition if it fits this configuration and ``count`` samples.

        Raises InputError where it does not fit."""
        condition = condition or Condition()
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
        _check_range("classes", condition.classes, self.classes)
        _check_range("captions", condition.captions, UNKNOWN + 1)
        return condition


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

    vector: (N, V) or None. maps: (N, S, 32, 32) or None.

    >>> Encoded(torch.zeros(1, 2), None).on_grid(4, 4).shape
    torch.Size([1, 2, 4, 4])
    """

    vector: Tensor | None
    maps: Tensor | None

    def on_grid(self, height: int, width: int) -> Tensor | None:
        """The conditioning map (N, V + S, height, width); None where there is nothing."""
        parts = []
        if self.maps is not None:
            parts.append(
                F.interpolate(self.maps, (height, width), mode="bilinear", align_corners=False)
            )
        if self.vector is not None:
            parts.append(self.vector[:, :, None, None].expand(-1, -1, height, width))
        return torch.cat(parts, dim=1) if parts else None


class CaptionEncoder(nn.Module):
    """Three convolutions over characters, a GRU, the average over time (Reed et al. 2016a).

    >>> CaptionEncoder(8)(torch.zeros(2, 201, dtype=torch.long)).shape
    torch.Size([2, 8])
    """

    def __init__(self, channels: int):
        super().__init__()
        self.characters = nn.Embedding(UNKNOWN + 1, channels)
        self.convolutions = nn.ModuleList(nn.Conv1d(channels, channels, 4) for _ in range(3))
        self.pools = (3, 3, 2)
        self.recurrence = nn.GRU(channels, channels, batch_first=True)

    def forward(self, captions: Tensor) -> Tensor:
        """(N, 201) -> (N, channels)."""
        values = self.characters(captions.long()).transpose(1, 2)
        for convolution, pool in zip(self.convolutions, self.pools, strict=True):
            values = F.max_pool1d(F.relu(convolution(values)), pool)
        return self.recurrence(values.transpose(1, 2))[0].mean(dim=1)


class StructureEncoder(nn.Module):
    """A residual network on the 32x32 maps that keeps their size.

    >>> StructureEncoder(maps=3, channels=8, layers=2)(torch.zeros(1, 3, 32, 32)).shape
    torch.Size([1, 8, 32, 32])
    """

    def __init__(self, maps: int, channels: int, layers: int):
        super().__init__()
        self.enter = nn.Conv2d(maps, channels, 3, padding=1)
        self.blocks = nn.Sequential(*(ResidualBlock(channels) for _ in range(layers // 2)))

    def forward(self, structure: Tensor) -> Tensor:
        return self.blocks(self.enter(structure.to(self.enter.weight.dtype)))


class ConditionEncoder(nn.Module):
    """The encoders of all parts of a condition.

    With nothing to encode it has no parameters and returns an empty ``Encoded``.

    >>> encoder = ConditionEncoder(ConditionConfig(classes=3, channels=8))
    >>> encoder(Condition(classes=torch.tensor([1]))).vector.shape
    torch.Size([1, 8])
    """

    def __init__(self, config: ConditionConfig):
        super().__init__()
        self.classes = nn.Embedding(config.classes, config.channels) if config.classes else None
        self.captions = CaptionEncoder(config.channels) if config.captions else None
        self.structure = (
            StructureEncoder(config.structure, config.channels, config.layers)
            if config.structure
            else None
        )

    def forward(self, condition: Condition) -> Encoded:
        vectors = []
        if self.classes is not None and condition.classes is not None:
            vectors.append(self.classes(condition.classes.long()))
        if self.captions is not None and condition.captions is not None:
            vectors.append(self.captions(condition.captions))
        maps = None
        if self.structure is not None and condition.structure is not None:
            maps = self.structure(condition.structure)
        return Encoded(torch.cat(vectors, dim=1) if vectors else None, maps)
