"""Random numbers as a pure function of integers, the same on every machine and with every version
of NumPy.

SplitMix64's finaliser (Steele, Lea and Flood 2014), chained over the key's parts. Training order,
clip windows and augmentation draw from here, so that any of them can be recomputed for any example
at any time."""

from __future__ import annotations

import numpy as np

_MASK = (1 << 64) - 1
_GAMMA = 0x9E3779B97F4A7C15


def _mix(value: int) -> int:
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def hash64(*key: int) -> int:
    """A 64-bit number from a sequence of integers; any other sequence gives an unrelated one.

    >>> hash64(1, 2) == hash64(1, 2), hash64(1, 2) == hash64(2, 1)
    (True, False)
    """
    state = len(key)
    for part in key:
        state = _mix((state + _GAMMA + (int(part) & _MASK)) & _MASK)
    return state


def uniform(*key: int) -> float:
    """A number in [0, 1) from a key.

    >>> 0 <= uniform(3, 4) < 1
    True
    """
    # A float64 has 53 bits: all multiples of 2^-53 in [0, 1) are equally likely.
    return (hash64(*key) >> 11) * 2.0**-53


def randint(bound: int, *key: int) -> int:
    """An integer in [0, bound) from a key; the bias for bounds below 2^32 is under 2^-32.

    >>> {randint(3, key) for key in range(50)}
    {0, 1, 2}
    """
    return hash64(*key) % bound


def mixed(values: np.ndarray) -> np.ndarray:
    """SplitMix64's finaliser of every number: uint64 in, uint64 out, wrapping at 2^64.

    >>> mixed(np.array([0, 1], np.uint64)).tolist()
    [0, 6238072747940578789]
    """
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def permutation(count: int, *key: int) -> np.ndarray:
    """A permutation of 0..count-1, int64, from a key.

    >>> sorted(permutation(4, 7).tolist())
    [0, 1, 2, 3]
    """
    state = np.uint64(hash64(*key))
    values = state + np.uint64(_GAMMA) * np.arange(1, count + 1, dtype=np.uint64)
    # Sorting distinct random keys gives every order the same chance.
    return np.argsort(mixed(values), kind="stable")
