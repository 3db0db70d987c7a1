"""Augmentation as a pure function of (seed, example, epoch): mirror, jitter, brightness, contrast,
colour.

All frames of a clip get the same change. Mirroring moves states and actions too, by the data set's
``Mirror``. A jitter of a few pixels leaves them alone: it is what a nudge of the camera does, and
states and actions are poses in the robot's own frame, which such a nudge does not move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from pixelpush.datasets.episodes import Episode
from pixelpush.datasets.hashing import randint, uniform
from pixelpush.errors import InputError

# One purpose for each random number, so that changing one strength leaves the other draws as they
# were.
_MIRROR, _SHIFT_X, _SHIFT_Y, _BRIGHTNESS, _CONTRAST, _COLOUR = range(16, 22)


@dataclass(frozen=True)
class Reflection:
    """How a vector changes in the mirror, left to right: ``out[i] = signs[i] * vector[order[i]]``.

    For a pose (x forward, y left, z, pitch, yaw) under a camera on the robot's axis: order 0 1 2 3
    4, signs + - + + -. Applied twice it must give the vector back: anything else is an InputError.

    >>> Reflection.negating([1], 3, "the state").signs
    (1, -1, 1)
    """

    order: tuple[int, ...] = ()
    signs: tuple[int, ...] = ()

    def __post_init__(self):
        indices = tuple(range(len(self.order)))
        if len(self.signs) != len(self.order) or any(sign not in (-1, 1) for sign in self.signs):
            raise InputError(
                f"reflection: one sign of -1 or 1 per entry is needed, got {self.order}, "
                f"{self.signs}."
            )
        if tuple(sorted(self.order)) != indices:
            raise InputError(f"reflection: {self.order} is not a permutation.")
        if any(
            self.order[self.order[i]] != i or self.signs[i] != self.signs[self.order[i]]
            for i in indices
        ):
            raise InputError(
                f"reflection: {self.order} with signs {self.signs} is not its own inverse."
            )

    @classmethod
    def negating(cls, entries: Sequence[int], size: int, what: str) -> Reflection:
        """The reflection of a vector of ``size`` numbers in which ``entries`` change sign.

        entries: counted from 0; one outside the vector is an InputError, which names ``what``.

        >>> Reflection.negating([1], 3, "the state").signs
        (1, -1, 1)
        """
        outside = [entry for entry in entries if not 0 <= entry < size]
        if outside:
            raise InputError(
                f"mirror: entry {outside[0]} is to change sign, but {what} has entries 0 to "
                f"{size - 1}; correct --mirror-states and --mirror-actions."
            )
        return cls(
            tuple(range(size)), tuple(-1 if entry in entries else 1 for entry in range(size))
        )

    def apply(self, rows: np.ndarray, what: str) -> np.ndarray:
        """The mirrored (T, D) float32 rows; another width is an InputError that names ``what``.

        >>> Reflection.negating([1], 2, "it").apply(np.ones((1, 2), np.float32), "it").tolist()
        [[1.0, -1.0]]
        """
        if rows.shape[1] != len(self.order):
            raise InputError(
                f"mirror: {what} has {rows.shape[1]} numbers, the reflection {len(self.order)}."
            )
        return rows[:, list(self.order)] * np.array(self.signs, dtype=np.float32).reshape(1, -1)


@dataclass(frozen=True)
class Mirror:
    """How a data set's states and actions change when its pictures are mirrored left to right.

    >>> Mirror(Reflection.negating([1], 2, "the state"), Reflection()).states.signs
    (1, -1)
    """

    states: Reflection = field(default_factory=Reflection)
    actions: Reflection = field(default_factory=Reflection)


@dataclass(frozen=True)
class Augmentation:
    """Strengths; the default changes nothing.

    mirror: the data set's reflection; a clip is mirrored with probability 1/2. None: never. jitter:
    largest shift in pixels, each way, in x and in y; edges are replicated. brightness: largest
    shift of all values, as a share of 255. contrast: largest relative change of the distance to
    mid-grey. colour: largest relative change of each channel's gain.

    >>> Augmentation(jitter=2).mirror is None
    True
    """

    mirror: Mirror | None = None
    jitter: int = 0
    brightness: float = 0.0
    contrast: float = 0.0
    colour: float = 0.0

    def __post_init__(self):
        if self.jitter < 0 or not all(
            0 <= value < 1 for value in (self.brightness, self.contrast, self.colour)
        ):
            raise InputError(
                f"augmentation: jitter must be >= 0 and the other strengths in [0, 1), got {self}."
            )


def augment(
    episode: Episode, augmentation: Augmentation, seed: int, example: int, epoch: int
) -> Episode:
    """The clip as epoch ``epoch`` sees example ``example``, a pure function of its arguments.

    ``extra`` is dropped: it describes the clip as recorded.

    >>> rows = np.zeros((1, 0), np.float32)
    >>> clip = Episode(np.zeros((1, 3, 4, 4), np.uint8), rows, rows, "a")
    >>> augment(clip, Augmentation(jitter=1), seed=0, example=0, epoch=0).frames.shape
    (1, 3, 4, 4)
    """
    key = (seed, example, epoch)
    episode = replace(episode, extra={})
    if augmentation.mirror is not None and randint(2, *key, _MIRROR):
        episode = mirror(episode, augmentation.mirror)
    frames = episode.frames
    if augmentation.jitter:
        span = 2 * augmentation.jitter + 1
        frames = shift(
            frames,
            randint(span, *key, _SHIFT_Y) - augmentation.jitter,
            randint(span, *key, _SHIFT_X) - augmentation.jitter,
        )
    return replace(episode, frames=_recolour(frames, augmentation, key))


def mirror(episode: Episode, spec: Mirror) -> Episode:
    """The clip seen in a mirror; mirroring twice gives it back.

    >>> rows = np.zeros((1, 0), np.float32)
    >>> clip = Episode(np.arange(2, dtype=np.uint8).reshape(1, 1, 1, 2), rows, rows, "a")
    >>> mirror(clip, Mirror()).frames.ravel().tolist()
    [1, 0]
    """
    return replace(
        episode,
        frames=np.ascontiguousarray(episode.frames[..., ::-1]),
        states=spec.states.apply(episode.states, "the state"),
        actions=spec.actions.apply(episode.actions, "the action"),
        extra={},
    )


def shift(frames: np.ndarray, down: int, right: int) -> np.ndarray:
    """Frames (T, C, H, W) moved by whole pixels; what comes in repeats the edge.

    >>> shift(np.array([[[[1, 2, 3]]]], np.uint8), down=0, right=1).ravel().tolist()
    [1, 1, 2]
    """
    height, width = frames.shape[-2:]
    rows = np.clip(np.arange(height) - down, 0, height - 1)
    columns = np.clip(np.arange(width) - right, 0, width - 1)
    return frames[..., rows[:, None], columns[None, :]]


def _recolour(
    frames: np.ndarray, augmentation: Augmentation, key: tuple[int, int, int]
) -> np.ndarray:
    if not (augmentation.brightness or augmentation.contrast or augmentation.colour):
        return frames

    def draw(*purpose: int) -> float:
        return 2.0 * uniform(*key, *purpose) - 1.0

    offset = 255.0 * augmentation.brightness * draw(_BRIGHTNESS)
    contrast = 1.0 + augmentation.contrast * draw(_CONTRAST)
    levels = np.arange(256)
    # A table per channel: 256 values are mapped once, whatever the size of the clip.
    out = np.empty_like(frames)
    for channel in range(frames.shape[1]):
        gain = 1.0 + augmentation.colour * draw(_COLOUR, channel)
        # v -> (gain v - 127.5) contrast + 127.5 + offset.
        mapped = (levels * gain - 127.5) * contrast + 127.5 + offset
        out[:, channel] = np.clip(np.rint(mapped), 0, 255).astype(np.uint8)[frames[:, channel]]
    return out
