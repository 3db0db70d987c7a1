"""Where objects have moved in a clip, by the labels that a data set has.

A past of the model's own has a pushed object elsewhere than the truth. Scored there, a model learns
to wipe objects out of its samples and to leave crumbs where they might be."""

from __future__ import annotations

import numpy as np

from pixelpush.datasets.episodes import Episode
from pixelpush.errors import InputError

LABELS = ("object_places", "segmentation")
# The smallest label of an object; below are the background and the arm.
_FIRST_OBJECT = 2
# Pixels from which on an object counts as moved: less is a change of light or a quiver.
_MOVED = 0.7


def check_labels(episode: Episode) -> None:
    """Raise InputError if an episode has no labels of objects.

    >>> vectors = np.zeros((1, 2), np.float32)
    >>> check_labels(Episode(np.zeros((1, 3, 8, 8), np.uint8), vectors, vectors, "one"))
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: data.object_labels: episode one has no object_places; ...
    """
    for name in LABELS:
        if name not in episode.extra:
            raise InputError(
                f"data.object_labels: episode {episode.id} has no {name}; only the simulated bin "
                "labels its objects."
            )


def moved_objects(episode: Episode, clip: slice, since: int) -> np.ndarray:
    """Where a clip shows an object that has moved, or showed it before it did: bool (T, H, W).

    A pixel around them counts too, since edges and shadows move with them. episode: whole. clip:
    its frames. since: the frame of the clip from which on movement counts, the last that a rollout
    is given. Raises InputError where the episode has no labels.

    >>> places = np.array([[[3, 5, 1]], [[6, 5, 1]]], np.float32)
    >>> seen = np.zeros((2, 8, 8), np.uint8)
    >>> seen[0, 5, 3] = seen[1, 5, 6] = 2
    >>> vectors = np.zeros((2, 2), np.float32)
    >>> labels = {"object_places": places, "segmentation": seen}
    >>> episode = Episode(np.zeros((2, 3, 8, 8), np.uint8), vectors, vectors, "one", labels)
    >>> moved_objects(episode, slice(0, 2), since=0)[:, 5].sum(axis=1).tolist()
    [0, 6]
    """
    check_labels(episode)
    places = episode.extra["object_places"][clip, :, :2]
    seen = episode.extra["segmentation"][clip]
    moved = np.linalg.norm(places - places[since], axis=-1) > _MOVED
    by_label = np.concatenate([np.zeros((len(moved), _FIRST_OBJECT), bool), moved], axis=1)
    frames = np.arange(len(seen))[:, None, None]
    found = by_label[frames, seen] | by_label[:, seen[since]]
    return _widened(found)


def _widened(found: np.ndarray) -> np.ndarray:
    """A mask (T, H, W) and the eight pixels around each of its own."""
    padded = np.pad(found, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    return np.any(windows, axis=(-2, -1))
