"""Trouble in front of a camera, made in recorded episodes: the positives of an ROC.

Each takes an episode and a frame at which it happens, and returns the changed episode and the
frames at which it shows. Pictures are changed in picture space, with sensor noise where new
surfaces appear, so that the same trouble can be made on any data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from pixelpush.datasets.episodes import Episode

SKIN = np.array([196, 143, 116])
# Levels of noise on what is painted: about that of the simulated sensor.
PAINT_NOISE = 1.0


@dataclass(frozen=True)
class Disturbed:
    """episode: as changed. shows: the frames, by number, at which the change is new to a viewer.

    >>> rows = np.zeros((4, 5), np.float32)
    >>> episode = Episode(np.zeros((4, 3, 8, 8), np.uint8), rows, rows, "still")
    >>> Disturbed(episode, shows=range(2, 4)).shows[0]
    2
    """

    episode: Episode
    shows: range


Disturbance = Callable[[Episode, Episode, int, np.random.Generator], Disturbed]
"""(episode, another one, frame, random numbers) -> disturbed."""


def swap_actions(episode: Episode, other: Episode, at: int, draw: np.random.Generator) -> Disturbed:
    """From frame ``at`` on, the commands are another episode's: the robot does not obey.

    >>> rows = np.zeros((4, 1), np.float32)
    >>> episode = Episode(np.zeros((4, 3, 8, 8), np.uint8), rows, rows, "still")
    >>> other = replace(episode, actions=rows + 1)
    >>> swap_actions(episode, other, 2, np.random.default_rng(0)).episode.actions.ravel().tolist()
    [0.0, 0.0, 1.0, 1.0]
    """
    rows = np.minimum(np.arange(len(episode.frames)), len(other.actions) - 1)
    actions = episode.actions.copy()
    actions[at:] = other.actions[rows][at:]
    return Disturbed(replace(episode, actions=actions), range(at + 1, len(actions)))


def drop_frame(episode: Episode, other: Episode, at: int, draw: np.random.Generator) -> Disturbed:
    """The camera loses frame ``at``: what comes is one frame early from there on.

    >>> rows = np.zeros((4, 5), np.float32)
    >>> episode = Episode(np.arange(4, dtype=np.uint8).reshape(4, 1, 1, 1), rows, rows, "0123")
    >>> drop_frame(episode, episode, 1, np.random.default_rng(0)).episode.frames.ravel().tolist()
    [0, 2, 3, 3]
    """
    order = np.minimum(np.arange(len(episode.frames)) + 1, len(episode.frames) - 1)
    frames = episode.frames.copy()
    frames[at:] = episode.frames[order][at:]
    return Disturbed(replace(episode, frames=frames), range(at, at + 1))


def repeat_frame(episode: Episode, other: Episode, at: int, draw: np.random.Generator) -> Disturbed:
    """The camera sends frame ``at - 1`` twice; the next one is in time again.

    >>> rows = np.zeros((4, 5), np.float32)
    >>> episode = Episode(np.arange(4, dtype=np.uint8).reshape(4, 1, 1, 1), rows, rows, "0123")
    >>> repeat_frame(episode, episode, 1, np.random.default_rng(0)).episode.frames.ravel().tolist()
    [0, 0, 2, 3]
    """
    frames = episode.frames.copy()
    frames[at] = frames[at - 1]
    return Disturbed(replace(episode, frames=frames), range(at, min(at + 2, len(frames))))


def move_camera(episode: Episode, other: Episode, at: int, draw: np.random.Generator) -> Disturbed:
    """Someone touches the camera: from frame ``at`` on the picture lies a pixel or two aside.

    >>> rows = np.zeros((4, 5), np.float32)
    >>> noise = np.random.default_rng(0).integers(0, 256, (4, 3, 8, 8), np.uint8)
    >>> moved = move_camera(*[Episode(noise, rows, rows, "noise")] * 2, 2, np.random.default_rng(0))
    >>> (moved.episode.frames != noise).any(axis=(1, 2, 3)).tolist()
    [False, False, True, True]
    """
    rows, columns = draw.choice([-2, -1, 1, 2], 2)
    height, width = episode.frames.shape[2:]
    frames = episode.frames.copy()
    from_rows = np.clip(np.arange(height) + rows, 0, height - 1)
    from_columns = np.clip(np.arange(width) + columns, 0, width - 1)
    frames[at:] = frames[at:][:, :, from_rows][:, :, :, from_columns]
    return Disturbed(replace(episode, frames=frames), range(at, at + 1))


def enter_hand(episode: Episode, other: Episode, at: int, draw: np.random.Generator) -> Disturbed:
    """A forearm reaches in from a side of the picture, further with every frame.

    >>> rows = np.zeros((4, 5), np.float32)
    >>> black = Episode(np.zeros((4, 3, 16, 16), np.uint8), rows, rows, "black")
    >>> changed = enter_hand(black, black, 2, np.random.default_rng(0))
    >>> changed.episode.frames.any(axis=(1, 2, 3)).tolist()
    [False, False, True, True]
    """
    frames = episode.frames.copy()
    height, width = frames.shape[2:]
    column = draw.uniform(0.15, 0.85) * width
    thick = 0.08 * width
    turns = int(draw.integers(4))
    rows, columns = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    for step, index in enumerate(range(at, len(frames))):
        reach = min(0.08 + 0.07 * step, 0.5) * height
        arm = (abs(columns - column) < thick) & (rows < reach - thick)
        fist = np.hypot(columns - column, rows - (reach - thick)) < 1.5 * thick
        inside = np.rot90(arm | fist, turns)
        painted = SKIN[: frames.shape[1], None] + draw.normal(
            0, PAINT_NOISE, (frames.shape[1], int(inside.sum()))
        )
        frames[index][:, inside] = painted.round().clip(0, 255).astype(np.uint8)
    return Disturbed(replace(episode, frames=frames), range(at, len(frames)))


def knock_light(episode: Episode, other: Episode, at: int, draw: np.random.Generator) -> Disturbed:
    """The lamp is knocked: from frame ``at`` on one side is darker, the other brighter, by up to a
    tenth.

    >>> rows = np.zeros((4, 5), np.float32)
    >>> grey = Episode(np.full((4, 3, 8, 8), 100, np.uint8), rows, rows, "grey")
    >>> lit = knock_light(grey, grey, 2, np.random.default_rng(0)).episode.frames
    >>> [int(np.ptp(frame)) > 0 for frame in lit]
    [False, False, True, True]
    """
    frames = episode.frames.copy()
    height, width = frames.shape[2:]
    angle = draw.uniform(0, 2 * np.pi)
    rows, columns = np.meshgrid(
        np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij"
    )
    gain = 1 + 0.1 * (np.cos(angle) * rows + np.sin(angle) * columns) / np.sqrt(2)
    frames[at:] = (frames[at:] * gain).round().clip(0, 255).astype(np.uint8)
    return Disturbed(replace(episode, frames=frames), range(at, at + 1))


DISTURBANCES: dict[str, Disturbance] = {
    "swapped actions": swap_actions,
    "dropped frame": drop_frame,
    "repeated frame": repeat_frame,
    "moved camera": move_camera,
    "entering hand": enter_hand,
    "knocked light": knock_light,
}
