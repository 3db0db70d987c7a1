"""Randomness as a function of (seed, purpose, position); nothing is hidden in a generator that must
be saved."""

from __future__ import annotations

import hashlib

import torch


def derived_seed(seed: int, purpose: str, *position: int) -> int:
    """A 63-bit seed for one purpose at one position, e.g. ``derived_seed(seed, "forward",
    position)``."""
    text = "/".join([str(int(seed)), purpose, *(str(int(place)) for place in position)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1


def seed_torch(seed: int, purpose: str, *position: int) -> None:
    """Set torch's global generators (CPU and accelerators) for one purpose at one position."""
    torch.manual_seed(derived_seed(seed, purpose, *position))
