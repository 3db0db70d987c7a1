"""Several splits as one: episodes of like schema, one data set after the other."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from pixelpush.datasets.episodes import Episode, identity
from pixelpush.errors import InputError

# Aspects in which joined splits must agree, because one model learns from all of them.
_ALIKE = ("schema", "mirror", "action_kind")


class JoinedEpisodes:
    """The episodes of several splits, one split after the other.

    ``len()``, ``[i]`` and ``read(i, start, stop)`` -> Episode. parts: splits of stores or of the
    simulated bin. Metadata are those of the first. Raises InputError where their frames, states,
    actions, or what is known of them, differ.

    >>> class Two:
    ...     name, lengths, metadata = "two", np.array([1, 1]), {}
    ...     def __len__(self): return 2
    ...     def read(self, index, start=0, stop=None): return f"{self.name} {index}"
    >>> JoinedEpisodes([Two(), Two()])[3]
    'two 1'
    """

    def __init__(self, parts: Sequence[Any]):
        first = parts[0]
        self.parts = tuple(parts)
        self.name = " + ".join(part.name for part in parts)
        self.metadata = first.metadata
        for aspect in _ALIKE:
            values = [getattr(part, aspect, None) for part in parts]
            if any(value != values[0] for value in values):
                listed = "; ".join(
                    f"{part.name}: {getattr(value, 'in_words', value)}"
                    for part, value in zip(parts, values, strict=True)
                )
                raise InputError(
                    f"these data sets differ in their {aspect} ({listed}); prepare them alike, or "
                    "train on one of them."
                )
            if hasattr(first, aspect):
                setattr(self, aspect, values[0])
        self.lengths = np.concatenate([part.lengths for part in parts])
        self._ends = np.cumsum([len(part) for part in parts])
        contents = " ".join(str(identity(part)) for part in parts)
        self.content_sha256 = hashlib.sha256(contents.encode()).hexdigest()

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, index: int) -> Episode:
        return self.read(index)

    def read(self, index: int, start: int = 0, stop: int | None = None) -> Episode:
        """Episode ``index``, or its frames [start, stop) alone."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"{self.name} has {len(self)} episodes, asked for {index}")
        index = int(index) % len(self)
        number = int(np.searchsorted(self._ends, index, side="right"))
        before = int(self._ends[number - 1]) if number else 0
        episode: Episode = self.parts[number].read(index - before, start, stop)
        return episode
