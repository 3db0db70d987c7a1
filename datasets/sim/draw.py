"""Random draws of the simulated bin: pure functions of (purpose, key), free of NumPy's own
generators.

NumPy may change its generators' streams between versions; SplitMix64 over integers stays the same
everywhere, so that any episode can be made alone, in any process, on any machine."""

from __future__ import annotations

import hashlib

import numpy as np

from pixelpush.datasets.hashing import hash64, permutation, uniform

_GAMMA = np.uint64(0x9E3779B97F4A7C15)


def word(text: str) -> int:
    """A 64-bit integer that stands for a word in a key.

    >>> word("train") == word("train"), word("train") == word("val")
    (True, False)
    """
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


class Draw:
    """A stream of random numbers for one purpose, e.g. ``Draw("episode", "train", 7)``.

    >>> Draw("episode", "train", 7).uniform() == Draw("episode", "train", 7).uniform()
    True
    >>> Draw("episode", "train", 7).uniform() == Draw("episode", "train", 8).uniform()
    False
    """

    def __init__(self, purpose: str, *key: str | int):
        parts = [word(part) if isinstance(part, str) else part for part in key]
        self._seed = hash64(word(purpose), *parts)
        self._count = 0

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """A number in [low, high).

        >>> draw = Draw("example")
        >>> all(2 <= draw.uniform(2, 3) < 3 for _ in range(100))
        True
        """
        self._count += 1
        return low + (high - low) * uniform(self._seed, self._count)

    def integer(self, bound: int) -> int:
        """An integer in [0, bound).

        >>> draw = Draw("example")
        >>> sorted({draw.integer(3) for _ in range(50)})
        [0, 1, 2]
        """
        return min(bound - 1, int(self.uniform() * bound))

    def vector(self, low: float, high: float, count: int) -> np.ndarray:
        """float64 (count,) in [low, high).

        >>> Draw("example").vector(-1, 1, 4).shape
        (4,)
        """
        return np.array([self.uniform(low, high) for _ in range(count)])

    def bell(self, scale: float) -> float:
        """A bell-shaped number of standard deviation ``scale``: a sum of four uniforms.

        It is free of logarithms, whose last bits depend on the machine.

        >>> draw = Draw("example")
        >>> round(float(np.std([draw.bell(2.0) for _ in range(2000)])))
        2
        """
        # A uniform number has variance 1/12, a sum of four 1/3: sqrt(3) brings it to 1.
        return scale * 1.7320508 * (sum(self.uniform() for _ in range(4)) - 2.0)

    def order(self, count: int) -> list[int]:
        """A permutation of 0..count-1.

        >>> sorted(Draw("example").order(5))
        [0, 1, 2, 3, 4]
        """
        self._count += 1
        return [int(i) for i in permutation(count, self._seed, self._count)]


def uniforms(count: int, *key: int) -> np.ndarray:
    """float64 (count,) in [0, 1) from integers, 53 random bits each.

    They are SplitMix64 (Steele, Lea and Flood 2014) counted from the key's hash.

    >>> draws = uniforms(1000, 7)
    >>> bool((draws == uniforms(1000, 7)).all()), round(float(draws.mean()), 1)
    (True, 0.5)
    """
    # ``hashing.mixed`` in place: the sensor noise of every frame is drawn here.
    values = np.arange(1, count + 1, dtype=np.uint64)
    values *= _GAMMA
    values += np.uint64(hash64(*key))
    scratch = values >> np.uint64(30)
    values ^= scratch
    values *= np.uint64(0xBF58476D1CE4E5B9)
    np.right_shift(values, np.uint64(27), out=scratch)
    values ^= scratch
    values *= np.uint64(0x94D049BB133111EB)
    np.right_shift(values, np.uint64(31), out=scratch)
    values ^= scratch
    values >>= np.uint64(11)
    return values * 2.0**-53
