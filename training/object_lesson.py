"""Lessons about objects: where they and the hand are in one episode, by its labels."""

from __future__ import annotations

import numpy as np

from pixelpush.datasets.episodes import Episode
from pixelpush.errors import InputError

# Arrays of a lesson, the fields of ``vpn.layered.object_lesson.ObjectLesson`` but for vectors,
# which are made of states and actions.
LESSON = ("frame", "segmentation", "time", "states", "actions", "places", "hands")
LABELS = ("object_places", "segmentation", "arm_places")
# Objects of an episode at most.
MOST_OBJECTS = 32
# Fingertip and hand among the labelled points of the arm.
_HANDS = (-1, -2)


def check_object_labels(episode: Episode) -> None:
    """Raise InputError if an episode has not the labels of a lesson.

    >>> vectors = np.zeros((1, 2), np.float32)
    >>> check_object_labels(Episode(np.zeros((1, 3, 8, 8), np.uint8), vectors, vectors, "one"))
    Traceback (most recent call last):
        ...
    pixelpush.errors.InputError: data.teaches=objects: episode one has no object_places; ...
    """
    for name in LABELS:
        if name not in episode.extra:
            raise InputError(
                f"data.teaches=objects: episode {episode.id} has no {name}; only the simulated bin "
                "labels its objects."
            )


def object_places(episode: Episode, clip: slice) -> np.ndarray:
    """Places of the labelled objects in a clip, float32 (T, 32, 2), NaN where there is none.

    >>> labels = {"object_places": np.ones((3, 2, 3), np.float32)}
    >>> vectors = np.zeros((3, 2), np.float32)
    >>> one = Episode(np.zeros((3, 3, 8, 8), np.uint8), vectors, vectors, "one", labels)
    >>> object_places(one, slice(0, 2))[:, 1:3, 0].tolist()
    [[1.0, nan], [1.0, nan]]
    """
    places = episode.extra["object_places"][clip, :MOST_OBJECTS, :2]
    padded = np.full((len(places), MOST_OBJECTS, 2), np.nan, np.float32)
    padded[:, : places.shape[1]] = places
    return padded


def object_lesson(episode: Episode, draw: int) -> dict[str, np.ndarray]:
    """Return the arrays of one lesson, a pure function of the episode and the number ``draw``.

    frame: uint8 (C, H, W), one of the episode's, at ``time``, and segmentation: uint8 (H, W), 0 for
    the floor, 1 for the arm, then the objects in order. states, actions: float32 (T, ...). places:
    float32 (T, 32, 2), of objects in pixels, NaN for none. hands: (T, 2, 2), of fingertip and hand.
    Raises InputError where the episode has no labels.

    >>> labels = {"object_places": np.ones((3, 2, 3), np.float32)}
    >>> labels["segmentation"] = np.zeros((3, 8, 8), np.uint8)
    >>> labels["arm_places"] = np.zeros((3, 6, 3), np.float32)
    >>> vectors = np.zeros((3, 2), np.float32)
    >>> one = Episode(np.zeros((3, 3, 8, 8), np.uint8), vectors, vectors, "one", labels)
    >>> object_lesson(one, 4)["time"].item()
    1
    """
    check_object_labels(episode)
    time = draw % len(episode.frames)
    return {
        "frame": episode.frames[time],
        "segmentation": episode.extra["segmentation"][time],
        "time": np.array(time),
        "states": episode.states,
        "actions": episode.actions,
        "places": object_places(episode, slice(None)),
        "hands": episode.extra["arm_places"][:, _HANDS, :2].astype(np.float32),
    }
