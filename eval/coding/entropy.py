"""The entropy coder: probability tables of a model and levels in, 32-bit words out, and back.

The coder is ``constriction``'s range coder (Bamler 2022, arXiv:2201.01741). It turns each row of
float32 probabilities into whole numbers of 2^-24, every level at least one, by arithmetic that is
the same everywhere; so equal tables give equal words, and a level that the model holds impossible
can still be coded, in ``MOST_BITS`` bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from pixelpush.errors import InputError
from pixelpush.image.choosing import Walk

# Probabilities are counted in units of 2^-24: no level costs more.
MOST_BITS = 24


def constriction() -> Any:
    """The entropy coding library, or a clear error where it is missing.

    >>> constriction().__name__
    'constriction'
    """
    try:
        import constriction
    except ImportError:
        raise InputError(
            "coding needs the package 'constriction'; install it with pip install "
            "'pixelpush[coding]'."
        ) from None
    return constriction


def _tables() -> Any:
    # lazy: tables are made row by row while coding. perfect=False: a fast rounding to 24 bits, the
    # same on both sides, that leaves every level a probability above 0.
    return constriction().stream.model.Categorical(lazy=True, perfect=False)


class Encoder:
    """Collects coded levels; ``words`` gives the code. bits: what an ideal coder would need for
    the same levels with the same tables, in which every level keeps a unit of 2^-``MOST_BITS``: a
    likely level costs a trifle more than by its probability, one that is hardly possible less.

    >>> encoder = Encoder()
    >>> encoder.encode(torch.full((2, 256), 1 / 256), torch.tensor([3, 250], dtype=torch.uint8))
    >>> Decoder(encoder.words()).decode(torch.full((2, 256), 1 / 256)).tolist()
    [3, 250]
    >>> encoder.bits
    16.0
    """

    def __init__(self):
        self.bits = 0.0
        self._coder = constriction().stream.queue.RangeEncoder()
        self._tables = _tables()

    def encode(self, probabilities: Tensor, levels: Tensor) -> None:
        """Append uint8 (n,) levels with float32 (n, 256) probabilities."""
        symbols = levels.numpy().astype(np.int32)
        try:
            self._coder.encode(symbols, self._tables, _rows(probabilities))
        except ValueError:
            raise InputError(
                "the model's probabilities are not finite; its weights have diverged; use an "
                "earlier save."
            ) from None
        chosen = probabilities.double().gather(1, levels.long()[:, None].to(probabilities.device))
        unit = 2.0**-MOST_BITS
        kept = chosen * (1 - probabilities.shape[1] * unit) + unit
        self.bits -= float(kept.log2().sum())

    def words(self) -> np.ndarray:
        """The code so far, uint32."""
        return self._coder.get_compressed()


class Decoder:
    """Reads levels back from the words of an ``Encoder``, given the same probabilities in the same
    order.

    >>> even = torch.full((2, 256), 1 / 256)
    >>> encoder = Encoder()
    >>> encoder.encode(even, torch.tensor([7, 8], dtype=torch.uint8))
    >>> Decoder(encoder.words()).decode(even).tolist()
    [7, 8]
    """

    def __init__(self, words: np.ndarray):
        self._coder = constriction().stream.queue.RangeDecoder(words)
        self._tables = _tables()

    def decode(self, probabilities: Tensor) -> Tensor:
        """The next uint8 (n,) levels. Raises InputError where the words cannot be of such."""
        try:
            symbols = self._coder.decode(self._tables, _rows(probabilities))
        except (ValueError, AssertionError):
            raise InputError(
                "the code does not fit the model's probabilities; the file is damaged, or "
                "another model coded it."
            ) from None
        return torch.from_numpy(symbols.astype(np.uint8))


def _rows(probabilities: Tensor) -> np.ndarray:
    return np.ascontiguousarray(probabilities.cpu().numpy(), dtype=np.float32)


class EncodingWalk(Walk):
    """Appends the pixels that it walks through to an encoder.

    >>> pixels = torch.tensor([[[[3, 250]]]], dtype=torch.uint8)
    >>> even = torch.full((2, 256), 1 / 256)
    >>> places = torch.tensor([0, 1])
    >>> encoder = Encoder()
    >>> walk = EncodingWalk(pixels, encoder)
    >>> _ = walk.levels(even, pixels.flatten(), places, channel=0)
    >>> len(encoder.words())
    1
    """

    def __init__(self, pixels: Tensor, encoder: Encoder):
        super().__init__(pixels)
        self.encoder = encoder

    def levels(self, probabilities: Tensor, levels: Tensor, places: Tensor, channel: int) -> Tensor:
        self.encoder.encode(probabilities, levels)
        return levels


class DecodingWalk(Walk):
    """Reads the pixels that it walks through from a decoder; it takes the shape of its pixels, not
    their values.

    >>> pixels = torch.tensor([[[[3, 250]]]], dtype=torch.uint8)
    >>> even = torch.full((2, 256), 1 / 256)
    >>> places = torch.tensor([0, 1])
    >>> encoder = Encoder()
    >>> encoder.encode(even, pixels.flatten())
    >>> again = DecodingWalk(pixels, Decoder(encoder.words()))
    >>> again.levels(even, pixels.flatten(), places, channel=0).tolist()
    [3, 250]
    """

    def __init__(self, pixels: Tensor, decoder: Decoder):
        super().__init__(torch.zeros_like(pixels))
        self.decoder = decoder

    def levels(self, probabilities: Tensor, levels: Tensor, places: Tensor, channel: int) -> Tensor:
        return self.decoder.decode(probabilities)
