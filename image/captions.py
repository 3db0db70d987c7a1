"""A caption's letters, and the networks that read them."""

from __future__ import annotations

import string
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelpush.errors import InputError
from pixelpush.image.layers import Layers, coordinates

CAPTION_LENGTH = 201
# Position 0 pads; letters are lower-cased; everything else is one 'unknown' character.
ALPHABET = string.ascii_lowercase + string.digits + string.punctuation + " "
UNKNOWN = len(ALPHABET) + 1
SPACE = ALPHABET.index(" ") + 1
# Letters of a word that have a place of their own; later ones share the last.
_PLACES = 16


def encode_caption(text: str, truncate: bool = False, strict: bool = False) -> list[int]:
    """Return 201 character numbers, padded with 0.

    Letters are lower-cased and runs of spaces become one. A longer caption raises InputError,
    unless ``truncate``; so does, if ``strict``, a character outside ALPHABET, which is otherwise
    the 'unknown' one.

    >>> encode_caption("a b")[:4]
    [1, 69, 2, 0]
    """
    text = " ".join(text.lower().split())
    if len(text) > CAPTION_LENGTH and not truncate:
        raise InputError(
            f"a caption of {len(text)} characters is longer than {CAPTION_LENGTH}; shorten it or "
            "ask to truncate."
        )
    strange = [character for character in text if character not in ALPHABET]
    if strict and (strange or not text):
        what = f"has {strange[0]!r}" if strange else "is empty"
        raise InputError(
            f"the caption {text!r} {what}; captions are of English letters, digits, punctuation "
            "and spaces."
        )
    numbers = [ALPHABET.find(character) + 1 or UNKNOWN for character in text[:CAPTION_LENGTH]]
    return numbers + [0] * (CAPTION_LENGTH - len(numbers))


class CaptionEncoder(nn.Module):
    """Three convolutions over characters, a GRU, the average over time (Reed et al. 2016a).

    >>> CaptionEncoder(8)(torch.zeros(2, 201, dtype=torch.long)).shape
    torch.Size([2, 8])
    """

    def __init__(self, channels: int):
        super().__init__()
        self.characters = nn.Embedding(UNKNOWN + 1, channels)
        self.convolutions = nn.ModuleList(nn.Conv1d(channels, channels, 4) for _ in range(3))
        # 201 characters -> 198 -> 66 -> 63 -> 21 -> 18 -> 9 steps of the recurrence.
        self.pools = (3, 3, 2)
        self.recurrence = nn.GRU(channels, channels, batch_first=True)

    def forward(self, captions: Tensor) -> Tensor:
        """(N, 201) -> (N, channels)."""
        values = self.characters(captions.long()).transpose(1, 2)
        for convolution, pool in zip(self.convolutions, self.pools, strict=True):
            values = F.max_pool1d(F.relu(convolution(values)), pool)
        return self.recurrence(values.transpose(1, 2))[0].mean(dim=1)


@dataclass(frozen=True)
class Words:
    """The words of a batch of captions. values: (N, W, width). known: bool (N, W); the others pad.

    >>> Words(torch.zeros(2, 5, 8), torch.ones(2, 5, dtype=torch.bool)).values.shape
    torch.Size([2, 5, 8])
    """

    values: Tensor
    known: Tensor


class WordEncoder(nn.Module):
    """Every word of a caption, seen beside its neighbours.

    A word is the sum of its letters, each by its place in the word, so that it is the same wherever
    it stands. Convolutions over words then bind what stands together: "a red mug". W is that of the
    caption with the most words; the others are padded, which changes none of their words.

    >>> encoded = WordEncoder(8)(torch.tensor([encode_caption("a red mug")]))
    >>> encoded.known.tolist()
    [[True, True, True]]
    """

    def __init__(self, width: int):
        super().__init__()
        self.letters = nn.Embedding(_PLACES * (UNKNOWN + 1), width)
        self.norm = nn.LayerNorm(width)
        self.blocks = Layers(_WordBlock(width) for _ in range(3))

    def forward(self, captions: Tensor) -> Words:
        """(N, 201) -> words; an empty caption has none."""
        letter = (captions > 0) & (captions != SPACE)
        before = F.pad(captions[:, :-1] == SPACE, (1, 0))
        word = before.long().cumsum(1)
        steps = torch.arange(captions.shape[1], device=captions.device).expand_as(word)
        place = steps - torch.where(before, steps, 0).cummax(1).values
        row = place.clamp(max=_PLACES - 1) * (UNKNOWN + 1) + captions.long()
        values = self.letters(row) * letter[..., None]
        # Spaces and padding add nothing. Words after the last caption's end are cut off. How many
        # there are the host has to know: one read for each batch.
        count = int(torch.where(letter, word, 0).max()) + 1
        word = word.clamp(max=count - 1)
        # All captions' words in one row: on every device additions by index can be repeated.
        word = (word + count * torch.arange(len(word), device=word.device)[:, None]).flatten()
        size = len(captions), count
        sums = values.new_zeros(size[0] * count, values.shape[2])
        sums = sums.index_add(0, word, values.flatten(0, 1)).unflatten(0, size)
        letters = torch.zeros_like(word[: size[0] * count])
        known = letters.index_add(0, word, letter.flatten().long()).unflatten(0, size) > 0
        shown = known[:, None, None].to(sums.dtype)
        # (N, width, 1, W): filters of images are those that the optimiser turns.
        mixed = self.norm(sums).transpose(1, 2)[:, :, None] * shown
        for block in self.blocks:
            mixed = block(mixed, shown)
        return Words(mixed[:, :, 0].transpose(1, 2), known)


class _WordBlock(nn.Module):
    """A residual block over five words twice; padding stays zero."""

    def __init__(self, width: int):
        super().__init__()
        self.first = nn.Conv2d(width, width, (1, 5), padding=(0, 2))
        self.second = nn.Conv2d(width, width, (1, 5), padding=(0, 2))

    def forward(self, values: Tensor, shown: Tensor) -> Tensor:
        hidden = self.first(F.silu(values)) * shown
        return values + self.second(F.silu(hidden)) * shown


class CaptionReader(nn.Module):
    """Every position of a map reads the words that speak of it (Vaswani et al. 2017, section 3.2).

    A position asks by its row and column and by what else is known there, such as masks. beside:
    channels of the latter. width: of the words. channels: of what is read.

    >>> reader = CaptionReader(beside=0, width=8, channels=3)
    >>> words = WordEncoder(8)(torch.tensor([encode_caption("a red mug")]))
    >>> reader(words, None, (4, 4)).shape
    torch.Size([1, 3, 4, 4])
    """

    def __init__(self, beside: int, width: int, channels: int, heads: int = 4):
        super().__init__()
        if width % heads:
            raise InputError(f"caption_attention must be a multiple of {heads}, got {width}.")
        self.heads = heads
        self.ask = _pointwise(beside + 2, width, width)
        self.keys = nn.Linear(width, 2 * width)
        # What a position reads where no word speaks of it, and in an empty caption.
        self.nothing = nn.Parameter(torch.zeros(1, 1, width))
        self.answer = _pointwise(2 * width, width, channels)

    def forward(self, words: Words, beside: Tensor | None, size: tuple[int, int]) -> Tensor:
        """(N, channels, *size). beside: (N, D, *size), None without other knowledge."""
        count = len(words.values)
        at = coordinates(words.values.new_zeros(count, 1, *size))
        asked = self.ask(at if beside is None else torch.cat([beside, at.to(beside)], dim=1))
        values = torch.cat([self.nothing.expand(count, -1, -1), words.values], dim=1)
        keys, values = self.keys(values).chunk(2, dim=-1)
        known = F.pad(words.known, (1, 0), value=True)[:, None, None]
        read = F.scaled_dot_product_attention(
            self._split(asked.flatten(2).transpose(1, 2)),
            self._split(keys.to(asked.dtype)),
            self._split(values.to(asked.dtype)),
            known,
        )
        # (N, heads, positions, width / heads) -> (N, width, *size)
        read = read.transpose(2, 3).reshape(asked.shape)
        return self.answer(torch.cat([read, asked], dim=1))

    def _split(self, values: Tensor) -> Tensor:
        return values.unflatten(2, (self.heads, -1)).transpose(1, 2)


def _pointwise(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, hidden, 1), nn.SiLU(), nn.Conv2d(hidden, outputs, 1))
