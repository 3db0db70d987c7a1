"""Which episode goes into which split: by counts, by shares, or by a list that the user wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pixelpush.datasets.hashing import permutation
from pixelpush.errors import InputError

NAMES = ("train", "val", "test")


def divide_names(names: Sequence[str], split: str, seed: int | None) -> dict[str, list[str]]:
    """``names`` cut into train/val/test by ``split``, counts "48/8/8" or shares "0.8/0.1/0.1".

    The order is the given one, or one drawn from ``seed``. A part of 0 is left out. Raises
    InputError if counts do not add up or a share above 0 gets no episode.

    >>> divide_names(["a", "b", "c", "d"], "2/1/1", seed=None)
    {'train': ['a', 'b'], 'val': ['c'], 'test': ['d']}
    """
    counts = _counts(split, len(names))
    order = list(names) if seed is None else [names[i] for i in permutation(len(names), seed)]
    result = {}
    start = 0
    for name, count in zip(NAMES, counts, strict=True):
        if count:
            result[name] = order[start : start + count]
        start += count
    return result


def default_split(total: int) -> str:
    """The split of ``total`` episodes where none is asked for: each part gets an episode if it can.

    >>> default_split(4)
    '2/1/1'
    """
    if total >= 10:
        return "0.8/0.1/0.1"
    return {1: "1/0/0", 2: "1/1/0"}.get(total, f"{total - 2}/1/1")


def _counts(split: str, total: int) -> list[int]:
    """Episodes of each part. "1/0/0" and its like read both ways: as counts they fit one episode
    only, as shares any number."""
    parts = split.split("/")
    shares = _numbers(split, parts)
    if all(part.isascii() and part.isdigit() for part in parts):
        counts = [int(part) for part in parts]
        if sum(counts) == total:
            return counts
        if sum(counts) > 1:
            raise InputError(
                f"--split {split}: adds up to {sum(counts)}, but there are {total} episodes."
            )
    return _counts_of_shares(split, shares, total)


def _numbers(split: str, parts: list[str]) -> list[float]:
    try:
        values = [float(part) for part in parts]
    except ValueError:
        values = []
    sound = len(values) == len(NAMES) and all(0 <= value < 1e9 for value in values)
    if not sound or sum(values) == 0:
        raise InputError(
            f"--split {split}: give three counts like 48/8/8 or shares like 0.8/0.1/0.1 "
            "(train/val/test)."
        )
    return values


def _counts_of_shares(split: str, shares: list[float], total: int) -> list[int]:
    if abs(sum(shares) - 1) > 1e-6:
        raise InputError(f"--split {split}: shares must add up to 1, these make {sum(shares):g}.")
    counts = _largest_remainder(shares, total)
    for name, share, count in zip(NAMES, shares, counts, strict=True):
        if share > 0 and count == 0:
            raise InputError(
                f"--split {split}: of {total} episodes none falls to {name}; give counts, like "
                f"{default_split(total)}."
            )
    return counts


def _largest_remainder(shares: list[float], total: int) -> list[int]:
    exact = [share * total for share in shares]
    # 1e-9, because 0.7 * 90 is 62.99999999999999.
    counts = [int(value + 1e-9) for value in exact]
    # What rounding down left over goes to the parts that lost most, the earlier part first.
    by_remainder = sorted(range(len(shares)), key=lambda i: counts[i] - exact[i])
    for i in by_remainder[: total - sum(counts)]:
        counts[i] += 1
    return counts


def listed_splits(value: Any, names: Sequence[str], source: str) -> Mapping[str, list[str]]:
    """Splits from the contents of a splits.json {"train": [episode names], ...}.

    names: the episodes that are there. Raises InputError, which names ``source``, for a name that
    is not there or that stands twice.

    >>> listed_splits({"train": ["a"]}, ["a", "b"], "splits.json")
    {'train': ['a']}
    """
    if not isinstance(value, dict) or not value:
        raise InputError(
            f"{source}: it must be an object of split names, each with a list of episode names."
        )
    known = set(names)
    used = set()
    for split, members in value.items():
        if (
            not isinstance(members, list)
            or not all(isinstance(name, str) for name in members)
            or not members
        ):
            raise InputError(
                f"{source}: split {split!r} must be a list of episode names, not empty."
            )
        for name in members:
            if name not in known:
                raise InputError(
                    f"{source}: split {split!r} names episode {name!r}, which is not there."
                )
            if name in used:
                raise InputError(f"{source}: episode {name!r} is named twice.")
            used.add(name)
    return value
