"""The papers' protocol: one sequence of 20 frames from each episode, the first two given."""

from __future__ import annotations

from pixelpush.datasets.episodes import Episode, EpisodeDataset
from pixelpush.errors import InputError
from pixelpush.eval.statistics import NOISE_FLOOR

# Reed et al. 2017, sections 4.1 and 4.3: sequences of 20 frames, 2 of them given.
SEQUENCE_FRAMES = 20
CONTEXT = 2


class Sequences:
    """The first ``SEQUENCE_FRAMES`` frames of every episode that has as many; a data set.

    Which frames of longer episodes the papers took is not said; the first ones are ours. left_out:
    how many episodes are shorter. Raises InputError where none is long enough.

    >>> import numpy as np
    >>> rows = np.zeros((25, 0), np.float32)
    >>> whole = Episode(np.zeros((25, 3, 8, 8), np.uint8), rows, rows, "a")
    >>> sequences = Sequences([whole])
    >>> len(sequences[0].frames), sequences.left_out
    (20, 0)
    """

    def __init__(self, whole: EpisodeDataset):
        self._whole = whole
        self.name = getattr(whole, "name", "in memory")
        self.metadata = getattr(whole, "metadata", {})
        self.content_sha256 = getattr(whole, "content_sha256", None)
        lengths = getattr(whole, "lengths", None)
        if lengths is None:
            lengths = [len(whole[index].frames) for index in range(len(whole))]
        self._long = [index for index, length in enumerate(lengths) if length >= SEQUENCE_FRAMES]
        self.left_out = len(lengths) - len(self._long)
        if not self._long:
            raise InputError(
                f"{self.name}: no episode has the {SEQUENCE_FRAMES} frames of the papers' "
                "sequences; leave out --protocol paper."
            )

    def __len__(self) -> int:
        return len(self._long)

    def __getitem__(self, index: int) -> Episode:
        # Whole episodes are read, because only those are compared with the store's content hash.
        episode = self._whole[self._long[index]]
        floor = episode.extra.get(NOISE_FLOOR)
        return Episode(
            episode.frames[:SEQUENCE_FRAMES],
            episode.states[:SEQUENCE_FRAMES],
            episode.actions[:SEQUENCE_FRAMES],
            episode.id,
            {} if floor is None else {NOISE_FLOOR: floor[:SEQUENCE_FRAMES]},
        )
