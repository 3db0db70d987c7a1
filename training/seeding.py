"""Randomness as a function of (seed, purpose, position); nothing is hidden in a generator that must
be saved."""

from __future__ import annotations

import hashlib

import torch


def derived_seed(seed: int, purpose: str, *position: int) -> int:
    """Return a 63-bit seed for one purpose at one position.

    >>> derived_seed(0, "forward", 3) == derived_seed(0, "forward", 3)
    True
    """
    # blake2b and not hash(): the same in every process and Python version.
    text = "/".join([str(int(seed)), purpose, *(str(int(place)) for place in position)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1


def seed_torch(seed: int, purpose: str, *position: int) -> None:
    """Set torch's global generators (CPU and accelerators) for one purpose at one position.

    >>> seed_torch(0, "model")
    >>> first = torch.rand(())
    >>> seed_torch(0, "model")
    >>> bool(torch.rand(()) == first)
    True
    """
    torch.manual_seed(derived_seed(seed, purpose, *position))
