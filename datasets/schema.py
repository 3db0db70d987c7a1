"""What all episodes of a store share. Light: descriptions of stores are read without any codec."""

from __future__ import annotations

from dataclasses import dataclass

from pixelpush.datasets.episodes import Episode
from pixelpush.errors import InputError


@dataclass(frozen=True)
class Schema:
    """What all episodes of a store share; their lengths may differ.

    >>> import numpy as np
    >>> rows = np.zeros((1, 5), np.float32)
    >>> Schema.of(Episode(np.zeros((1, 3, 8, 8), np.uint8), rows, rows, "a"))
    Schema(channels=3, height=8, width=8, state_dim=5, action_dim=5)
    """

    channels: int
    height: int
    width: int
    state_dim: int
    action_dim: int

    @classmethod
    def of(cls, episode: Episode) -> Schema:
        """The schema of an episode.

        >>> import numpy as np
        >>> rows = np.zeros((4, 5), np.float32)
        >>> Schema.of(Episode(np.zeros((4, 3, 8, 9), np.uint8), rows, rows[:, :2], "a"))
        Schema(channels=3, height=8, width=9, state_dim=5, action_dim=2)
        """
        _, channels, height, width = episode.frames.shape
        return cls(channels, height, width, episode.states.shape[1], episode.actions.shape[1])

    @property
    def in_words(self) -> str:
        """Channels, height and width of the frames, and how long states and actions are.

        >>> Schema(3, 64, 64, 5, 4).in_words
        'frames 3x64x64, state 5, action 4'
        """
        return (
            f"frames {self.channels}x{self.height}x{self.width}, "
            f"state {self.state_dim}, action {self.action_dim}"
        )

    def check(self, episode: Episode) -> None:
        """Refuse an episode of another schema with an InputError that quotes both.

        >>> import numpy as np
        >>> rows = np.zeros((4, 0), np.float32)
        >>> episode = Episode(np.zeros((4, 3, 8, 8), np.uint8), rows, rows, "a")
        >>> Schema(3, 8, 8, 0, 0).check(episode)
        >>> Schema(3, 8, 8, 5, 0).check(episode)
        Traceback (most recent call last):
        pixelpush.errors.InputError: episode a: frames 3x8x8, state 0, action 0, but ...
        """
        found = Schema.of(episode)
        if found != self:
            raise InputError(
                f"episode {episode.id}: {found.in_words}, but the episodes before it have "
                f"{self.in_words}; leave it out, or make a data set of its own of it."
            )
