"""Random draws as a pure function of a purpose and a key, the same with every version of Python and NumPy."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

from pixelpush.datasets.hashing import hash64

_Item = TypeVar("_Item")


def text_key(text: str) -> int:
    """A 64-bit number from a text."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


class Draws:
    """A stream of draws. Two streams with another purpose or key are unrelated; no stream needs another's history."""

    def __init__(self, purpose: str, *key: int):
        self._key = (text_key(purpose), *key)
        self._count = 0

    def _bits(self) -> int:
        self._count += 1
        return hash64(*self._key, self._count)

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * ((self._bits() >> 11) * 2.0**-53)

    def chance(self, probability: float) -> bool:
        return self.uniform(0.0, 1.0) < probability

    def integer(self, low: int, high: int) -> int:
        """An integer in [low, high)."""
        return low + self._bits() % (high - low)

    def bell(self, deviation: float) -> float:
        """Bell-shaped around 0 (a sum of four uniforms): unlike a normal draw it needs no logarithm and is bounded."""
        return deviation * 3.0**0.5 * (sum(self.uniform(0.0, 1.0) for _ in range(4)) - 2.0)

    def pick(self, items: Sequence[_Item]) -> _Item:
        return items[self.integer(0, len(items))]

    def sample(self, items: Sequence[_Item], count: int) -> list[_Item]:
        """``count`` different items in random order."""
        pool = list(items)
        for i in range(count):
            j = self.integer(i, len(pool))
            pool[i], pool[j] = pool[j], pool[i]
        return pool[:count]
